"""Every dialog of a conversation works through to its end, as a dialog and as a page of its own.

A dialog that no story walks, here or in `test_session_dialogs`, is found by the templates.
"""

import re
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.contexts import Take
from tests.browser.demo_process import Demo
from tests.browser.ways import (
    KNOWN,
    LIFE,
    SCANS,
    STEPS,
    WAYS,
    Opener,
    Way,
    open_shop,
    submit,
    walking,
)

pytestmark = pytest.mark.browser

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"


@pytest.fixture(scope="module")
def shop(take_for_all: Take, demo: Demo) -> None:
    open_shop(take_for_all, demo)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, take: Take, demo: Demo, shop: None) -> Way:
    return walking(request.param, take, demo)


def test_the_work_on_a_conversation(way: Way, demo: Demo) -> None:
    page = way.home
    page.goto(f"{demo.url}/inbox/")
    here = urlsplit(str(page.locator("#conversation-rows a").get_attribute("href"))).path
    key = here.strip("/").rpartition("/")[2]
    _filter(way)
    for act, choose, words in (
        ("assign", "[name=assignee]:not([value=''])", "admin"),
        ("transfer", "[name=team]:not([disabled])", "transferred"),
    ):
        scope = way.open(
            f"inbox:{act}", here, _acting(act), f"/inbox/work/{act}/?ids={key}&single=1"
        )
        scope.locator(choose).first.click()
        way.ends(here)
        expect(way.page.locator("#open-conversation")).to_contain_text(words)
    _snooze(way, here, key)
    _label(way, here, key)
    _resolve_all(way, here)
    _rename_person(way, here, key)
    assert way.walked == {one for one in KNOWN if one.startswith("inbox:")}


def _snooze(way: Way, here: str, key: str) -> None:
    """A time that is over is refused; one past the reply window is asked about once more."""
    address = f"/inbox/work/snooze/?ids={key}&single=1"
    scope = way.open("inbox:snooze", here, _acting("snooze"), address)
    now = datetime.now()  # noqa: DTZ005 - as the browser's own field has it
    for days in (-1, 3):
        scope.locator("[name=at]").fill(f"{now + timedelta(days=days):%Y-%m-%dT09:00}")
        scope.locator("[name=until][value=at]").click()
        if days < 0:
            expect(scope.locator(".errors")).to_be_visible()
    expect(scope.locator("[name=sure]")).to_have_count(1)
    scope.locator("[name=until]").first.click()
    way.ends(here)
    expect(way.page.locator("#open-conversation")).to_contain_text("snoozed")


def _acting(act: str) -> Opener:
    return lambda page: (
        page.locator(
            f"#open-conversation [formaction$='/{act}/']:not([name]),"
            f" #context [formaction$='/{act}/']"
        ).first
    )


def _filter(way: Way) -> None:
    scope = way.open(
        "inbox:filters",
        "/inbox/",
        lambda page: page.locator(".list-bar a[href*='/filters/']"),
        "/inbox/filters/",
    )
    scope.locator("[name=session]").select_option("Shop A")
    submit(scope)
    way.ends("/inbox/?session=Shop+A" if not way.is_dialog else "")
    expect(way.page.locator(".list-filters")).to_contain_text("Shop A")


def _label(way: Way, here: str, key: str) -> None:
    scope = way.open(
        "inbox:label", here, _acting("label"), f"/inbox/work/label/?ids={key}&single=1"
    )
    scope.locator("[name=new]").fill(f"by {way.name}")
    submit(scope)
    way.ends(here)
    expect(way.page.locator(".context-labels")).to_contain_text(f"by {way.name}")


def _resolve_all(way: Way, here: str) -> None:
    """Chosen by boxes, which needs JavaScript; its page has an address all the same."""

    def opener(page: Page) -> Locator:
        page.locator("[data-selects]").click()
        page.locator(".pick input").first.check()
        page.locator("[data-selects-matching]").click()
        return page.locator("#bulk [formaction$='/resolve/']")

    address = "/inbox/work/resolve/?scope=all&list="
    if way.name == "without JavaScript":
        way.walked.add("inbox:resolve")
        way.page.goto(f"{way.demo.url}{address}")
        scope = way.scope
    else:
        scope = way.open("inbox:resolve", "/inbox/", opener, address)
    submit(scope)
    way.ends("/inbox/")
    page = way.page
    expect(page.locator("#conversation-rows > li").first).to_contain_text("resolved")
    page.goto(f"{way.demo.url}{here}")
    page.locator("#head-actions [formaction$='/reopen/']").last.click()
    expect(page.locator("#head-actions [formaction$='/reopen/']")).to_have_count(0)


def _rename_person(way: Way, here: str, key: str) -> None:
    """In place, or on a page."""
    page, address = way.home, f"/inbox/{key}/name/?slot=head"
    page.goto(f"{way.demo.url}{here}")
    pencil = page.locator(".conversation-head a[href*='/name/']")
    if way.name == "new tab":
        with page.context.expect_page() as tab:
            pencil.click(modifiers=["Control"])
        page = tab.value
    elif way.name == "address":
        page.goto(f"{way.demo.url}{address}")
        page.locator("[data-cancels]").click()
        expect(page).to_have_url(f"{way.demo.url}{here}")
        page.goto(f"{way.demo.url}{address}")
    else:
        pencil.click()
    page.locator(".name-form [name=name]").first.fill(f"李娜 {way.name}")
    page.locator(".name-form [name=name]").first.press("Enter")
    expect(page.locator(".conversation-head [data-name]")).to_have_text(f"李娜 {way.name}")
    expect(page).to_have_url(f"{way.demo.url}{here}")


def test_no_dialog_is_unknown_to_these_stories() -> None:
    sessions = {one.partition(":")[2] for one in KNOWN if one.startswith("sessions:")}
    assert sessions == {*LIFE, *SCANS, "hand_over"}
    sources = {
        str(one.relative_to(TEMPLATES)): one.read_text() for one in TEMPLATES.rglob("*.html")
    }
    titled = {
        name
        for name, text in sources.items()
        if 'id="dialog-title"' in text or "work/_head.html" in text
    }
    of_people = {one for one in titled if one.startswith("people/")}  # see `people_places`
    assert titled - {"work/_head.html"} - of_people == {*KNOWN.values(), *STEPS}
    opened = set()
    for text in sources.values():
        for before in text.split("data-opens-dialog")[:-1]:
            opened.add(_address_of(before[before.rindex("hx-target") - 160 :]))
    opened = {
        one
        for one in opened
        if one not in ("disable_person", "inbox:forget") and "people:" not in one
    }
    assert opened == set(KNOWN)


def _address_of(attributes: str) -> str:
    """The last `hx-get` or `hx-post` before `data-opens-dialog`."""
    if "filters_address" in attributes:
        return "inbox:filters"
    return str(re.findall(r'hx-(?:get|post)="{% url "([\w:]+)"', attributes)[-1])
