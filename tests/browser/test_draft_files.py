"""Files of a draft in two tabs, on two machines and beside a colleague: one draft, sent once."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import (
    BrowserContext,
    FilePayload,
    Locator,
    Page,
    Route,
    WebSocketRoute,
    expect,
)

from tests.browser.conftest import log_in
from tests.browser.contexts import Take
from tests.browser.demo_process import Demo
from tests.browser.shop import MAKE_AGENTS, bound_shop, open_conversation, write
from tests.browser.test_media import COPY, DROP, _encoded
from tests.messaging.media import samples

pytestmark = pytest.mark.browser

TOM = "Tom Baker"
NEWS = re.compile("/inbox/changes/")
REPLY = re.compile(r"/inbox/\d+/reply/$")
EMPTY_DRAFTS = """
from messaging.models import Draft, Upload
Upload.objects.all().delete()
Draft.objects.all().delete()
"""
CLEAR_OLD = """
from datetime import timedelta
from django.utils import timezone
from messaging.composing import draft_files
draft_files.clear_unneeded(timezone.now() + timedelta(days=31))
"""


@pytest.fixture(scope="module")
def shop(take_for_all: Take, demo: Demo) -> None:
    page = take_for_all().new_page()
    bound_shop(page, demo)
    page.close()
    demo.python(MAKE_AGENTS)


@pytest.fixture
def machines(take: Take, demo: Demo, shop: None) -> list[BrowserContext]:
    """Two machines of Wei's, and Mei's."""
    demo.python(EMPTY_DRAFTS)
    write(demo, TOM, "are you there?")
    return [take() for _ in range(3)]


def _at_work(
    context: BrowserContext,
    demo: Demo,
    name: str = "wei",
    *,
    hears: Callable[[], bool] | None = None,
) -> Page:
    """`hears`: whether the page hears now what the console sends by websocket."""
    page = context.new_page()
    if hears is not None:
        page.route_web_socket(re.compile("/ws/live/"), lambda line: _pass_on(line, hears))
    log_in(page, demo, name, f"pw-{name}")
    open_conversation(page, TOM)
    page.mouse.move(900, 300)
    return page


def _pass_on(line: WebSocketRoute, hears: Callable[[], bool]) -> None:
    console = line.connect_to_server()
    console.on_message(lambda words: line.send(words) if hears() else None)


def _row(page: Page) -> Locator:
    rows = page.get_by_role("list", name="Conversations").get_by_role("listitem")
    return rows.filter(has_text=TOM)


def _box(page: Page) -> Locator:
    return page.get_by_role("textbox", name=f"Reply to {TOM}")


def _tray(page: Page) -> Locator:
    return page.get_by_role("list", name="Files of this reply, in sending order")


def _files(page: Page) -> Locator:
    return _tray(page).get_by_role("listitem")


def _shows(page: Page, *names: str) -> None:
    expect(_tray(page).locator("[data-name]")).to_have_text(list(names))
    expect(_tray(page).locator(".is-here")).to_have_count(len(names))


def _pick(page: Page, *names: str) -> None:
    files: list[FilePayload] = [
        {"name": name, "mimeType": "", "buffer": _content(name)} for name in names
    ]
    page.get_by_label("Add files").set_input_files(files)


def _content(name: str) -> bytes:
    return samples.picture(300, 200) if name.endswith(".png") else name.encode() * 300


def _preview(page: Page, name: str) -> Locator:
    row = _files(page).filter(has_text=name)
    return row.locator(".tray-picture img, .tray-picture canvas:not([hidden])")


def _never_answer(route: Route) -> None:
    """The line takes it, and brings nothing."""


def _ours(page: Page, name: str) -> Locator:
    return page.locator(".message.ours").filter(has_text=name)


def test_a_draft_with_files_is_on_every_machine_of_its_writer_and_on_no_other(
    machines: list[BrowserContext], demo: Demo
) -> None:
    first, second = _at_work(machines[0], demo), _at_work(machines[1], demo)
    mei = _at_work(machines[2], demo, "mei")
    _pick(first, "plan.txt", "photo.png")
    machines[0].grant_permissions(["clipboard-read", "clipboard-write"])
    first.evaluate(COPY, _encoded(samples.picture(300, 200)))
    _box(first).focus()
    first.keyboard.press("Control+v")
    names = ["plan.txt", "photo.png", "image.png"]
    _shows(first, *names)
    _shows(second, *names)  # open there already
    tab = machines[0].new_page()
    tab.goto(first.url)
    second.reload()
    for page in (tab, second):
        _shows(page, *names)
        expect(_files(page).first).to_contain_text("2.3 KB")
        expect(_preview(page, "photo.png")).to_be_visible()
        expect(_preview(page, "plan.txt")).to_have_count(0)
        expect(page.locator("[data-cost]")).to_have_text("this draft uses 3")
    _tray(second).get_by_role("button", name="Send photo.png earlier").click()
    _tray(second).get_by_role("button", name="Remove image.png").click()
    for page in (first, tab, second):
        _shows(page, "photo.png", "plan.txt")
    dropped = [{"name": "more.txt", "type": "", "base64": _encoded(b"more")}]
    tab.locator("#open-conversation").evaluate(DROP, dropped)
    for page in (first, tab, second):
        _shows(page, "photo.png", "plan.txt", "more.txt")
    expect(_tray(mei)).to_be_hidden()
    mei.reload()
    expect(_tray(mei)).to_be_hidden()
    _box(mei).focus()
    expect(_files(mei)).to_have_count(0)


def test_sent_in_one_tab_it_is_gone_in_the_others_and_never_goes_twice(
    machines: list[BrowserContext], demo: Demo
) -> None:
    first, second = _at_work(machines[0], demo), _at_work(machines[1], demo)
    _pick(first, "one.txt", "two.txt")
    _shows(first, "one.txt", "two.txt")
    with first.expect_response("**/draft/"):
        _box(first).fill("both of them")
    tab = machines[0].new_page()
    tab.goto(first.url)
    _shows(tab, "one.txt", "two.txt")
    expect(_box(tab)).to_have_value("both of them")
    _box(tab).press("Enter")
    for page in (first, tab, second):
        expect(_tray(page)).to_be_hidden()
        for name in ("one.txt", "two.txt", "both of them"):
            expect(_ours(page, name)).to_have_count(1)
        expect(_box(page)).to_have_value("")
        expect(page.locator("#composer-problem")).to_be_empty()
    _box(first).press("Enter")  # nothing is left to send
    _pick(first, "three.txt")
    _shows(second, "three.txt")
    _box(second).press("Enter")
    for page in (first, tab, second):
        for name in ("one.txt", "two.txt", "three.txt"):
            expect(_ours(page, name)).to_have_count(1)
        expect(_tray(page)).to_be_hidden()


def test_files_alone_are_a_draft_that_outlives_reload_and_sign_out(
    machines: list[BrowserContext], demo: Demo
) -> None:
    page = _at_work(machines[0], demo)
    _pick(page, "alone.png")
    _shows(page, "alone.png")
    expect(_row(page)).to_contain_text("draft")
    page.reload()
    _shows(page, "alone.png")
    open_conversation(page, TOM)
    machines[0].clear_cookies()
    page.close()
    page = _at_work(machines[0], demo)
    _shows(page, "alone.png")
    pictures = page.locator(".message.ours .media-picture")
    count = pictures.count()
    _box(page).press("Enter")
    expect(pictures).to_have_count(count + 1)
    expect(_row(page).filter(has_text="draft")).to_have_count(0)
    page.reload()
    expect(_tray(page)).to_be_hidden()


def test_a_refused_reply_shows_what_its_draft_still_has(
    machines: list[BrowserContext], demo: Demo
) -> None:
    page, other = _at_work(machines[0], demo), _at_work(machines[1], demo)
    _pick(page, "kept.txt", "gone.txt")
    _shows(page, "kept.txt", "gone.txt")
    _shows(other, "kept.txt", "gone.txt")
    page.route(NEWS, lambda route: route.abort())  # it does not hear of the other
    _tray(other).get_by_role("button", name="Remove gone.txt").click()
    _shows(other, "kept.txt")
    _shows(page, "kept.txt", "gone.txt")
    _box(page).press("Enter")
    expect(page.locator("#composer-problem")).to_contain_text("no longer here")
    page.unroute(NEWS)
    _shows(page, "kept.txt")
    expect(_ours(page, "kept.txt")).to_have_count(0)
    _box(page).press("Enter")
    expect(_ours(page, "kept.txt")).to_have_count(1)
    expect(_tray(other)).to_be_hidden()


def test_an_undone_reply_has_its_files_again_on_every_machine(
    machines: list[BrowserContext], demo: Demo
) -> None:
    demo.python("from sessions_app.models import User; User.objects.update(undo_s=60)")
    page, other = _at_work(machines[0], demo), _at_work(machines[1], demo)
    _pick(page, "undone.txt", "undone.png")
    _shows(page, "undone.txt", "undone.png")
    _box(page).press("Enter")
    expect(_tray(other)).to_be_hidden()
    _pick(page, "since.txt")
    _shows(page, "since.txt")
    page.locator("#undo-bar").get_by_role("button", name="Undo").click()
    for one in (page, other):
        _shows(one, "undone.txt", "undone.png", "since.txt")
    demo.python("from sessions_app.models import User; User.objects.update(undo_s=0)")


def test_what_is_on_its_way_through_a_reload_is_no_draft_any_more(
    machines: list[BrowserContext], demo: Demo
) -> None:
    page = _at_work(machines[0], demo)
    _pick(page, "way.txt", "way.png")
    _shows(page, "way.txt", "way.png")
    page.route(REPLY, _never_answer)
    _box(page).press("Enter")
    expect(_tray(page)).to_be_hidden()
    _pick(page, "next.txt")
    _shows(page, "next.txt")
    page.reload()
    _shows(page, "next.txt")
    page.unroute(REPLY)
    page.reload()
    _shows(page, "next.txt")
    expect(page.locator(".message.ours:not(.is-waiting)").filter(has_text="way.txt")).to_have_count(
        1
    )
    _shows(page, "next.txt")


def test_a_file_that_is_gone_says_so_and_keeps_the_reply_from_going(
    machines: list[BrowserContext], demo: Demo
) -> None:
    page = _at_work(machines[0], demo)
    _pick(page, "old.txt")
    _shows(page, "old.txt")
    demo.python(CLEAR_OLD)
    page.reload()
    expect(_files(page)).to_contain_text("This file is no longer here. Add it again.")
    count = page.locator(".message.ours").count()
    _box(page).fill("with it")
    _box(page).press("Enter")
    expect(page.locator("[data-tray-note]")).not_to_be_empty()
    expect(_box(page)).to_have_value("with it")
    _tray(page).get_by_role("button", name="Remove old.txt").click()
    expect(_tray(page)).to_be_hidden()
    _box(page).press("Enter")
    expect(page.locator(".message.ours")).to_have_count(count + 1)
    expect(page.locator(".message.ours").last).to_contain_text("with it")


def test_a_file_tried_again_is_there_once_and_in_its_place(
    machines: list[BrowserContext], demo: Demo
) -> None:
    is_deaf: list[bool] = []
    page = _at_work(machines[0], demo, hears=lambda: not is_deaf)
    other = _at_work(machines[1], demo)

    def lose(route: Route) -> None:
        """The console has it, and a proxy says something of its own."""
        if b"lost.txt" in (route.request.post_data_buffer or b""):
            route.fetch()
            route.fulfill(status=502, json={"error": {"code": 1}})
        elif b"never.txt" in (route.request.post_data_buffer or b""):
            route.abort()
        else:
            route.continue_()

    is_deaf.append(True)  # else news of lost.txt may come before it is tried again
    page.route(NEWS, lambda route: route.abort())
    page.route("**/inbox/uploads/", lose)
    _pick(page, "a.txt")
    expect(_tray(page).locator(".is-here")).to_have_count(1)  # later answers would name lost.txt
    _pick(page, "lost.txt", "never.txt")
    failed = _tray(page).locator(".is-failed")
    expect(failed).to_have_count(2)
    expect(failed.first).to_contain_text("lost.txt")
    expect(failed.first).not_to_contain_text("object")
    page.unroute("**/inbox/uploads/", lose)
    failed.first.get_by_role("button", name="Try lost.txt again").click()
    expect(_tray(page).locator(".is-here")).to_have_count(2)
    _tray(page).get_by_role("button", name="Send lost.txt later").click()
    expect(_tray(page).locator("[data-name]")).to_have_text(["a.txt", "never.txt", "lost.txt"])
    _shows(other, "a.txt", "lost.txt")
    page.unroute(NEWS)
    is_deaf.clear()
    _pick(other, "more.txt")
    names = ["a.txt", "never.txt", "lost.txt", "more.txt"]
    expect(_tray(page).locator("[data-name]")).to_have_text(names)
    failed.first.get_by_role("button", name="Try never.txt again").click()
    for one in (page, other):
        _shows(one, *names)
