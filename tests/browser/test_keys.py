"""Keys of one letter, their list, their switch, and the palette: without a mouse."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.demo_process import Demo
from tests.browser.shop import bound_shop, write

pytestmark = pytest.mark.browser

PEOPLE = ("王师傅", "Tom Baker", "李娜")


@pytest.fixture
def page(context: BrowserContext, demo: Demo) -> Page:
    """The inbox with three conversations, 李娜 on top, and nothing focused."""
    page = context.new_page()
    bound_shop(page, demo)
    for person in PEOPLE:
        write(demo, person, f"hello from {person}")
        first = page.locator("#conversation-rows > li").first
        expect(first).to_contain_text(f"hello from {person}")
    return page


def _thread(page: Page, person: str) -> None:
    expect(page.get_by_role("region", name=f"Conversation with {person}")).to_be_visible()


def _arrive(page: Page, heading: str) -> None:
    """Keys are heard once the page's scripts run, which is after it can be read."""
    expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
    page.wait_for_load_state()


def _keys(page: Page, demo: Demo, *, on: bool) -> None:
    page.goto(f"{demo.url}/account/")
    page.get_by_label("Single-key shortcuts").set_checked(on)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()


def test_j_and_k_walk_the_list_and_r_begins_a_reply(page: Page) -> None:
    page.keyboard.press("j")
    _thread(page, "李娜")
    page.keyboard.press("j")
    _thread(page, "Tom Baker")
    page.keyboard.press("k")
    _thread(page, "李娜")
    expect(page.locator("#conversation-rows a[aria-current]")).to_be_focused()
    page.keyboard.press("r")
    box = page.get_by_role("textbox", name="Reply to 李娜")
    expect(box).to_be_focused()
    page.keyboard.type("jk?")
    expect(box).to_have_value("jk?")
    _thread(page, "李娜")
    expect(page.locator("dialog[open]")).to_have_count(0)


def test_n_begins_a_note_and_r_the_reply_again(page: Page) -> None:
    page.keyboard.press("j")
    _thread(page, "李娜")
    page.keyboard.press("n")
    note = page.get_by_role("textbox", name="Internal note")
    expect(note).to_be_focused()
    page.keyboard.type("enr")
    expect(note).to_have_value("enr")
    page.get_by_role("region", name="Messages").focus()
    page.keyboard.press("n")
    expect(note).to_be_focused()
    note.clear()
    page.get_by_role("region", name="Messages").focus()
    page.keyboard.press("r")
    expect(page.get_by_role("textbox", name="Reply to 李娜")).to_be_focused()


def test_e_resolves_and_opens_again(page: Page) -> None:
    page.keyboard.press("j")
    _thread(page, "李娜")
    row = page.locator("#conversation-rows > li").filter(has_text="李娜")
    page.keyboard.press("e")
    expect(page.get_by_role("button", name="Reopen")).to_be_visible()
    expect(row).to_contain_text("resolved")
    page.keyboard.press("e")
    expect(page.get_by_role("button", name="Resolve", exact=True)).to_be_visible()
    expect(row).not_to_contain_text("resolved")


def test_shift_e_resolves_and_opens_the_next(page: Page) -> None:
    page.keyboard.press("j")
    _thread(page, "李娜")
    page.keyboard.press("Shift+E")
    _thread(page, "Tom Baker")
    row = page.locator("#conversation-rows > li").filter(has_text="李娜")
    expect(row).to_contain_text("resolved")
    # The next key is a key again, and no letter in a reply.
    expect(page.locator("#conversation-rows a[aria-current]")).to_be_focused()
    page.keyboard.press("Shift+E")
    _thread(page, "王师傅")
    expect(page.get_by_role("textbox", name="Reply to 王师傅")).to_have_value("")


def test_escape_leaves_the_reply_so_that_letters_are_keys_again(page: Page) -> None:
    page.get_by_role("list", name="Conversations").get_by_role("link").first.click()
    _thread(page, "李娜")
    box = page.get_by_role("textbox", name="Reply to 李娜")
    expect(box).to_be_focused()
    box.fill("")
    page.keyboard.type("later")
    page.keyboard.press("Escape")
    expect(page.locator("#conversation-rows a[aria-current]")).to_be_focused()
    page.keyboard.press("j")
    _thread(page, "Tom Baker")
    page.keyboard.press("k")
    _thread(page, "李娜")
    expect(box).to_have_value("later")
    page.keyboard.press("r")
    page.keyboard.type(" more")
    expect(box).to_have_value("later more")  # the caret stands behind a saved draft
    box.fill("")


def test_j_goes_on_where_the_answered_one_left_the_list(page: Page, demo: Demo) -> None:
    demo.python(
        "from messaging.models import Conversation; Conversation.objects.update(status='open')"
    )
    page.goto(f"{demo.url}/inbox/?view=needs_reply&sort=newest")
    rows = page.get_by_role("list", name="Conversations")
    expect(rows.get_by_role("listitem")).to_have_count(3)
    rows.get_by_role("link").nth(1).click()
    _thread(page, "Tom Baker")
    page.mouse.move(900, 300)  # rows hold still under the pointer
    page.keyboard.type("answered")
    page.keyboard.press("Enter")
    expect(rows.get_by_role("listitem")).to_have_count(2)
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    _thread(page, "王师傅")


