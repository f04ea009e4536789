"""What is refused: the page goes on by itself where it may, says so once where not, and stops."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, FilePayload, Locator, Page, Request, Route, expect

from tests.browser.conftest import log_in, log_in_by_form
from tests.browser.demo_process import Demo
from tests.browser.guard import Guard
from tests.browser.shop import MAKE_AGENTS, bound_shop, open_conversation, write
from tests.browser.until import until
from tests.ports import free_port

pytestmark = pytest.mark.browser

TOM = "Tom Baker"
STATUSES = (400, 403, 404, 410, 413, 422)
NOT_SAVED = re.compile("could not be saved as a draft")
# The module has a hashed name.
FETCH_NEWS = """async () => {
  const loaded = performance.getEntriesByType('resource').map(({name}) => name);
  const {fetchNews} = await import(loaded.find((name) => /\\/live\\/news\\./.test(name)));
  fetchNews();
}"""
SAID = {status: re.compile("A proxy in front of the console refused this") for status in (403, 413)}


@pytest.fixture(scope="module")
def guard(demo: Demo) -> Iterator[Guard]:
    proxy = Guard(target_port=int(demo.url.rsplit(":", 1)[1]), port=free_port())
    proxy.start()
    yield proxy
    proxy.stop()


@pytest.fixture
def through(demo: Demo, guard: Guard) -> Demo:
    guard.let_through()
    return demo.through(guard.url)


@pytest.fixture
def page(context: BrowserContext, demo: Demo, through: Demo) -> Page:
    return _through(context.new_page(), demo, through)


@pytest.fixture
def timed(own_context: BrowserContext, demo: Demo, through: Demo) -> Page:
    """With a clock that the test moves on."""
    page = _through(own_context.new_page(), demo, through)
    page.clock.install()
    return page


def _through(one: Page, demo: Demo, through: Demo) -> Page:
    if not demo.shops:
        bound_shop(one, demo)
    write(demo, TOM, "are you there?")
    log_in(one, through)
    return one


def _box(page: Page) -> Locator:
    return page.get_by_role("textbox", name=f"Reply to {TOM}")


def _sign_in(context: BrowserContext, demo: Demo, name: str, password: str) -> Page:
    """In another tab, with another session; the page's token is stale then."""
    tab = context.new_page()
    context.clear_cookies(name="weilink_session")
    tab.goto(demo.url)
    tab.get_by_label("Username").fill(name)
    tab.get_by_label("Password").fill(password)
    tab.get_by_role("button", name="Log in").click()
    tab.wait_for_url("**/inbox/")
    return tab


def _come_back(page: Page) -> None:
    """To the tab, as somebody who signed in in another one does."""
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.locator("#line-banner")).to_have_text("")


def _pass(page: Page, seconds: int) -> None:
    """Of the page's clock; what it asks meanwhile is answered before the next second."""
    asked: set[Request] = set()

    def began(request: Request) -> None:
        asked.add(request)

    def ended(request: Request) -> None:
        asked.discard(request)

    page.on("request", began)
    page.on("requestfinished", ended)
    page.on("requestfailed", ended)
    for _ in range(seconds):
        page.clock.run_for(1_000)
        until(page, lambda: not asked, "every request answered")
    page.remove_listener("request", began)


def _types_and_saves(page: Page, words: str) -> None:
    def is_saved(response: object) -> bool:
        request = getattr(response, "request", None)
        return bool(
            request and request.url.endswith("/draft/") and getattr(response, "status", 0) == 200
        )

    with page.expect_response(is_saved):
        _box(page).fill(words)


