"""The thread as a reader meets it: where it opens, what never jumps, what leads where."""

import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.demo_process import Demo
from tests.browser.shop import bound_shop, open_conversation, write
from tests.browser.until import until

pytestmark = pytest.mark.browser

LINA = "李娜"
MANY = 120
# In the very task in which the news are drawn, ahead of the page's own listeners.
JUMP_BEFORE_DRAWING = """addEventListener("console:drawing", ({ detail }) => {
  const isNew = detail.root.querySelector("[data-into^=messages] > .message");
  if (isNew) document.getElementById("conversation-scroll").scrollTop = 0;
}, { capture: true })"""


@pytest.fixture
def page(context: BrowserContext, demo: Demo) -> Page:
    one = context.new_page()
    problems: list[str] = []
    one.on("pageerror", lambda error: problems.append(str(error)))
    one.on("console", lambda line: problems.append(line.text) if "Policy" in line.text else None)
    bound_shop(one, demo)
    one.problems = problems  # type: ignore[attr-defined]
    return one


def _bulk(page: Page, demo: Demo, prefix: str, count: int = MANY) -> None:
    """Written, and arrived: the row in the list shows the last one."""
    for number in range(count):
        write(demo, LINA, f"{prefix} {number}")
    expect(page.locator("#conversation-rows")).to_contain_text(f"{prefix} {count - 1}")


def _bubble(page: Page, text: str) -> Locator:
    return page.locator(".bubble-text").filter(has_text=re.compile(f"^{re.escape(text)}$"))


def _place(page: Page, text: str) -> float:
    box = _bubble(page, text).bounding_box()
    assert box is not None
    return float(box["y"])


def _message_id(page: Page, text: str) -> str:
    found = _bubble(page, text).locator("xpath=ancestor::li").get_attribute("id")
    assert found is not None
    return found.removeprefix("message-")


def test_it_opens_at_the_first_unread_and_at_the_end_when_all_is_read(
    page: Page, demo: Demo
) -> None:
    _bulk(page, demo, "first", 30)
    open_conversation(page, LINA)
    line = page.locator("[data-unread-line]")
    expect(line).to_be_in_viewport()
    expect(_bubble(page, "first 29")).not_to_be_in_viewport()
    page.locator("#conversation-scroll").evaluate("pane => { pane.scrollTop = pane.scrollHeight; }")
    expect(page.locator(".conversation .badge")).to_have_count(0)
    page.reload()
    expect(_bubble(page, "first 29")).to_be_in_viewport()
    expect(line).to_have_count(0)


def test_older_messages_come_in_above_without_a_jump(page: Page, demo: Demo) -> None:
    _bulk(page, demo, "older")
    page.reload()
    open_conversation(page, LINA)
    expect(page.locator("#earlier a")).to_have_count(1)
    page.locator("#conversation-scroll").evaluate("pane => { pane.scrollTop = 700; }")
    shown = page.locator(".message:not(.event) .bubble-text").all_inner_texts()
    anchor = next(text for text in shown if _bubble(page, text).is_visible())
    before, loaded = _place(page, anchor), page.locator(".message").count()
    page.locator("#earlier a").evaluate("link => link.click()")
    expect(page.locator(".message")).not_to_have_count(loaded)
    assert abs(_place(page, anchor) - before) < 2


def test_new_ones_scroll_only_at_the_bottom_else_they_are_counted(page: Page, demo: Demo) -> None:
    _bulk(page, demo, "filler", 30)
    page.reload()
    open_conversation(page, LINA)
    page.locator("#conversation-scroll").evaluate("pane => { pane.scrollTop = pane.scrollHeight; }")
    write(demo, LINA, "seen at once")
    expect(_bubble(page, "seen at once")).to_be_in_viewport()
    page.locator("#conversation-scroll").evaluate("pane => { pane.scrollTop = 0; }")
    write(demo, LINA, "below one")
    write(demo, LINA, "below two")
    pill = page.get_by_role("button", name="2 new")
    expect(pill).to_be_visible()
    expect(_bubble(page, "below two")).not_to_be_in_viewport()
    pill.click()
    expect(_bubble(page, "below two")).to_be_in_viewport()
    expect(page.locator("[data-new-below]")).to_be_hidden()


def test_what_is_drawn_just_after_a_jump_does_not_lead_back(page: Page, demo: Demo) -> None:
    """Before the browser says, with its next frame, that the pane has moved."""
    _bulk(page, demo, "before the jump", 30)
    page.reload()
    open_conversation(page, LINA)
    page.locator("#conversation-scroll").evaluate("pane => { pane.scrollTop = pane.scrollHeight; }")
    expect(page.locator(".conversation .badge")).to_have_count(0)  # read: it is at the end
    page.evaluate(JUMP_BEFORE_DRAWING)
    write(demo, LINA, "behind the jump")
    expect(page.get_by_role("button", name="1 new")).to_be_visible()
    expect(_bubble(page, "behind the jump")).not_to_be_in_viewport()


