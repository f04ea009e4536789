"""No page scrolls sideways: on phones, and at 200 % of a 1,440 px window. One pane at a time."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import log_in
from tests.browser.demo_process import Demo
from tests.browser.places import EMPTY, all_places, fill
from tests.browser.shop import bound_shop, open_thread, write

pytestmark = pytest.mark.browser

WIDTHS = (720, 390, 320)
WIDER = """() => {
  const room = document.documentElement.clientWidth;
  const over = [...document.querySelectorAll("body *")].filter((one) => one.checkVisibility()
    && one.getBoundingClientRect().right > room + 1 && !one.closest(".board, .emoji"));
  return [document.documentElement.scrollWidth - room,
    ...over.slice(0, 2).map((one) => one.outerHTML.slice(0, 90))];
}"""


def sideways(page: Page, name: str) -> list[str]:
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 844})
        over, *what = page.evaluate(WIDER)
        if over > 0:
            found.append(f"{name} at {width} px: {over} px too wide: {what}")
    page.set_viewport_size({"width": 1440, "height": 900})
    return found


def test_no_page_or_dialog_scrolls_sideways(context: BrowserContext, demo: Demo) -> None:
    page = context.new_page()
    demo.control("switches", scripts_on=False)
    log_in(page, demo)
    found = []
    for place in EMPTY:
        place.walk(page, demo)
        found += sideways(page, place.name)
    bound_shop(page, demo)
    fill(page, demo)
    for place in all_places(page, demo, log_in):
        found += sideways(page, place.name)
    assert not found, "\n".join(found)


def test_a_phone_shows_one_pane_with_the_composer_at_its_foot(
    context: BrowserContext, demo: Demo
) -> None:
    page = context.new_page()
    bound_shop(page, demo)
    write(demo, "李娜", "hello")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{demo.url}/inbox/")
    rows = page.get_by_role("list", name="Conversations")
    open_thread(page, "李娜")
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
