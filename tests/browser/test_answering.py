"""Two accounts, one customer: before a send the agent reads which account it goes from."""

import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import log_in
from tests.browser.contexts import Take
from tests.browser.demo_process import Demo
from tests.browser.shop import bound_shop, open_conversation

pytestmark = pytest.mark.browser

TOM, LINA = "Tom Baker", "李娜"
PUT_AWAY = "OK"


@pytest.fixture(scope="module")
def shops(take_for_all: Take, demo: Demo) -> dict[str, str]:
    """Shop A and Shop B with the ids of their bots."""
    page = take_for_all().new_page()
    bound_shop(page, demo, "Shop A", "Lin")
    bound_shop(page, demo, "Shop B", "Guo")
    page.close()
    first, second = (bot["bot_id"] for bot in demo.read("bots"))
    return {"Shop A": first, "Shop B": second}


def _person(demo: Demo, name: str) -> str:
    people: dict[str, str] = {one["name"]: one["user_id"] for one in demo.read("state")["people"]}
    return people[name]


def _write(demo: Demo, bot_id: str, person: str, text: str) -> None:
    demo.control("write", bot_id=bot_id, person_id=_person(demo, person), text=text)


def _sent(demo: Demo, bot_id: str, person: str) -> list[str]:
    """What the phone shows from that account."""
    chat = demo.read(f"chat?bot_id={bot_id}&person_id={_person(demo, person)}")
    return [one["text"] for one in chat["bubbles"] if one["from_bot"]]


def _at(page: Page, demo: Demo, shops: dict[str, str], person: str) -> Locator:
    """In the conversation of somebody who wrote to Shop A and then to Shop B."""
    _write(demo, shops["Shop A"], person, "hello A")
    log_in(page, demo)
    open_conversation(page, person)
    expect(page.locator("#open-conversation")).to_contain_text("hello A")
    _write(demo, shops["Shop B"], person, "hello B")
    expect(page.locator("#open-conversation")).to_contain_text("hello B")
    expect(page.get_by_role("button", name="Send as Shop B")).to_be_visible()
    if _notice(page).is_visible():
        page.get_by_role("button", name=PUT_AWAY, exact=True).click()
    return page.get_by_role("textbox", name=f"Reply to {person}")


def _notice(page: Page) -> Locator:
    return page.locator("[data-account-notice]")


def _saves(page: Page) -> Any:
    return page.expect_response(lambda answer: answer.url.endswith("/draft/") and answer.ok)


def test_a_newer_message_elsewhere_is_said_live_after_a_reload_and_in_another_tab(
    context: BrowserContext, demo: Demo, shops: dict[str, str]
) -> None:
    page = context.new_page()
    box = _at(page, demo, shops, TOM)
    with _saves(page):
        box.press_sequentially("for B")
    _write(demo, shops["Shop A"], TOM, "and A again")
    said = re.compile(r"Tom Baker wrote to Shop A at \d\d:\d\d; this will be sent from Shop A")
    expect(_notice(page)).to_have_text(re.compile(said.pattern + r"\s*OK"))
    expect(page.get_by_role("button", name="Send as Shop A")).to_be_visible()
    expect(box).to_be_focused()
    expect(box).to_have_value("for B")

    page.reload()
    expect(_notice(page)).to_contain_text(said)
    other = context.new_page()
    other.goto(page.url)
    expect(_notice(other)).to_contain_text(said)
    other.get_by_role("button", name=PUT_AWAY, exact=True).click()
    expect(_notice(other)).to_be_hidden()
    expect(_notice(page)).to_be_hidden()
    page.reload()
    expect(page.get_by_role("button", name="Send as Shop A")).to_be_visible()
    expect(_notice(page)).to_be_hidden()

    _write(demo, shops["Shop B"], TOM, "now B")
    expect(_notice(page)).to_contain_text("this will be sent from Shop B")
    page.get_by_role("button", name="Send as Shop B").click()
    expect(box).to_have_value("")
    expect(_notice(page)).to_be_hidden()
    demo.python(SENT.replace("TEXT", "for B"))
    assert _sent(demo, shops["Shop B"], TOM) == ["for B"]


def test_what_was_seen_without_a_draft_is_remembered_by_the_tab(
    context: BrowserContext, demo: Demo, shops: dict[str, str]
) -> None:
    page = context.new_page()
    _at(page, demo, shops, TOM)
    _write(demo, shops["Shop A"], TOM, "back at A")
    expect(_notice(page)).to_contain_text("this will be sent from Shop A")
    page.reload()
    expect(_notice(page)).to_contain_text("this will be sent from Shop A")
    _write(demo, shops["Shop B"], TOM, "and B once more")
    expect(page.get_by_role("button", name="Send as Shop B")).to_be_visible()
    expect(_notice(page)).to_be_hidden()


def test_a_send_that_the_page_did_not_know_better_than_asks_first(
    context: BrowserContext, demo: Demo, shops: dict[str, str]
) -> None:
    page = context.new_page()
    box = _at(page, demo, shops, LINA)
    box.fill("meant for B")
    page.route("**/inbox/changes/**", lambda route: route.abort())
    _write(demo, shops["Shop A"], LINA, "unseen")
    demo.python(ARRIVED.replace("TEXT", "unseen"))
    box.press("Enter")
    asked = page.locator("#composer-problem")
    expect(asked).to_contain_text("This would now be sent from Shop A.")
    expect(box).to_have_value("meant for B")
    assert _sent(demo, shops["Shop A"], LINA) == []
    asked.get_by_role("button", name="Send as Shop A").click()
    expect(box).to_have_value("")
    expect(page.locator("#open-conversation")).to_contain_text("meant for B")
    page.unroute("**/inbox/changes/**")
    demo.python(SENT.replace("TEXT", "meant for B"))
    assert _sent(demo, shops["Shop A"], LINA) == ["meant for B"]


def test_an_account_that_is_signed_out_is_said_before_the_next_send(
    context: BrowserContext, demo: Demo, shops: dict[str, str]
) -> None:
    page = context.new_page()
    box = _at(page, demo, shops, "王师傅")
    box.press_sequentially("half a sen")
    demo.control("end_bot", bot_id=shops["Shop B"])
    expect(_notice(page)).to_contain_text("Shop B is signed out; this will be sent from Shop A")
    expect(page.get_by_role("button", name="Send as Shop A")).to_have_count(1)
    box.press_sequentially("tence")
    box.press("Enter")
    expect(box).to_have_value("")
    expect(_notice(page)).to_be_hidden()
    demo.python(SENT.replace("TEXT", "half a sentence"))
    assert _sent(demo, shops["Shop A"], "王师傅") == ["half a sentence"]


WAIT = """
import time
from messaging.models import Message
for _ in range(200):
    if Message.objects.filter(text="TEXT", status="STATUS").exists():
        break
    time.sleep(0.05)
else:
    raise SystemExit("not within 10 s: TEXT")
"""
ARRIVED = WAIT.replace("STATUS", "received")
SENT = WAIT.replace("STATUS", "sent")
