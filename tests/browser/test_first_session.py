"""The first session: from the empty inbox over the code to an answer on the customer's phone.

By mouse alone and by keyboard alone (only names and texts are typed in both), in two languages, at
two widths. The first reader meets a console that nobody has used; the others are each the only
people of a team of their own, so that their consoles are as empty.
"""

import re
from itertools import product

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.contexts import Take
from tests.browser.demo_process import Demo

pytestmark = pytest.mark.browser

SIZES = {1440: 900, 390: 844}
LOCALES = {"en": "en-GB", "zh-hans": "zh-CN"}
READERS = [*product(("mouse", "keyboard"), LOCALES, SIZES)]
MOST_TABS = 60
MAKE_TEAMS = """
from django.contrib.auth.models import Group
from sessions_app.models import Team, User
for number in range(%d):
    team = Team.objects.create(name=f"Team {number}")
    user = User.objects.create_user(f"first{number}", password=f"pw-first{number}")
    user.groups.set(Group.objects.filter(name__in=("operator", "agent")))
    user.teams.add(team)
"""


class Hand:
    """Presses things, by mouse or by keyboard."""

    def __init__(self, page: Page, device: str) -> None:
        self.page, self.by_mouse = page, device == "mouse"

    def press(self, control: Locator) -> None:
        """As a person would: a click, or Tab until it has the focus and Enter."""
        expect(control).to_be_visible()
        if self.by_mouse:
            control.click()
            return
        self.reach(control)
        self.page.keyboard.press("Enter")

    def reach(self, control: Locator) -> None:
        for _ in range(MOST_TABS):
            if control.evaluate("one => one === document.activeElement"):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not lead to {control}")

    def type_into(self, field: Locator, text: str, *, then: Locator) -> None:
        """Names and texts are typed in any case; `then` sends them."""
        if self.by_mouse:
            field.click()
        else:
            self.reach(field)
        self.page.keyboard.type(text)
        if self.by_mouse:
            then.click()
        else:
            self.page.keyboard.press("Enter")


@pytest.fixture(scope="module")
def teams(demo: Demo) -> None:
    demo.control("switches", scripts_on=False)
    demo.python(MAKE_TEAMS % len(READERS))


@pytest.fixture(params=[*enumerate(READERS)], ids=lambda one: "-".join(map(str, one[1])))
def reader(
    request: pytest.FixtureRequest, take: Take, demo: Demo, teams: None
) -> tuple[Hand, str, int]:
    number, (device, language, width) = request.param
    page = take(locale=LOCALES[language]).new_page()
    page.set_viewport_size({"width": width, "height": SIZES[width]})
    hand = Hand(page, device)
    page.goto(demo.url)
    name, password = (
        (f"first{number}", f"pw-first{number}") if number else (demo.username, demo.password)
    )
    log_in = page.locator("form button[type=submit]").first
    if hand.by_mouse:
        page.locator("[name=username]").click()
    else:
        hand.reach(page.locator("[name=username]"))
    page.keyboard.type(name)
    hand.type_into(page.locator("[name=password]"), password, then=log_in)
    page.wait_for_url("**/inbox/")
    return hand, language, number


def test_from_the_empty_inbox_to_an_answer(reader: tuple[Hand, str, int], demo: Demo) -> None:
    hand, language, number = reader
    page, shop = hand.page, f"Kiosk {number}"
    expect(page.locator("html")).to_have_attribute("lang", language)
    expect(page.locator("#conversation-rows > li")).to_have_count(0)
    hand.press(page.locator(".list-empty a.button"))

    expect(page.locator("#card [name=name]")).to_be_focused()
    _see(page)
    hand.type_into(
        page.locator("#card [name=name]"), shop, then=page.locator("#card button[type=submit]")
    )
    expect(page.locator("#card .qr-frame svg")).to_be_visible()
    _see(page)
    _scan(page, demo)
    expect(page).to_have_url(f"{demo.url}/sessions/")
    expect(page.locator("#session-rows .dot.ok")).to_have_count(1)
    _see(page)

    if hand.by_mouse:
        page.locator(".rail [data-go=i]").click()
    else:
        page.keyboard.press("g")
        page.keyboard.press("i")
    expect(page).to_have_url(f"{demo.url}/inbox/")
    bot, person = demo.read("bots")[-1]["bot_id"], _person(demo, number)
    demo.control("write", bot_id=bot, person_id=person, text="在吗？ Anybody there?")
    row = page.locator("#conversation-rows > li > a")
    expect(row).to_contain_text("Anybody there?")
    if hand.by_mouse:
        row.click()
    else:
        page.keyboard.press("j")
    box = page.locator("#composer textarea")
    expect(page.locator("#open-conversation .bubble")).to_have_text("在吗？ Anybody there?")
    _see(page)
    hand.type_into(box, f"你好 {number}, yes", then=page.locator("[data-send]"))

    expect(page.locator("#open-conversation .message.ours")).to_contain_text(f"你好 {number}, yes")
    expect(page.locator("#open-conversation .message.ours")).to_contain_text(
        re.compile("WeChat|微信")
    )
    assert demo.read(f"seen?bot_id={bot}&person_id={person}") == [f"你好 {number}, yes"]
    _see(page)


def _scan(page: Page, demo: Demo) -> None:
    """Somebody holds a phone before the screen."""
    handle = demo.read("logins")[-1]["handle"]
    account = demo.control("add_account", name=f"Owner {len(demo.read('accounts'))}")["name"]
    demo.control("scan", handle=handle, account=account)
    expect(page.locator(".steps [aria-current=step]")).to_contain_text("2")
    demo.control("confirm", handle=handle)


def _person(demo: Demo, number: int) -> str:
    return str(demo.read("state")["people"][number % 4]["user_id"])


def _see(page: Page) -> None:
    """Nothing is wider than its window."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
