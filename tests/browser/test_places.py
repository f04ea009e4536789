"""Every page and dialog: axe finds nothing in light and in dark, and nothing scrolls sideways.

On phones, and at 200 % of a 1,440 px window. One pane at a time there.
"""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import log_in
from tests.browser.contexts import Take
from tests.browser.demo_process import Demo
from tests.browser.filled import fill
from tests.browser.people_places import PEOPLE
from tests.browser.places import EMPTY, PLACES, SIGNED_OUT, Place
from tests.browser.shop import bound_shop, open_conversation, write

pytestmark = pytest.mark.browser

WIDTHS = (720, 390, 320)
WIDER = """() => {
  const room = document.documentElement.clientWidth;
  const over = [...document.querySelectorAll("body *")].filter((one) => one.checkVisibility()
    && one.getBoundingClientRect().right > room + 1 && !one.closest(".board, .emoji"));
  return [document.documentElement.scrollWidth - room,
    ...over.slice(0, 2).map((one) => one.outerHTML.slice(0, 90))];
}"""
AXE = (Path(__file__).parent / "axe" / "axe-core-4.14.1.min.js").read_text(encoding="utf-8")
OPEN_MENUS = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"
# WCAG 2.2 AA asks for sizes too, which axe leaves out by itself: of what an open menu or dialog
# leaves to press.
RUN = """async (only) => {
  const open = document.querySelector("dialog[open], details[open] > .menu-panel");
  const rules = only ? { runOnly: only } : { rules: { "target-size": { enabled: true } } };
  const { violations } = await axe.run(
    document, { resultTypes: ["violations"], elementRef: true, ...rules });
  const isPressed = (id, one) => id !== "target-size" || !open || open.contains(one.element);
  return violations
    .map(({ id, help, nodes }) => ({ id, help, nodes: nodes.filter((one) => isPressed(id, one)) }))
    .filter(({ nodes }) => nodes.length)
    .map(({ id, help, nodes }) => ({
      id, help, nodes: nodes.slice(0, 3).map((one) => `${one.html} ${one.failureSummary}`),
    }));
}"""


def findings(page: Page) -> list[str]:
    """What axe says of the page as it stands: in light as it is, in dark on a phone."""
    page.evaluate(AXE)
    page.emulate_media(reduced_motion="reduce", color_scheme="light")
    found = _said(page, "light")
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 844})
    page.evaluate("scrollTo(0, 0)")  # nothing lies in part under what stays at the top
    return found + _said(page, "dark on a phone")


def _said(page: Page, where: str, only: list[str] | None = None) -> list[str]:
    violations: list[dict[str, Any]] = page.evaluate(RUN, only)
    return [f"{where}: {one['id']}: {one['help']} {one['nodes']}" for one in violations]


def sideways(page: Page) -> list[str]:
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        over, *what = page.evaluate(WIDER)
        if over > 0:
            found.append(f"at {width} px: {over} px too wide: {what}")
    return found


def _visit(page: Page, demo: Demo, place: Place) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.context.set_offline(False)
    place.walk(page, demo)
    found = findings(page) + sideways(page)
    assert not found, "\n\n".join(found)


@pytest.fixture(scope="module")
def page(take_for_all: Take, demo: Demo) -> Page:
    """One for all places, logged in."""
    page = take_for_all().new_page()
    demo.control("switches", scripts_on=False)
    log_in(page, demo)
    return page


@pytest.fixture(scope="module")
def filled(page: Page, demo: Demo) -> None:
    fill(page, demo)


def by_name(places: tuple[Place, ...]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("place", places, ids=[one.name for one in places])


@by_name(EMPTY)
def test_before_there_is_anything(page: Page, demo: Demo, place: Place) -> None:
    _visit(page, demo, place)


@by_name((*PLACES, *PEOPLE))
@pytest.mark.usefixtures("filled")
def test_every_place(page: Page, demo: Demo, place: Place) -> None:
    _visit(page, demo, place)


@pytest.mark.usefixtures("filled")
def test_in_chinese_too_buttons_are_named_by_what_they_show(take: Take, demo: Demo) -> None:
    """Who speaks to the computer says what stands on the button."""
    chinese = take(locale="zh-CN").new_page()
    log_in(chinese, demo)
    rows = chinese.locator("#conversation-rows a").evaluate_all("all => all.map(one => one.href)")
    assert len(rows) == 3
    places = ("sessions", "sessions/Shop B", "sessions/-/links", "settings", "account")
    found = []
    for address in (*rows, *(f"{demo.url}/{place}/" for place in places)):
        chinese.goto(address)
        expect(chinese.locator("html")).to_have_attribute("lang", "zh-hans")
        chinese.evaluate(AXE)
        chinese.evaluate(
            "document.querySelectorAll('details').forEach(one => { one.open = true; })"
        )
        found += _said(chinese, address, ["label-content-name-mismatch"])
    assert not found, "\n\n".join(found)


@by_name(SIGNED_OUT)
def test_without_a_login(context: BrowserContext, demo: Demo, place: Place) -> None:
    _visit(context.new_page(), demo, place)


def test_axe_does_find_what_is_wrong(context: BrowserContext, demo: Demo) -> None:
    """A test that cannot fail is a defect."""
    page = context.new_page()
    page.goto(f"{demo.url}/accounts/login/")
    assert findings(page) == []
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert any("button-name" in one for one in findings(page))


def test_a_phone_shows_one_pane_with_the_composer_at_its_foot(
    context: BrowserContext, demo: Demo
) -> None:
    page = context.new_page()
    bound_shop(page, demo)
    write(demo, "李娜", "hello")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{demo.url}/inbox/")
    rows = page.get_by_role("list", name="Conversations")
    open_conversation(page, "李娜")
    expect(rows).to_be_hidden()
    box = page.get_by_role("textbox", name="Reply to 李娜")
    expect(box).to_be_visible()
    # `interactive-widget=resizes-content`: with the keyboard the viewport itself is this low.
    page.set_viewport_size({"width": 390, "height": 430})
    edge = box.bounding_box()
    assert edge is not None
    assert edge["y"] + edge["height"] <= 430
    viewport = page.locator("meta[name=viewport]").get_attribute("content")
    assert "interactive-widget=resizes-content" in str(viewport)
    page.get_by_role("link", name="Back to the list").click()
    expect(rows).to_be_visible()
    expect(box).to_be_hidden()
