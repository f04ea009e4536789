"""A conversation is moved, or a right ends, while an agent types: what happened, and the text."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.demo_process import Demo
from tests.browser.shop import MAKE_AGENTS, bound_shop, open_conversation, write

pytestmark = pytest.mark.browser

TOM = "Tom Baker"
HEARS_WITHIN_MS = 30_000
MOVE = """
from messaging.conversations import work
from messaging.models import Conversation
from sessions_app.models import Team, User
team, _ = Team.objects.get_or_create(name="%s")
work.transfer(
    ids=list(Conversation.objects.values_list("pk", flat=True)),
    team=team,
    user=User.objects.get(username="admin"),
)
"""
ROLE = """
from django.contrib.auth.models import Group
from sessions_app.models import User
User.objects.get(username="wei").groups.set([Group.objects.get(name="%s")])
"""


@pytest.fixture(scope="module")
def shop(browser: Browser, demo: Demo) -> None:
    context = browser.new_context(locale="en-GB")
    bound_shop(context.new_page(), demo)
    context.close()
    demo.python(MAKE_AGENTS)


@pytest.fixture
def page(browser: Browser, demo: Demo, shop: None) -> Iterator[Page]:
    demo.python(MOVE % "Everyone")
    demo.python(ROLE % "agent")
    demo.python("from messaging.models import Draft; Draft.objects.all().delete()")
    write(demo, TOM, "are you there?")
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    context.set_default_timeout(15_000)
    one = context.new_page()
    one.goto(demo.url)
    one.get_by_label("Username").fill("wei")
    one.get_by_label("Password").fill("pw-wei")
    one.get_by_role("button", name="Log in").click()
    one.wait_for_url("**/inbox/")
    open_conversation(one, TOM)
    yield one
    context.close()


def _box(page: Page) -> Locator:
    return page.get_by_role("textbox", name=f"Reply to {TOM}")


def _kept(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Your unfinished reply, not sent")


def _back_in_composer(page: Page, words: str) -> None:
    expect(_box(page)).to_have_value(words, timeout=HEARS_WITHIN_MS)


def test_a_conversation_moved_while_typing(page: Page, demo: Demo) -> None:
    _box(page).press_sequentially("Your parcel is at")
    demo.python(MOVE % "Repairs")
    panel = page.get_by_role("region", name="You can no longer see this conversation")
    # By another process: the page hears of it with the next heartbeat.
    expect(panel).to_contain_text(
        "transferred this conversation to the team Repairs.", timeout=HEARS_WITHIN_MS
    )
    expect(_kept(page)).to_have_value("Your parcel is at")
    expect(_kept(page)).to_be_focused()
    url = page.url
    page.keyboard.type("je the gate")  # no key turns into an action
    assert page.url == url
    expect(_kept(page)).to_have_value("Your parcel is at")

    page.reload()
    expect(_kept(page)).to_have_value("Your parcel is at")
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "You can no longer see this conversation"
    )
    demo.python(MOVE % "Everyone")
    page.goto(url)
    _back_in_composer(page, "Your parcel is at")


def test_on_a_phone_the_reason_and_the_text_are_seen(page: Page, demo: Demo) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    _box(page).press_sequentially("from the phone")
    demo.python(MOVE % "Repairs")
    expect(_kept(page)).to_have_value("from the phone", timeout=HEARS_WITHIN_MS)
    expect(_kept(page)).to_be_in_viewport()
    expect(page.locator("[data-parted-reason]")).to_be_in_viewport()


def test_words_that_were_never_saved_are_offered_where_one_may_only_read(
    page: Page, demo: Demo
) -> None:
    page.route("**/draft/", lambda route: route.abort())
    _box(page).press_sequentially("never saved")
    demo.python(ROLE % "viewer")
    expect(_kept(page)).to_have_value("never saved", timeout=HEARS_WITHIN_MS)
    demo.python(ROLE % "agent")
    _back_in_composer(page, "never saved")


def test_words_that_were_not_saved_yet_are_offered_too(page: Page, demo: Demo) -> None:
    draft = page.get_by_role("textbox", name=f"Reply to {TOM}")
    draft.press_sequentially("first")
    page.route("**/draft/", lambda route: route.abort())
    draft.press_sequentially(" and last words")
    demo.python(MOVE % "Repairs")
    expect(_kept(page)).to_have_value("first and last words", timeout=HEARS_WITHIN_MS)
    page.unroute("**/draft/")
    demo.python(MOVE % "Everyone")
    page.go_back()
    open_conversation(page, TOM)
    _back_in_composer(page, "first and last words")


def test_a_role_that_ends_while_typing(page: Page, demo: Demo) -> None:
    url = page.url
    _box(page).press_sequentially("half a sent")
    demo.python(ROLE % "viewer")
    expect(_kept(page)).to_have_value("half a sent", timeout=HEARS_WITHIN_MS)
    expect(page.get_by_text("Your role is now viewer")).to_be_visible()
    assert page.url == url
    demo.python(ROLE % "agent")
    _back_in_composer(page, "half a sent")


def test_a_right_to_read_that_ends_while_typing(page: Page, demo: Demo) -> None:
    url = page.url
    _box(page).press_sequentially("half a sent")
    demo.python(ROLE % "operator")
    expect(_kept(page)).to_have_value("half a sent", timeout=HEARS_WITHIN_MS)
    expect(page.get_by_text("Your role is now operator")).to_be_visible()
    expect(page.get_by_text("are you there?")).to_have_count(0)
    demo.python(ROLE % "agent")
    page.goto(url)
    _back_in_composer(page, "half a sent")