def test_z_a_and_m_snooze_and_assign(page: Page) -> None:
    page.keyboard.press("j")
    _thread(page, "李娜")
    for key, title, first in (("z", "Snooze", "One hour"), ("a", "Assign", "admin")):
        page.keyboard.press(key)
        dialog = page.get_by_role("dialog", name=title)
        expect(dialog.get_by_role("button", name=re.compile(first)).first).to_be_focused()
        page.keyboard.press("m")  # no letter does anything behind a dialog
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
    head = page.get_by_role("form", name="Actions for this conversation")
    expect(head.get_by_role("button", name="Assign to somebody")).to_be_visible()
    page.keyboard.press("m")
    expect(head.get_by_role("button", name=re.compile("^Assigned to admin"))).to_be_visible()
    expect(head.get_by_role("button", name="Assign to me")).to_have_count(0)


def test_the_slash_goes_to_the_search(page: Page) -> None:
    page.keyboard.press("/")
    field = page.get_by_role("searchbox", name="Search people")
    expect(field).to_be_focused()
    page.keyboard.type("Baker/")
    expect(field).to_have_value("Baker/")


def test_g_goes_to_views(page: Page) -> None:
    for letter, view in (("m", "My queue"), ("u", "Unassigned"), ("n", "Needs reply")):
        assert page.locator(f'[data-go="{letter}"]').count() == 1
        page.keyboard.press("g")
        page.keyboard.press(letter)
        expect(page.get_by_role("heading", name=view, level=1)).to_be_visible()
        expect(page.get_by_role("link", name=re.compile(f"^{view}"))).to_have_attribute(
            "aria-current", "page"
        )


def test_g_goes_to_places(page: Page) -> None:
    for letter, heading in (("s", "Accounts"), ("t", "Settings"), ("a", "Your account"),
                            ("i", "Inbox")):  # fmt: skip
        page.keyboard.press("g")
        page.keyboard.press(letter)
        _arrive(page, heading)


def test_the_question_mark_lists_the_keys(page: Page) -> None:
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(keys).to_be_visible()
    for words in ("next, previous", "resolve and open the next", "commands and names"):
        expect(keys).to_contain_text(words)
    page.keyboard.press("j")
    expect(page.get_by_text("Choose a conversation")).to_be_visible()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()


def test_switched_off_no_letter_does_anything_but_the_palette_opens(page: Page, demo: Demo) -> None:
    _keys(page, demo, on=False)
    page.goto(f"{demo.url}/inbox/")
    for key in ("j", "?", "g", "s"):
        page.keyboard.press(key)
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.get_by_text("Choose a conversation")).to_be_visible()
    page.keyboard.press("Control+k")
    expect(page.get_by_role("dialog", name="Commands")).to_be_visible()
    page.keyboard.press("Escape")
    _keys(page, demo, on=True)


def test_the_palette_opens_people_and_places_by_keyboard_alone(page: Page) -> None:
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name=re.compile("Search for a command"))
    expect(field).to_be_focused()
    page.keyboard.type("ln")
    option = page.get_by_role("option", name=re.compile("李娜"))
    expect(option).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    _thread(page, "李娜")

    page.keyboard.press("Control+k")
    page.keyboard.type("s")
    expect(page.get_by_role("option", name=re.compile("^Shop A"))).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Control+a")
    page.keyboard.type("settin")
    expect(page.get_by_role("option", name=re.compile("^Settings"))).to_be_visible()
    page.keyboard.press("Enter")
    _arrive(page, "Settings")

    page.keyboard.press("Control+k")
    page.keyboard.type("qqqq")
    expect(page.get_by_text("No results")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_palette_offers_what_a_narrow_head_has_no_room_for(page: Page, demo: Demo) -> None:
    demo.python(
        "from messaging.models import Conversation; Conversation.objects.update(assignee=None)"
    )
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("list", name="Conversations").get_by_role("link").first.click()
    expect(page.get_by_role("button", name="Resolve", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Assign to me")).to_be_hidden()
    page.keyboard.press("Control+k")
    page.keyboard.type("assign")
    expect(page.get_by_role("option", name=re.compile("^Assign to somebody"))).to_be_visible()
    page.get_by_role("option", name=re.compile("^Assign to me")).click()
    expect(page.get_by_role("dialog", name="Commands")).to_be_hidden()
    page.set_viewport_size({"width": 1440, "height": 900})
    expect(page.get_by_role("button", name=re.compile("^Assigned to"))).to_be_visible()


def test_a_key_while_an_input_method_composes_is_the_input_methods(page: Page) -> None:
    pressed = """key => document.body.dispatchEvent(new KeyboardEvent("keydown",
      {key, isComposing: true, bubbles: true, cancelable: true}))"""
    page.evaluate(pressed, "?")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.evaluate(pressed.replace("true,", "false,", 1), "?")
    expect(page.locator("dialog[open]")).to_have_count(1)
