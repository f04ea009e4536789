"""The composer takes every letter: what is sent leaves at once, and comes back if refused."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.browser.demo_process import Demo
from tests.browser.shop import bound_shop, open_conversation, write
from tests.browser.until import until

pytestmark = pytest.mark.browser

TOM = "Tom Baker"
LINA = "李娜"
REPLY = re.compile(r"/inbox/\d+/reply/$")


@pytest.fixture
def page(context: BrowserContext, demo: Demo) -> Page:
    page = context.new_page()
    bound_shop(page, demo)
    for person in (LINA, TOM):
        write(demo, person, "are you there?")
        rows = page.locator("#conversation-rows > li")
        expect(rows.filter(has_text=person)).to_have_count(1)
    open_conversation(page, TOM)
    expect(_box(page)).to_be_focused()
    page.mouse.move(900, 300)
    return page


def _box(page: Page, person: str = TOM) -> Locator:
    return page.get_by_role("textbox", name=f"Reply to {person}")


def _clear(page: Page) -> None:
    """The draft is empty on the server too, before another test begins."""
    _box(page).fill("")
    until(page, lambda: 'autocomplete="off"></textarea>' in page.request.get(page.url).text())


def _ours(page: Page, text: str) -> Locator:
    exact = page.get_by_text(text, exact=True)
    return page.locator(".message.ours").filter(has=exact)


def _sent(demo: Demo, *texts: str) -> list[str]:
    return [one["text"] for one in demo.read("sends") if one["text"] in texts]


@contextmanager
def _slow(page: Page) -> Iterator[list[Route]]:
    """Posts of replies wait on their way, until the test lets them go on."""
    held: list[Route] = []
    page.route(REPLY, lambda route: held.append(route))
    yield held
    page.unroute(REPLY)


def test_the_field_is_empty_at_once_and_the_next_message_follows_in_order(
    page: Page, demo: Demo
) -> None:
    with _slow(page) as held:
        page.keyboard.type("first of two")
        page.keyboard.press("Enter")
        page.keyboard.type("second of two")
        page.keyboard.press("Enter")
        page.keyboard.type("and so on")
        expect(_box(page)).to_have_value("and so on")
        expect(_box(page)).to_be_editable()
        for text in ("first of two", "second of two"):
            expect(_ours(page, text)).to_contain_text("sending…")
        until(page, lambda: len(held) == 1)  # the second waits for the first
        held[0].continue_()
        until(page, lambda: len(held) == 2)
        held[1].continue_()
    for text in ("first of two", "second of two"):
        expect(_ours(page, text)).to_contain_text("accepted by WeChat")
        expect(_ours(page, text)).to_have_count(1)
    assert _sent(demo, "first of two", "second of two") == ["first of two", "second of two"]
    expect(_box(page)).to_have_value("and so on")
    with page.expect_response("**/draft/"):
        page.keyboard.type(", saved")
    page.reload()
    expect(_box(page)).to_have_value("and so on, saved")
    _clear(page)


@pytest.mark.parametrize("trouble", ["offline", "500", "403"])
def test_what_is_refused_comes_back_before_what_was_typed_since(
    page: Page, demo: Demo, context: BrowserContext, trouble: str
) -> None:
    first, second = f"refused by {trouble}", f"in line behind {trouble}"
    with _slow(page) as held:
        page.keyboard.type(first)
        page.keyboard.press("Enter")
        page.keyboard.type(second)
        page.keyboard.press("Enter")
        page.keyboard.type("typed since")
        until(page, lambda: len(held) == 1)
        if trouble == "offline":
            held[0].abort("internetdisconnected")
        else:
            held[0].fulfill(status=int(trouble), body="no")
        expect(_box(page)).to_have_value(f"{first}\n{second}\ntyped since")
        page.keyboard.type(" and on")
    expect(_box(page)).to_be_focused()
    expect(_box(page)).to_have_value(f"{first}\n{second}\ntyped since and on")
    expect(page.locator(".sendings > li")).to_have_count(0)
    expect(page.locator("#composer-problem")).not_to_be_empty()
    assert _sent(demo, first, second) == []
    page.keyboard.press("Enter")
    whole = f"{first}\n{second}\ntyped since and on"
    until(page, lambda: _sent(demo, whole) == [whole])
    expect(_box(page)).to_have_value("")


def test_what_the_server_refuses_comes_back_with_its_words_and_its_ways_out(
    page: Page, demo: Demo
) -> None:
    long = "长" * 6_000
    _box(page).fill(long)
    page.keyboard.press("Enter")
    expect(page.locator("#composer-problem")).to_contain_text("16,384")
    expect(_box(page)).to_have_value(long)
    expect(_box(page)).to_be_focused()
    _clear(page)


def test_a_lost_answer_is_no_second_message(page: Page, demo: Demo) -> None:
    """The console took it and its answer never came: the message itself says so."""

    def lose(route: Route) -> None:
        route.fetch()
        route.abort("connectionreset")

    page.route(REPLY, lose)
    page.keyboard.type("answered into the void")
    page.keyboard.press("Enter")
    expect(_ours(page, "answered into the void")).to_contain_text("accepted by WeChat")
    expect(_box(page)).to_have_value("")
    page.unroute(REPLY)
    page.keyboard.type("and the next one")
    page.keyboard.press("Enter")
    expect(_ours(page, "and the next one")).to_contain_text("accepted by WeChat")
    texts = ("answered into the void", "and the next one")
    assert _sent(demo, *texts) == list(texts)


@pytest.mark.parametrize("reached", [False, True], ids=["before", "after"])
def test_a_reload_in_the_middle_neither_loses_nor_doubles(
    page: Page, demo: Demo, reached: bool
) -> None:
    """Loaded anew before, or after, the console had it; a second one stands in line."""
    texts = (f"reloaded {reached} one", f"reloaded {reached} two")
    with _slow(page) as held:
        for text in texts:
            page.keyboard.type(text)
            page.keyboard.press("Enter")
        page.keyboard.type(f"half {reached}")
        until(page, lambda: len(held) == 1)
        if reached:
            held[0].fetch()
    page.reload()
    for text in texts:
        expect(_ours(page, text)).to_contain_text("accepted by WeChat")
        expect(_ours(page, text)).to_have_count(1)
    assert _sent(demo, *texts) == list(texts)
    expect(_box(page)).to_have_value(f"half {reached}")
    _clear(page)


def test_a_tab_that_closes_in_the_middle_sends_all_the_same(page: Page, demo: Demo) -> None:
    page.keyboard.type("last words of a tab")
    with page.expect_request(REPLY):
        page.keyboard.press("Enter")
    other = page.context.new_page()
    page.close(run_before_unload=True)
    until(other, lambda: len(_sent(demo, "last words of a tab")) == 1)
    other.goto(f"{demo.url}/inbox/")
    open_conversation(other, TOM)
    expect(_ours(other, "last words of a tab")).to_have_count(1)
    expect(_box(other)).to_have_value("")


def test_refused_while_another_conversation_is_open_it_waits_in_its_own_draft(
    page: Page, demo: Demo
) -> None:
    with _slow(page) as held:
        page.keyboard.type("for Tom alone")
        page.keyboard.press("Enter")
        until(page, lambda: len(held) == 1)
        open_conversation(page, LINA)
        expect(_box(page, LINA)).to_be_focused()
        page.keyboard.type("for Lina")
        held[0].fulfill(status=500, body="no")
        expect(page.locator("#toasts")).to_contain_text(f"Your text to {TOM}")
        expect(_box(page, LINA)).to_have_value("for Lina")
        expect(_box(page, LINA)).to_be_focused()
    _box(page, LINA).fill("")
    open_conversation(page, TOM)
    expect(_box(page)).to_have_value("for Tom alone")
    assert _sent(demo, "for Tom alone") == []
    _clear(page)


def test_a_note_and_a_reply_go_without_a_websocket(context: BrowserContext, demo: Demo) -> None:
    page = context.new_page()
    page.route_web_socket(re.compile("/ws/"), lambda socket: socket.close())
    bound_shop(page, demo)
    open_conversation(page, LINA)
    expect(_box(page, LINA)).to_be_focused()
    page.keyboard.type("without a line")
    page.keyboard.press("Enter")
    expect(_ours(page, "without a line")).to_have_count(1)
    expect(page.locator(".sendings > li")).to_have_count(0)
    page.get_by_text("Note", exact=True).first.click()
    page.keyboard.type("a note without a line")
    page.keyboard.press("Enter")
    notes = page.locator(".message.note").filter(has_text="a note without a line")
    expect(notes).to_have_count(1)
    expect(page.locator(".sendings > li")).to_have_count(0)
    assert _sent(demo, "a note without a line") == []


def test_files_leave_with_their_text_and_come_back_with_it(page: Page, demo: Demo) -> None:
    open_conversation(page, LINA)  # to Tom went as many as WeChat's pace allows
    tray = page.get_by_role("list", name="Files of this reply, in sending order")
    files = [{"name": "plan.txt", "mimeType": "text/plain", "buffer": b"a plan"}]
    page.get_by_label("Add files").set_input_files(files)  # type: ignore[arg-type]
    expect(tray.get_by_role("listitem")).to_contain_text("plan.txt")
    with _slow(page) as held:
        _box(page, LINA).fill("with a plan")
        page.keyboard.press("Enter")
        expect(tray).to_be_hidden()
        expect(page.locator(".sendings > li")).to_contain_text("plan.txt")
        until(page, lambda: len(held) == 1)
        held[0].fulfill(status=500, body="no")
        expect(tray.get_by_role("listitem")).to_contain_text("plan.txt")
        expect(_box(page, LINA)).to_have_value("with a plan")
    page.keyboard.press("Enter")
    expect(_ours(page, "with a plan")).to_contain_text("accepted by WeChat")
    expect(page.locator(".message.ours").filter(has_text="plan.txt")).to_have_count(1)
    expect(tray).to_be_hidden()
