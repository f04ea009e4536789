"""The focus is the person's: no swap loses it, and nothing that arrives moves it into a field."""

import re

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.browser.demo_process import Demo
from tests.browser.shop import bound_shop, open_conversation, write
from tests.browser.until import until

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
NOBODY_WAITS = """
from messaging.models import Conversation
Conversation.objects.update(status="resolved", waiting_since=None, missed_at=None)
"""


def test_after_every_swap_the_focus_is_somewhere(context: BrowserContext, demo: Demo) -> None:
    page = context.new_page()
    page.add_init_script(WATCH)
    bound_shop(page, demo)
    write(demo, "李娜", "one")
    page.goto(f"{demo.url}/inbox/")
    open_conversation(page, "李娜")
    page.locator(".conversation-head").get_by_role("link", name="Rename 李娜").click()
    field = page.locator(".conversation-head .name-form input:not([type=hidden])")
    expect(field).to_be_focused()
    field.press("Escape")
    expect(field).to_be_hidden()
    box = page.get_by_role("textbox", name="Reply to 李娜")
    box.fill("two")
    page.get_by_role("button", name="Send as Shop A").click()
    expect(page.locator(".message.ours", has_text="two")).to_contain_text("accepted by WeChat")
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
    expect(page.get_by_role("dialog")).to_contain_text(re.compile("Enter a name"))
    page.keyboard.press("Escape")
    expect(opener).to_be_focused()
    assert page.evaluate("window.lost") == []


def _needs_reply(context: BrowserContext, demo: Demo, *people: str) -> Page:
    """These wait, longest first, and nothing is open."""
    page = context.new_page()
    bound_shop(page, demo)
    demo.python(NOBODY_WAITS)
    for person in people:
        write(demo, person, f"a question of {person}")
        expect(
            page.locator("#conversation-rows").get_by_text(f"a question of {person}")
        ).to_be_visible()
    page.goto(f"{demo.url}/inbox/?view=needs_reply")
    expect(page.locator("#conversation-rows .who")).to_have_text(list(people))
    page.wait_for_load_state()
    return page


def _box(page: Page, person: str) -> Locator:
    return page.get_by_role("textbox", name=f"Reply to {person}")


def _came(page: Page, held: list[Route]) -> Route:
    """The request that waits on its way, once the page has asked."""
    until(page, lambda: held, "a request")
    return held.pop()


def _is_in_no_field(page: Page) -> None:
    assert not page.evaluate("document.activeElement.matches('input, textarea, select')")


def test_after_escape_nothing_gives_the_focus_back(context: BrowserContext, demo: Demo) -> None:
    """Answered, it leaves the list, and messages arrive: what follows are keys, never letters."""
    page = _needs_reply(context, demo, "李娜", "Tom Baker", "王师傅")
    page.keyboard.press("j")
    page.keyboard.press("r")
    page.keyboard.type("Hello!")
    page.keyboard.press("Enter")
    expect(page.locator("#conversation-rows .who")).to_have_text(["Tom Baker", "王师傅"])
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name="Messages")).to_be_focused()
    for number in range(3):
        write(demo, "王师傅", f"more {number}")
        expect(page.locator("#conversation-rows")).to_contain_text(f"more {number}")
        _is_in_no_field(page)
    page.keyboard.press("j")
    expect(page.get_by_role("region", name="Conversation with Tom Baker")).to_be_visible()
    page.goto(f"{demo.url}/inbox/")
    for person in ("李娜", "Tom Baker"):
        open_conversation(page, person)
        expect(_box(page, person)).to_have_value("")
    assert "jr" not in "".join(one["text"] for one in demo.read("sends"))