def test_it_opens_at_any_message_and_finds_back_to_the_newest(page: Page, demo: Demo) -> None:
    write(demo, LINA, "the one to find")
    page.reload()
    open_conversation(page, LINA)
    number = _message_id(page, "the one to find")
    _bulk(page, demo, "after it", 60)
    page.goto(f"{page.url.partition('?')[0]}?around={number}")
    expect(_bubble(page, "the one to find")).to_be_in_viewport()
    expect(_bubble(page, "after it 59")).to_have_count(0)
    write(demo, LINA, "newest of all")
    pill = page.get_by_role("button", name="1 new")
    expect(pill).to_be_visible()
    expect(_bubble(page, "newest of all")).to_have_count(0)  # no gap is hidden in the middle
    pill.click()
    expect(_bubble(page, "newest of all")).to_be_in_viewport()
    assert "around" not in page.url


def test_reading_on_from_an_old_place_leaves_no_gap(page: Page, demo: Demo) -> None:
    write(demo, LINA, "start here")
    page.reload()
    open_conversation(page, LINA)
    number = _message_id(page, "start here")
    _bulk(page, demo, "read on", 60)
    page.goto(f"{page.url.partition('?')[0]}?around={number}")

    def at_the_end() -> bool:
        scroll = "pane => { pane.scrollTop = pane.scrollHeight; }"
        page.locator("#conversation-scroll").evaluate(scroll)
        return page.locator("#later a").count() == 0

    until(page, at_the_end, "the end of the conversation")
    texts = page.locator(".bubble-text").all_inner_texts()
    assert [text for text in texts if text.startswith("read on")] == [
        f"read on {number}" for number in range(60)
    ]


def test_a_quote_leads_to_what_it_quotes(page: Page, demo: Demo) -> None:
    page.reload()
    open_conversation(page, LINA)
    box = page.get_by_role("textbox", name=f"Reply to {LINA}")
    box.fill("please quote me")
    box.press("Enter")
    sent = page.locator(".message.ours").filter(has_text="please quote me")
    expect(sent).to_contain_text("accepted by WeChat")
    wire_id = next(one for one in demo.read("sends") if one["text"] == "please quote me")
    write(demo, LINA, "quoting", **_quoting(str(wire_id["message_id"])))
    quote = page.locator("a.quote").filter(has_text="please quote me")
    expect(quote).to_be_visible()
    _bulk(page, demo, "in between", 30)
    page.locator("#conversation-scroll").evaluate("pane => { pane.scrollTop = pane.scrollHeight; }")
    quote.evaluate("link => link.click()")
    expect(sent).to_be_in_viewport()
    expect(sent).to_be_focused()


def _quoting(message_id: str) -> dict[str, Any]:
    return {"quote_of": message_id}


def test_faces_line_breaks_and_links_are_shown_as_meant(page: Page, demo: Demo) -> None:
    write(demo, LINA, "[捂脸] first\nsecond https://shop.example/a?b=1，谢谢")
    page.reload()
    open_conversation(page, LINA)
    bubble = page.locator(".bubble-text").last
    expect(bubble.get_by_role("img", name="[捂脸]")).to_have_text("🤦")
    assert "first\nsecond" in bubble.inner_text()
    link = bubble.get_by_role("link")
    expect(link).to_have_attribute("href", "https://shop.example/a?b=1")
    expect(link).to_have_attribute("rel", re.compile("noopener"))


def test_an_emoji_is_picked_from_here_and_within_the_policy(page: Page, demo: Demo) -> None:
    page.reload()
    open_conversation(page, LINA)
    strangers: list[str] = []
    page.on(
        "request",
        lambda one: None if one.url.startswith((demo.url, "data:")) else strangers.append(one.url),
    )
    box = page.get_by_role("textbox", name=f"Reply to {LINA}")
    box.fill("ok ")
    page.get_by_role("button", name="Insert an emoji").click()
    picker = page.locator("emoji-picker")
    picker.get_by_role("combobox").fill("grinning face with big eyes")
    picker.get_by_role("option", name=re.compile("😃")).first.click()
    expect(box).to_have_value("ok 😃")
    page.keyboard.press("Escape")
    expect(picker).to_have_count(0)
    expect(box).to_be_focused()
    assert strangers == []
    assert page.problems == []  # type: ignore[attr-defined]
    box.fill("")


def test_ctrl_and_enter_where_that_is_chosen(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/account/")
    page.get_by_label("Send with").select_option("ctrl_enter")
    page.get_by_role("button", name="Save", exact=True).click()
    page.goto(f"{demo.url}/inbox/")
    open_conversation(page, LINA)
    box = page.get_by_role("textbox", name=f"Reply to {LINA}")
    box.fill("one line")
    box.press("Enter")
    box.press_sequentially("another")
    expect(box).to_have_value("one line\nanother")
    box.press("Control+Enter")
    expect(page.locator(".message.ours").filter(has_text="another")).to_contain_text("accepted by")
