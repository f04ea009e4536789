"""Nothing waits in silence: what was clicked is marked at once, what takes long shows what comes.

The server's answers are held by the test and let go by it; no time is measured.
"""

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, Route, expect

from tests.browser.demo_process import Demo
from tests.browser.shop import bound_shop, open_conversation, write

pytestmark = pytest.mark.browser

PATIENCE_MS = 200
PEOPLE = ("李娜", "Tom Baker", "赵丽")
# What stands at the end of the very task of the click, before the browser draws a frame.
AT_ONCE = """(control) => { control.click(); return control.getAttribute("aria-busy"); }"""
# A plain form's page is on its way: its button is pressed again, and the line has come.
PRESSED_TWICE = """(button) => new Promise((done) => {
  const line = document.getElementById("progress");
  const seen = () => { if (!line.hidden) done(button.getAttribute("aria-busy")); };
  new MutationObserver(seen).observe(line, { attributes: true });
  button.click();
  setTimeout(() => button.click());
})"""
CURRENT = "all => all.filter(one => one.ariaCurrent).map(one => one.dataset.view)"
REACHES = """() => {
  const field = document.querySelector("#composer textarea");
  field?.focus();
  return Boolean(field) && document.activeElement === field;
}"""


class Held:
    """Answers of the server that wait until the test lets them go."""

    def __init__(self, page: Page, address: str) -> None:
        self.routes: list[Route] = []
        self.is_holding = True
        page.route(address, self._take)

    def _take(self, route: Route) -> None:
        if self.is_holding:
            self.routes.append(route)
        else:
            route.continue_()

    def come(self) -> None:
        """From now on as usual."""
        self.is_holding = False
        for route in self.routes:
            route.continue_()

    def fail(self) -> None:
        self.is_holding = False
        for route in self.routes:
            route.abort()


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
    bound_shop(one, demo)
    for person in PEOPLE:
        write(demo, person, "hello")
    one.goto(f"{demo.url}/inbox/")
    expect(one.locator("#conversation-rows > li")).to_have_count(len(PEOPLE))
    return one


def row(page: Page, person: str) -> Locator:
    return page.locator("#conversation-rows > li").filter(has_text=person).locator("> a")


def hold(page: Page, person: str) -> Held:
    address = str(row(page, person).get_attribute("href"))
    return Held(page, f"**{address}")


def line(page: Page) -> Locator:
    return page.get_by_role("progressbar", name="Loading")


def skeleton(page: Page) -> Locator:
    return page.locator(".conversation-skeleton")


def test_a_conversation_is_marked_at_once_and_comes_under_its_own_name(timed: Page) -> None:
    page = timed
    open_conversation(page, "李娜")
    held = hold(page, "Tom Baker")
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))
    assert row(page, "Tom Baker").evaluate(AT_ONCE) == "true"
    expect(row(page, "Tom Baker")).to_have_attribute("aria-current", "page")
    expect(row(page, "李娜")).not_to_have_attribute("aria-current", "page")
    # Before it is there nobody can write to the one that was left.
    assert not page.evaluate(REACHES)
    page.clock.run_for(PATIENCE_MS - 1)
    expect(skeleton(page)).to_have_count(0)
    expect(line(page)).to_be_hidden()
    page.clock.run_for(1)
    expect(skeleton(page)).to_contain_text("Tom Baker")
    expect(line(page)).to_be_visible()
    expect(page.locator("#heard")).to_have_text("Opening the conversation with Tom Baker…")
    page.clock.resume()
    held.come()
    expect(page.get_by_role("region", name="Conversation with Tom Baker")).to_be_visible()
    expect(skeleton(page)).to_have_count(0)
    expect(line(page)).to_be_hidden()
    assert page.evaluate(REACHES)
    expect(row(page, "Tom Baker")).not_to_have_attribute("aria-busy", "true")


def test_news_meanwhile_leave_the_mark_where_it_is(page: Page, demo: Demo) -> None:
    open_conversation(page, "李娜")
    held = hold(page, "Tom Baker")
    row(page, "Tom Baker").click()
    expect(skeleton(page)).to_contain_text("Tom Baker")
    write(demo, "李娜", "are you there?")
    write(demo, "Tom Baker", "are you?")
    expect(row(page, "李娜")).to_contain_text("are you there?")
    expect(row(page, "Tom Baker")).to_contain_text("are you?")
    expect(row(page, "Tom Baker")).to_have_attribute("aria-current", "page")
    expect(row(page, "李娜")).not_to_have_attribute("aria-current", "page")
    assert not page.evaluate(REACHES)
    held.come()
    expect(page.get_by_role("region", name="Conversation with Tom Baker")).to_be_visible()