def test_an_answer_that_comes_late_moves_no_focus(context: BrowserContext, demo: Demo) -> None:
    """Enter, Escape, and the search at once; or a row by the pointer, and the search meanwhile."""
    page = _needs_reply(context, demo, "李娜", "Tom Baker")
    held: list[Route] = []
    page.route(re.compile("/reply/$"), lambda route: held.append(route))
    open_conversation(page, "李娜")
    expect(_box(page, "李娜")).to_be_focused()
    page.keyboard.type("slow")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    search = page.get_by_role("searchbox", name="Search people")
    expect(search).to_be_focused()
    expect(page.locator(".sendings > li")).to_have_count(1)
    _came(page, held).continue_()
    expect(page.locator(".sendings > li")).to_have_count(0)
    expect(search).to_be_focused()

    late: list[Route] = []
    page.route(re.compile(r"/inbox/\d+/\?"), lambda route: late.append(route))
    page.get_by_role("list", name="Conversations").get_by_role(
        "link", name=re.compile("Tom")
    ).click()
    search.click()
    page.keyboard.type("To")
    page.unroute(re.compile(r"/inbox/\d+/\?"))
    _came(page, late).continue_()
    expect(page.get_by_role("region", name="Conversation with Tom Baker")).to_be_visible()
    expect(search).to_be_focused()
    expect(search).to_have_value("To")
    expect(_box(page, "Tom Baker")).to_have_value("")


def test_keys_wait_for_a_conversation_that_comes_late(context: BrowserContext, demo: Demo) -> None:
    page = _needs_reply(context, demo, "李娜", "Tom Baker", "王师傅")
    late: list[Route] = []
    page.route(re.compile(r"/inbox/\d+/\?"), lambda route: late.append(route))
    page.keyboard.press("j")
    page.keyboard.press("r")
    page.keyboard.type("e2 jj to Lina?")
    _came(page, late).continue_()
    expect(_box(page, "李娜")).to_have_value("e2 jj to Lina?")
    expect(_box(page, "李娜")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+E")
    page.keyboard.press("r")
    page.keyboard.type("to Tom")
    expect(_box(page, "李娜")).to_have_value("")
    page.wait_for_function("() => document.querySelector('.sendings').childElementCount === 0")
    _came(page, late).continue_()
    expect(_box(page, "Tom Baker")).to_have_value("to Tom")
    # By the pointer one goes on to write: what is typed before it is there is written too.
    _box(page, "Tom Baker").fill("")
    page.get_by_role("list", name="Conversations").get_by_role(
        "link", name=re.compile("王")
    ).click()
    page.keyboard.type("Enjoy")
    _came(page, late).continue_()
    expect(_box(page, "王师傅")).to_have_value("Enjoy")
    _box(page, "王师傅").fill("")


def test_keys_for_what_does_not_come_are_dropped_and_said(
    context: BrowserContext, demo: Demo
) -> None:
    page = _needs_reply(context, demo, "李娜", "Tom Baker")
    page.keyboard.press("j")
    expect(page.get_by_role("region", name="Conversation with 李娜")).to_be_visible()
    page.keyboard.press("r")
    page.keyboard.type("to Lina")
    held: list[Route] = []
    page.route(re.compile("/reply/$"), lambda route: held.append(route))
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+E")
    page.keyboard.press("r")
    page.keyboard.type("to T")
    _came(page, held).fulfill(status=500, body="no")
    said = page.locator("#toasts")
    expect(said).to_contain_text("Not resolved: the reply above was not sent.")
    page.keyboard.type("om")  # typed on before it was seen
    page.keyboard.press("Enter")
    expect(said).to_contain_text("Keys pressed in the meantime were ignored: rto Tom ⏎")
    expect(_box(page, "李娜")).to_have_value("to Lina")
    expect(page.get_by_role("button", name="Resolve", exact=True)).to_be_visible()
    assert not [one for one in demo.read("sends") if one["text"].startswith("to Lina")]
    _box(page, "李娜").fill("")


def test_a_page_that_loads_itself_anew_leaves_the_focus_where_it_was(
    context: BrowserContext, demo: Demo
) -> None:
    page = _needs_reply(context, demo, "李娜", "Tom Baker")
    page.keyboard.press("j")
    expect(page.get_by_role("region", name="Conversation with 李娜")).to_be_visible()
    page.reload()
    expect(_box(page, "李娜")).not_to_be_focused()
    page.keyboard.press("r")
    page.keyboard.type("in the middle")
    page.reload()
    expect(_box(page, "李娜")).to_be_focused()
    expect(_box(page, "李娜")).to_have_value("in the middle")
    _box(page, "李娜").fill("")
