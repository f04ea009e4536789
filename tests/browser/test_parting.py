"""A conversation is moved, or a right ends, while an agent types: what happened, and the text."""

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import log_in
from tests.browser.contexts import Take
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
def shop(take_for_all: Take, demo: Demo) -> None:
    page = take_for_all().new_page()
    bound_shop(page, demo)
    page.close()
    demo.python(MAKE_AGENTS)


@pytest.fixture
def page(context: BrowserContext, demo: Demo, shop: None) -> Page:
    demo.python(MOVE % "Everyone")
    demo.python(ROLE % "agent")
    demo.python("from messaging.models import Draft; Draft.objects.all().delete()")
    write(demo, TOM, "are you there?")
    context.set_default_timeout(15_000)
    one = context.new_page()
    log_in(one, demo, "wei", "pw-wei")
    open_conversation(one, TOM)
    return one


def _box(page: Page) -> Locator:
    """To be filled: what the page of the test before saved in its last moment may stand there."""
    return page.get_by_role("textbox", name=f"Reply to {TOM}")


def _kept(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Your unfinished reply, not sent")


def _back_in_composer(page: Page, words: str) -> None:
    expect(_box(page)).to_have_value(words, timeout=HEARS_WITHIN_MS)


def test_a_conversation_moved_while_typing(page: Page, demo: Demo) -> None:
    _box(page).fill("Your parcel is at")
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


def test_a_conversation_that_a_colleague_transfers_while_one_types(
    page: Page, demo: Demo, take: Take
) -> None:
    """Heard at once, and drawn from the frame itself."""
    demo.python('from sessions_app.models import Team; Team.objects.get_or_create(name="Repairs")')
    colleague = take().new_page()
    log_in(colleague, demo)
    open_conversation(colleague, TOM)
    _box(page).fill("Your parcel is at")
    colleague.get_by_role("button", name="Transfer").first.click()
    colleague.get_by_role("dialog").get_by_role("button", name="Repairs").click()
    panel = page.get_by_role("region", name="You can no longer see this conversation")
    expect(panel).to_contain_text("transferred this conversation to the team Repairs.")
    expect(_kept(page)).to_have_value("Your parcel is at")


def test_on_a_phone_the_reason_and_the_text_are_seen(page: Page, demo: Demo) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    _box(page).fill("from the phone")
    demo.python(MOVE % "Repairs")
    expect(_kept(page)).to_have_value("from the phone", timeout=HEARS_WITHIN_MS)
    expect(_kept(page)).to_be_in_viewport()
    expect(page.locator("[data-parted-reason]")).to_be_in_viewport()


def test_words_that_were_never_saved_are_offered_where_one_may_only_read(
    page: Page, demo: Demo
) -> None:
    page.route("**/draft/", lambda route: route.abort())
    _box(page).fill("never saved")
    demo.python(ROLE % "viewer")
    expect(_kept(page)).to_have_value("never saved", timeout=HEARS_WITHIN_MS)
    demo.python(ROLE % "agent")
    _back_in_composer(page, "never saved")


def test_words_that_were_not_saved_yet_are_offered_too(page: Page, demo: Demo) -> None:
    draft = page.get_by_role("textbox", name=f"Reply to {TOM}")
    draft.fill("first")
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
    _box(page).fill("half a sent")
    demo.python(ROLE % "viewer")
    expect(_kept(page)).to_have_value("half a sent", timeout=HEARS_WITHIN_MS)
    expect(page.get_by_text("Your role is now viewer")).to_be_visible()
    assert page.url == url
    demo.python(ROLE % "agent")
    _back_in_composer(page, "half a sent")


def test_a_right_to_read_that_ends_while_typing(page: Page, demo: Demo) -> None:
    url = page.url
    _box(page).fill("half a sent")
    demo.python(ROLE % "operator")
    expect(_kept(page)).to_have_value("half a sent", timeout=HEARS_WITHIN_MS)
    expect(page.get_by_text("Your role is now operator")).to_be_visible()
    expect(page.get_by_text("are you there?")).to_have_count(0)
    demo.python(ROLE % "agent")
    page.goto(url)
    _back_in_composer(page, "half a sent")
