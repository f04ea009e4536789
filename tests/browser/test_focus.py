"""A swap never loses the focus: whatever htmx draws, something of the page keeps it."""

import re

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.browser.demo_process import Demo
from tests.browser.shop import bound_shop, open_thread, write

pytestmark = pytest.mark.browser

# Where the focus is after each swap and each drawing of news, once it has settled.
WATCH = """
window.lost = [];
for (const name of ["htmx:afterSettle", "console:drawn"]) {
  document.addEventListener(name, () => setTimeout(() => {
    if (document.activeElement === document.body && window.began) window.lost.push(name);
  }));
}
document.addEventListener("focusin", () => { window.began = true; });
"""


def test_after_every_swap_the_focus_is_somewhere(context: BrowserContext, demo: Demo) -> None:
    context.add_init_script(WATCH)
    page = context.new_page()
    bound_shop(page, demo)
    write(demo, "李娜", "one")
    page.goto(f"{demo.url}/inbox/")
    open_thread(page, "李娜")
    page.locator(".thread-head").get_by_role("link", name="Rename 李娜").click()
    field = page.locator(".thread-head .name-form input:not([type=hidden])")
    expect(field).to_be_focused()
    field.press("Escape")
    expect(field).to_be_hidden()
    box = page.get_by_role("textbox", name="Reply to 李娜")
    box.fill("two")
    page.get_by_role("button", name="Send as Shop A").click()
    expect(page.locator(".bubble", has_text="two")).to_be_visible()
    write(demo, "李娜", "three")
    expect(page.locator(".bubble", has_text="three")).to_be_visible()
    assert page.evaluate("window.lost") == []

    view = page.get_by_role("list", name="Views").get_by_role("link", name=re.compile("^Resolved"))
    view.focus()
    page.keyboard.press("Enter")
    expect(view).to_have_attribute("aria-current", "page")
    expect(view).to_be_focused()

    page.goto(f"{demo.url}/sessions/")
    opener = page.locator("main a.primary").first
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_label("Name")).to_be_focused()
    # Until the form is htmx's: before that, Enter loads the page of the same form.
    expect(page.locator(".htmx-settling, .htmx-added")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text(re.compile("Give the session a name"))
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    assert page.evaluate("window.lost") == []
