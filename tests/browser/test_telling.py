"""How a reader is told: title, mark on the icon, one sound, one notification, by their choice."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.contexts import Take
from tests.browser.demo_process import Demo
from tests.browser.shop import ASSIGN, FREE_ALL, MAKE_AGENTS, bound_shop, open_conversation, write

pytestmark = pytest.mark.browser

# What a page would sound and show, counted. Two tones are one sound.
RECORDER = """
window.told = {tones: 0, notices: []};
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (...when) {
  window.told.tones += 1;
  start.apply(this, when);
};
window.Notification = class extends EventTarget {
  static permission = "granted";
  constructor(title, options) { super(); window.told.notices.push(`${title}: ${options.body}`); }
  close() {}
};
"""


@pytest.fixture
def context(take: Take) -> BrowserContext:
    return take(script=RECORDER)


def _choose(page: Page, demo: Demo, **wanted: str) -> None:
    page.goto(f"{demo.url}/account/")
    for label, value in wanted.items():
        page.get_by_label(label.replace("_", " "), exact=True).select_option(value)
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved.")).to_be_visible()


def _sounds(*pages: Page) -> int:
    return int(sum(page.evaluate("told.tones") for page in pages)) // 2


def _notices(*pages: Page) -> list[str]:
    return [words for page in pages for words in page.evaluate("told.notices")]


def _heard(*pages: Page) -> None:
    """Until each tab has decided about what it heard: claims are given in the order asked."""
    for page in pages:
        page.evaluate("""async () => {
          for (const name of ["weilink-sound", "weilink-notified", "weilink-sound"]) {
            await navigator.locks.query();
            await navigator.locks.request(name, () => {});
          }
        }""")


def _waiting(page: Page) -> int:
    return int((re.match(r"\((\d+)\) ", page.title()) or [0, 0])[1])


def _wait_for(count: int, *pages: Page) -> None:
    for page in pages:
        expect(page).to_have_title(re.compile(rf"^\({count}\) "))


def _tab(context: BrowserContext, address: str) -> Page:
    """Another tab, in which the reader has done something, so that it may sound."""
    page = context.new_page()
    page.goto(address)
    page.get_by_role("main").click(position={"x": 4, "y": 4})
    return page


def test_title_and_icon_say_on_every_page_that_somebody_waits(
    context: BrowserContext, demo: Demo
) -> None:
    page = context.new_page()
    bound_shop(page, demo)
    page.goto(f"{demo.url}/settings/")
    expect(page).to_have_title("Settings · WeiLink")
    icon = page.locator("link[rel=icon]")
    assert "marked" not in str(icon.get_attribute("href"))
    write(demo, "Tom Baker", "hello")
    expect(page).to_have_title("(1) Settings · WeiLink")
    expect(icon).to_have_attribute("href", re.compile("favicon-marked"))
    page.goto(f"{demo.url}/inbox/")
    open_conversation(page, "Tom Baker")
    expect(page).to_have_title("(1) Tom Baker · Shop A · WeiLink")
    page.get_by_role("textbox", name="Reply to Tom Baker").fill("hello, what can we do?")
    page.get_by_role("button", name="Send as Shop A").click()
    expect(page).to_have_title("Tom Baker · Shop A · WeiLink")
    expect(icon).to_have_attribute("href", re.compile(r"favicon\."))


def test_several_tabs_make_one_sound_and_one_notification(
    context: BrowserContext, demo: Demo
) -> None:
    first = context.new_page()
    bound_shop(first, demo)
    _choose(first, demo, Sound_of_new_messages="all", Desktop_notifications="all")
    others = [_tab(context, f"{demo.url}/{path}/") for path in ("settings", "sessions", "account")]
    pages = [first, *others]
    before = _waiting(pages[0])
    write(demo, "李娜", "在吗？")
    _wait_for(before + 1, *pages)
    _heard(*pages)
    assert _sounds(*pages) == 1
    assert _notices(*pages) == ["李娜 · Shop A: 在吗？"]


def test_the_conversation_in_view_is_silent_in_every_tab(
    context: BrowserContext, demo: Demo
) -> None:
    first = context.new_page()
    bound_shop(first, demo)
    write(demo, "Tom Baker", "hello")
    _choose(first, demo, Sound_of_new_messages="all", Desktop_notifications="all")
    other = _tab(context, f"{demo.url}/settings/")
    first.goto(f"{demo.url}/inbox/")
    open_conversation(first, "Tom Baker")
    write(demo, "Tom Baker", "and this, in view")
    expect(first.locator(".bubble", has_text="and this, in view")).to_be_visible()
    expect(first.locator("#heard")).to_have_text("Tom Baker: and this, in view")
    before = _waiting(first)
    write(demo, "王师傅", "elsewhere")
    _wait_for(before + 1, first, other)
    _heard(first, other)
    assert _notices(first, other) == ["王师傅 · Shop A: elsewhere"]
    assert _sounds(first, other) == 1


def test_who_wants_none_is_left_in_peace_and_mine_are_mine_alone(
    context: BrowserContext, demo: Demo
) -> None:
    page = context.new_page()
    bound_shop(page, demo)
    _choose(page, demo, Sound_of_new_messages="none", Desktop_notifications="mine")
    page.goto(f"{demo.url}/inbox/")
    write(demo, "Anna 安娜", "nobody has this one")
    expect(page.get_by_role("list", name="Conversations")).to_contain_text("nobody has this one")
    _heard(page)
    assert (_sounds(page), _notices(page)) == (0, [])


def test_mine_sound_and_a_colleagues_do_not(context: BrowserContext, demo: Demo) -> None:
    page = context.new_page()
    bound_shop(page, demo)
    _choose(page, demo, Sound_of_new_messages="mine", Desktop_notifications="mine")
    for person in ("Tom Baker", "李娜"):
        write(demo, person, "hello")
    demo.python(MAKE_AGENTS + ASSIGN % "wei")
    page.goto(f"{demo.url}/inbox/")
    open_conversation(page, "Tom Baker")
    page.get_by_role("button", name="Assign to me").first.click()
    expect(page.get_by_text("took this conversation")).to_be_visible()
    other = _tab(context, f"{demo.url}/inbox/?view=all")
    page.close()
    rows = other.get_by_role("list", name="Conversations")
    write(demo, "李娜", "for Wei")
    expect(rows).to_contain_text("for Wei")
    _heard(other)
    assert (_sounds(other), _notices(other)) == (0, [])
    write(demo, "Tom Baker", "for you")
    expect(rows).to_contain_text("for you")
    _heard(other)
    assert _sounds(other) == 1
    assert _notices(other) == ["Tom Baker · Shop A: for you"]
    demo.python(FREE_ALL)


def test_the_volume_can_be_tried_and_the_browsers_permission_is_said(
    context: BrowserContext, demo: Demo
) -> None:
    page = context.new_page()
    bound_shop(page, demo)
    page.goto(f"{demo.url}/account/")
    expect(page.get_by_text("This browser shows notifications.")).to_be_visible()
    expect(page.get_by_role("button", name="Allow notifications")).to_be_hidden()
    page.get_by_label("Volume").fill("0")
    page.get_by_role("button", name="Try it").click()
    assert _sounds(page) == 0
    page.get_by_label("Volume").fill("40")
    page.get_by_role("button", name="Try it").click()
    assert _sounds(page) == 1


def test_one_line_of_a_page_speaks_and_the_thread_does_not(
    context: BrowserContext, demo: Demo
) -> None:
    page = context.new_page()
    bound_shop(page, demo)
    write(demo, "Tom Baker", "hello")
    page.goto(f"{demo.url}/inbox/")
    open_conversation(page, "Tom Baker")
    conversation = page.url.removeprefix(demo.url).strip("/")
    polite = "[aria-live=polite], [role=status], [role=log], output"
    for path in ("inbox", conversation, "sessions", "settings", "account", "sessions/Shop A"):
        page.goto(f"{demo.url}/{path}/")
        # A closed dialog says nothing; an open one has a region of its own, as what was done has.
        shown = "found => found.filter(one => one.checkVisibility()).map(one => one.id)"
        assert page.locator(polite).evaluate_all(shown) == ["toasts", "heard"]