def test_the_same_person_goes_on_as_if_nothing_was(
    context: BrowserContext, page: Page, through: Demo
) -> None:
    open_conversation(page, TOM)
    _box(page).fill("before")
    _sign_in(context, through, through.username, through.password).close()
    _come_back(page)
    _types_and_saves(page, "after the other login")
    expect(page.locator("#line-banner")).to_have_text("")
    _sign_in(context, through, through.username, through.password).close()
    _come_back(page)
    context.clear_cookies(name="weilink_csrf")
    _box(page).press("Enter")
    sent = page.locator("[data-messages] .bubble", has_text="after the other login")
    expect(sent).to_have_count(1, timeout=20_000)  # refused meanwhile, it is sent again later
    expect(_box(page)).to_have_value("")
    # A dialog, a form in it, and a file: each with a token that is stale anew.
    context.clear_cookies(name="weilink_csrf")
    page.get_by_role("button", name="Assign to somebody else").click()
    dialog = page.get_by_role("dialog")
    expect(
        dialog.get_by_role("button", name="Cancel").or_(dialog.get_by_text("Cancel"))
    ).to_be_visible()
    _sign_in(context, through, through.username, through.password).close()
    _come_back(page)
    dialog.get_by_role("button", name="Nobody").click()
    expect(dialog).to_be_hidden()
    context.clear_cookies(name="weilink_csrf")
    page.locator("[data-attach]").set_input_files(
        FilePayload(name="a.txt", mimeType="text/plain", buffer=b"hello")
    )
    expect(page.locator(".tray-file.is-here")).to_have_count(1)


def test_a_token_that_another_answer_made_stale_is_renewed_again(
    context: BrowserContext, page: Page
) -> None:
    """Answers to a browser without the token's cookie set one each; the last one counts."""
    crossed: list[str] = []

    def cross(route: Route) -> None:
        answer = route.fetch()
        headers = {name: words for name, words in answer.headers.items() if name != "set-cookie"}
        if not crossed:
            context.clear_cookies(name="weilink_csrf")
        crossed.append(route.request.url)
        route.fulfill(status=200, headers=headers, body=answer.body())

    open_conversation(page, TOM)
    page.route(f"**{page.locator('body').get_attribute('data-token-url')}", cross)
    context.clear_cookies(name="weilink_csrf")
    _box(page).fill("twice refused, once sent")
    _box(page).press("Enter")
    sent = page.locator("[data-messages] .bubble", has_text="twice refused, once sent")
    expect(sent).to_have_count(1)
    assert len(crossed) >= 2
    page.unroute_all()


def test_another_person_is_said_once_and_nothing_posts_on(
    own_context: BrowserContext, timed: Page, demo: Demo, through: Demo, guard: Guard
) -> None:
    demo.python(MAKE_AGENTS)
    page = timed
    open_conversation(page, TOM)
    tab = _sign_in(own_context, through, "mei", "pw-mei")
    tab.close()
    _box(page).fill("mine, not Mei's")
    banner = page.locator("#line-banner")
    expect(banner).to_contain_text("Somebody else is signed in in this browser now.")
    expect(banner).to_contain_text("Reload; your text is kept.")
    _pass(page, 3)
    guard.posts.clear()
    _pass(page, 90)
    assert guard.posts == []
    _box(page).press("Enter")
    expect(_box(page)).to_have_value("mine, not Mei's")
    assert guard.count("/reply/") <= 1
    # Reloaded it is Mei's page, without the text; who wrote it finds it again in this tab.
    banner.get_by_role("link", name="Reload").click()
    expect(page.locator("body")).to_have_attribute("data-user", re.compile(r"\d"))
    expect(page.locator("[data-composer] textarea")).to_have_value("")
    page.goto(f"{through.url}/readyz")
    own_context.clear_cookies()
    log_in_by_form(page, through, through.username, through.password)
    open_conversation(page, TOM)
    expect(_box(page)).to_have_value("mine, not Mei's")
    _box(page).fill("")


def test_nothing_of_another_person_is_drawn(
    context: BrowserContext, page: Page, demo: Demo, through: Demo
) -> None:
    demo.python(MAKE_AGENTS)
    open_conversation(page, TOM)
    _sign_in(context, through, "mei", "pw-mei").close()
    page.evaluate("document.addEventListener('console:drawn', () => { document.title = 'drawn' })")
    with page.expect_response("**/inbox/changes/**"):
        page.evaluate(FETCH_NEWS)
    expect(page.locator("#line-banner")).to_contain_text(re.compile("signed (in|out)"))
    expect(page).not_to_have_title("drawn")