def test_another_click_meanwhile_is_the_one_that_counts(page: Page) -> None:
    open_conversation(page, "李娜")
    first, second = hold(page, "Tom Baker"), hold(page, "赵丽")
    row(page, "Tom Baker").click()
    expect(skeleton(page)).to_contain_text("Tom Baker")
    row(page, "赵丽").click()
    expect(skeleton(page)).to_contain_text("赵丽")
    expect(page.locator("#conversation-rows a[aria-current]")).to_have_count(1)
    second.come()
    expect(page.get_by_role("region", name="Conversation with 赵丽")).to_be_visible()
    expect(skeleton(page)).to_have_count(0)
    first.fail()
    expect(row(page, "赵丽")).to_have_attribute("aria-current", "page")


def test_what_does_not_come_gives_back_what_was_there(page: Page) -> None:
    open_conversation(page, "李娜")
    page.get_by_role("textbox", name="Reply to 李娜").fill("half a sentence")
    held = hold(page, "Tom Baker")
    row(page, "Tom Baker").evaluate("link => link.click()")
    expect(skeleton(page)).to_contain_text("Tom Baker")
    held.fail()
    expect(skeleton(page)).to_have_count(0)
    expect(line(page)).to_be_hidden()
    expect(row(page, "李娜")).to_have_attribute("aria-current", "page")
    box = page.get_by_role("textbox", name="Reply to 李娜")
    expect(box).to_have_value("half a sentence")
    # It was left: what is typed now was not meant for it.
    expect(box).not_to_be_focused()
    expect(row(page, "Tom Baker")).to_be_focused()


def test_a_view_is_marked_at_once_and_the_old_list_stays(page: Page) -> None:
    held = Held(page, "**/inbox/?view=missed")
    views = page.locator("#rail-views [data-view]")
    view = page.locator("#rail-view-missed")
    assert view.evaluate(AT_ONCE) == "true"
    assert views.evaluate_all(CURRENT) == ["missed"]
    expect(page.locator("#list-pane")).to_have_attribute("aria-busy", "true")
    expect(page.locator("#conversation-rows > li")).to_have_count(len(PEOPLE))
    expect(line(page)).to_be_visible()
    held.fail()
    expect(line(page)).to_be_hidden()
    assert views.evaluate_all(CURRENT) == ["all"]
    view.click()
    expect(page.locator("#conversation-rows > li")).to_have_count(0)
    assert views.evaluate_all(CURRENT) == ["missed"]
    expect(page.locator("[aria-busy]")).to_have_count(0)


def test_orders_and_filters_say_that_they_work(page: Page) -> None:
    held = Held(page, "**/inbox/?sort=closing")
    order = page.locator(".list-sorts a").last
    assert order.evaluate(AT_ONCE) == "true"
    expect(order).to_have_attribute("aria-current", "true")
    expect(line(page)).to_be_visible()
    held.come()
    expect(line(page)).to_be_hidden()
    held = Held(page, "**/inbox/filters/**")
    opener = page.get_by_role("link", name="Filter the list")
    assert opener.evaluate(AT_ONCE) == "true"
    expect(line(page)).to_be_visible()
    held.come()
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(opener).not_to_have_attribute("aria-busy", "true")


def test_a_button_that_works_is_not_pressed_twice_and_keeps_the_focus(page: Page) -> None:
    open_conversation(page, "赵丽")
    held = Held(page, "**/inbox/work/resolve/")
    button = page.get_by_role("button", name="Resolve", exact=True)
    button.focus()
    assert button.evaluate(AT_ONCE) == "true"
    button.click()
    button.press("Enter")
    expect(button).to_be_focused()
    expect(line(page)).to_be_visible()
    assert len(held.routes) == 1
    held.come()
    reopen = page.get_by_role("button", name="Reopen")
    expect(reopen).to_be_visible()
    expect(page.locator("[aria-busy]")).to_have_count(0)
    reopen.click()
    expect(button).to_be_visible()


def test_actions_of_the_board_and_plain_forms_say_so_too(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/sessions/")
    held = Held(page, "**/sessions/-/add/")
    opener = page.locator("main a.primary")
    assert opener.evaluate(AT_ONCE) == "true"
    expect(line(page)).to_be_visible()
    held.come()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.goto(f"{demo.url}/settings/")
    held = Held(page, "**/settings/")
    save = page.locator("main form button[type=submit]").last
    assert save.evaluate(PRESSED_TWICE) == "true"
    assert len(held.routes) == 1
    held.come()
    expect(page.locator("[aria-busy]")).to_have_count(0)


def test_who_wants_no_motion_sees_it_all_the_same(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    held = hold(page, "Tom Baker")
    row(page, "Tom Baker").click()
    expect(skeleton(page)).to_be_visible()
    moving = "one => getComputedStyle(one, '::after').animationName"
    assert line(page).evaluate(moving) == "none"
    held.come()
    expect(page.get_by_role("region", name="Conversation with Tom Baker")).to_be_visible()
