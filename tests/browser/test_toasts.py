"""What was done is said over the page: it moves nothing, leaves by itself, and can be undone."""

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.demo_process import Demo
from tests.browser.shop import bound_shop, open_conversation, write

pytestmark = pytest.mark.browser

PEOPLE = ("李娜", "Tom Baker", "赵丽")
SHOWN_MS = 6_000
PLACES = """() => [...document.querySelectorAll("#list-scroll, #conversation-rows > li, #composer")]
  .map((one) => [one.id, one.getBoundingClientRect().x, one.getBoundingClientRect().y])
  .filter(([id]) => !window.left?.includes(id))"""
OPEN_ALL = """
from messaging.conversations import work
from messaging.models import Conversation
ids = list(Conversation.objects.values_list("pk", flat=True))
work.reopen(ids=ids, user=None)
work.assign(ids=ids, assignee=None, user=None)
"""


@pytest.fixture
def page(context: BrowserContext, demo: Demo) -> Page:
    return _inbox(context.new_page(), demo)


@pytest.fixture
def timed(own_context: BrowserContext, demo: Demo) -> Page:
    """With a clock that the test moves on."""
    page = own_context.new_page()
    page.clock.install()
    return _inbox(page, demo)


def _inbox(one: Page, demo: Demo) -> Page:
    """The inbox with three open conversations."""
    bound_shop(one, demo)
    demo.python(OPEN_ALL)
    for person in PEOPLE:
        write(demo, person, "hello")
    one.goto(f"{demo.url}/inbox/")
    expect(rows(one)).to_have_count(len(PEOPLE))
    return one


def rows(page: Page) -> Locator:
    return page.locator("#conversation-rows > li")


def row(page: Page, person: str) -> Locator:
    return rows(page).filter(has_text=person)


def toast(page: Page) -> Locator:
    return page.locator("#toasts .toast")


def test_it_moves_nothing_and_leaves_by_itself(timed: Page) -> None:
    page = timed
    open_conversation(page, "李娜")
    before = page.evaluate(PLACES)
    page.get_by_role("button", name="Resolve", exact=True).click()
    expect(page.get_by_role("status")).to_contain_text("1 conversation resolved.")
    expect(row(page, "李娜")).to_contain_text("resolved")
    assert page.evaluate(PLACES) == before
    page.clock.run_for(SHOWN_MS - 1_000)
    expect(toast(page)).to_be_visible()
    page.clock.run_for(1_000)
    expect(toast(page)).to_have_count(0)


def test_it_waits_while_somebody_rests_on_it(timed: Page) -> None:
    page = timed
    open_conversation(page, "李娜")
    page.get_by_role("button", name="Resolve", exact=True).click()
    toast(page).hover()
    page.clock.run_for(2 * SHOWN_MS)
    expect(toast(page)).to_be_visible()
    page.get_by_role("region", name="Messages").hover()
    page.clock.run_for(SHOWN_MS + 100)
    expect(toast(page)).to_have_count(0)
    page.get_by_role("button", name="Reopen").click()
    toast(page).get_by_role("button", name="Undo").focus()
    page.clock.run_for(2 * SHOWN_MS)
    expect(toast(page)).to_contain_text("1 conversation reopened.")
    page.get_by_role("region", name="Messages").focus()
    page.clock.run_for(SHOWN_MS + 100)
    expect(toast(page)).to_have_count(0)


def test_one_key_undoes_what_was_done_last(page: Page, demo: Demo) -> None:
    open_conversation(page, "Tom Baker")
    page.locator("#conversation-scroll").focus()
    page.keyboard.press("m")
    expect(toast(page)).to_contain_text("1 conversation assigned to")
    expect(page.locator("#head-actions")).to_contain_text("admin")
    page.keyboard.press("u")
    expect(toast(page)).to_contain_text("Undone. The conversation is as it was.")
    expect(page.locator("#head-actions")).not_to_contain_text("admin")
    conversation = page.get_by_role("region", name="Conversation with Tom Baker")
    expect(conversation).to_contain_text("admin undid “Assign”")
    expect(page.locator("#conversation-scroll")).to_be_focused()
    expect(toast(page).get_by_role("button", name="Undo")).to_have_count(0)


def test_what_leads_to_the_next_one_is_undone_too(page: Page) -> None:
    """Resolved and gone on by key: said, and taken back by one key more."""
    open_conversation(page, "李娜")
    page.locator("#conversation-scroll").focus()
    page.keyboard.press("Shift+E")
    expect(toast(page)).to_contain_text("1 conversation resolved.")
    expect(row(page, "李娜")).to_contain_text("resolved")
    page.keyboard.press("u")
    expect(toast(page)).to_contain_text("Undone. The conversation is as it was.")
    expect(row(page, "李娜")).not_to_contain_text("resolved")


def test_several_are_undone_at_once_and_what_changed_stays(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/inbox/?view=unassigned")
    page.get_by_role("button", name="Select conversations").click()
    for person in PEOPLE:
        page.get_by_role("checkbox", name=f"Select {person}").check()
    page.locator("#bulk").get_by_role("button", name="Resolve").click()
    expect(toast(page)).to_contain_text("3 conversations resolved.")
    expect(rows(page)).to_have_count(0)
    write(demo, "赵丽", "one more thing")
    expect(rows(page)).to_have_count(1)
    toast(page).get_by_role("button", name="Undo").click()
    expect(toast(page)).to_contain_text("2 of 3 undone; 1 changed meanwhile.")
    expect(rows(page)).to_have_count(3)
    expect(row(page, "赵丽")).to_contain_text("one more thing")


def test_a_dialog_that_acts_says_so_too(page: Page) -> None:
    open_conversation(page, "赵丽")
    page.get_by_role("button", name="Snooze", exact=True).click()
    page.get_by_role("dialog").locator(".choices button").first.click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(toast(page)).to_contain_text("1 conversation snoozed")
    toast(page).get_by_role("button", name="Hide this notice").click()
    expect(toast(page)).to_have_count(0)


def test_it_does_not_lie_over_the_reply_that_waits(page: Page, demo: Demo) -> None:
    demo.python("from sessions_app.models import User; User.objects.update(undo_s=60)")
    open_conversation(page, "Tom Baker")
    page.get_by_role("textbox", name="Reply to Tom Baker").fill("too early")
    page.get_by_role("button", name="Send as Shop A").click()
    bar = page.locator("#undo-bar")
    expect(bar).to_be_visible()
    page.get_by_role("button", name="Assign to me").click()
    expect(toast(page)).to_be_visible()
    for width, height in ((1440, 900), (1024, 768), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        above, below = toast(page).bounding_box(), bar.bounding_box()
        assert above is not None
        assert below is not None
        apart = (
            above["y"] + above["height"] <= below["y"] or above["x"] + above["width"] <= below["x"]
        )
        assert apart, (width, above, below)
    demo.python("from sessions_app.models import User; User.objects.update(undo_s=0)")