def test_a_token_that_is_refused_whatever_it_is_is_not_renewed_for_ever(timed: Page) -> None:
    """A proxy that changes the origin, for one: a new token helps nothing."""
    posts: list[str] = []

    def refuse(route: Route) -> None:
        posts.append(route.request.url)
        route.fulfill(status=403, headers={"WeiLink-Refusal": "token"}, body="refused")

    page = timed
    open_conversation(page, TOM)
    for path in ("draft", "here"):
        page.route(f"**/{path}/", refuse)
    _box(page).fill("cannot be saved")
    _pass(page, 120)
    assert 2 <= len(posts) <= 20, posts
    page.unroute_all()
    _box(page).fill("")


def test_signed_out_is_said_and_ends_when_the_same_person_is_back(
    own_context: BrowserContext, timed: Page, through: Demo, guard: Guard
) -> None:
    page = timed
    open_conversation(page, TOM)
    own_context.clear_cookies(name=re.compile("weilink_(session|csrf)"))
    _box(page).fill("kept in this tab")
    banner = page.locator("#line-banner")
    expect(banner).to_contain_text("You are signed out. Your text is kept in this tab.")
    _pass(page, 3)
    guard.posts.clear()
    _pass(page, 90)
    assert guard.posts == []
    tab = _sign_in(own_context, through, through.username, through.password)
    tab.close()
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(banner).to_have_text("")
    _pass(page, 2)
    expect(_box(page)).to_have_value("kept in this tab")
    _types_and_saves(page, "")


def test_what_is_final_is_not_tried_again(timed: Page, guard: Guard) -> None:
    page = timed
    open_conversation(page, TOM)
    _pass(page, 1)
    problem = page.locator("#composer-problem")
    for status in STATUSES:
        guard.refuse("/draft/", status)
        for words in (f"refused with {status}", f"refused with {status} again"):
            guard.posts.clear()
            _box(page).fill(words)
            _pass(page, 15)
            assert guard.count("/draft/") == 1, status
            expect(problem).to_have_text(SAID.get(status, NOT_SAVED))
        guard.let_through()
        _box(page).fill("shorter")
        _pass(page, 2)
        expect(problem).to_have_text("")
        _box(page).fill("")
        _pass(page, 2)


@pytest.mark.parametrize("status", [403, 413])
def test_beats_end_where_the_page_may_not_say_them(timed: Page, guard: Guard, status: int) -> None:
    page = timed
    open_conversation(page, TOM)
    _pass(page, 1)
    guard.refuse("/here/", status)
    guard.posts.clear()
    _box(page).fill("who hears of it?")
    _pass(page, 45)
    assert 1 <= guard.count("/here/") <= 2  # the second was on its way before the first answer


@pytest.mark.parametrize("status", [429, 503])
def test_what_may_work_later_is_tried_ever_more_rarely(
    timed: Page, guard: Guard, status: int
) -> None:
    page = timed
    open_conversation(page, TOM)
    guard.refuse("/draft/", status)
    guard.posts.clear()
    _box(page).fill(f"later, after {status}")
    _pass(page, 60)
    # Every 3 seconds it would be 20; a line that comes back, as on this clock, may try once more.
    assert 2 <= guard.count("/draft/") <= 10
    guard.let_through()
    _pass(page, 50)
    page.reload()
    expect(_box(page)).to_have_value(f"later, after {status}")
    _box(page).fill("")


def test_a_proxys_limit_is_named_as_such(page: Page, guard: Guard) -> None:
    open_conversation(page, TOM)
    guard.refuse("/uploads/", 413)
    page.locator("[data-attach]").set_input_files(
        FilePayload(name="a.txt", mimeType="text/plain", buffer=b"hello" * 9_000)
    )
    row = page.locator(".tray-file").last  # the draft has one of another test
    expect(row).to_contain_text("A proxy in front of the console refused this upload as too large")
    expect(row.get_by_role("button", name="Try a.txt again")).to_be_hidden()
    row.get_by_role("button", name="Remove a.txt").click()
    guard.refuse("/reply/", 413)
    _box(page).fill("too long for it")
    _box(page).press("Enter")
    expect(page.get_by_role("alert").filter(has_text="A proxy in front")).to_be_visible()
    expect(_box(page)).to_have_value("too long for it")
    guard.let_through()
    _box(page).press("Enter")
    expect(page.locator("[data-messages] .bubble", has_text="too long for it")).to_have_count(1)
