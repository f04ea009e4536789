"""The line between page and console breaks: the page says so, and afterwards nothing is missed,
nothing stands twice."""

import re
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import log_in
from tests.browser.contexts import Take
from tests.browser.demo_process import Demo
from tests.browser.line import Line
from tests.browser.until import until
from tests.ports import free_port

pytestmark = pytest.mark.browser

TOM = "o9cq80demoTom000000000000000@im.wechat"


@pytest.fixture
def line(demo: Demo) -> Iterator[Line]:
    """A TCP proxy before the demo, whose connections a test can cut or stall."""
    proxy = Line(target_port=int(demo.url.rsplit(":", 1)[1]), port=free_port())
    proxy.start()
    yield proxy
    proxy.stop()


def _open_conversation(
    context: BrowserContext, demo: Demo, line: Line
) -> tuple[Page, dict[str, str]]:
    page = context.new_page()
    demo.control("switches", scripts_on=False)
    bots = [bot for bot in demo.read("bots") if bot["alive"]]
    if not bots:
        log_in(page, demo)
        page.goto(f"{demo.url}/sessions/")
        page.get_by_role("link", name="Add account").first.click()
        page.get_by_role("dialog").get_by_label("Name").fill("Shop A")
        page.get_by_role("dialog").get_by_label("Name").press("Enter")
        page.wait_for_selector("dialog .qr-frame svg")
        handle = demo.read("state")["logins"][-1]["handle"]
        demo.control("scan", handle=handle, account="Lin")
        bots = [demo.control("confirm", handle=handle)]
        expect(page.get_by_role("dialog")).to_be_hidden()
    chat = {"bot_id": bots[0]["bot_id"], "person_id": TOM}
    demo.control("write", **chat, text="are you there?")
    through = demo.through(line.url)
    log_in(page, through)
    page.get_by_role("list", name="Conversations").get_by_role("link", name="Tom Baker").click()
    expect(page.locator(".bubble", has_text="are you there?").first).to_be_visible()
    return page, chat


def _count(page: Page, text: str) -> int:
    return page.locator(".bubble-text").filter(has_text=re.compile(f"^{text}$")).count()


def test_a_cut_line_is_said_and_nothing_is_missed_or_doubled(
    context: BrowserContext, demo: Demo, line: Line
) -> None:
    page, chat = _open_conversation(context, demo, line)
    banner = page.locator("#line-banner")
    expect(banner).to_have_text("")
    line.cut()
    for number in range(20):
        demo.control("write", **chat, text=f"while down {number}")
    expect(banner).to_contain_text("Connection to the console lost")
    line.mend()
    expect(banner).to_have_text("", timeout=20_000)
    for number in range(20):
        expect(
            page.locator(".bubble-text").filter(has_text=re.compile(f"^while down {number}$"))
        ).to_have_count(1)


@pytest.fixture
def second_context(take: Take) -> BrowserContext:
    return take()


def _shown(page: Page, pattern: str) -> list[str]:
    """The texts of all bubbles that match, in the order of the page."""
    texts = page.locator(".bubble-text").all_inner_texts()
    return [text for text in texts if re.fullmatch(pattern, text)]


def _cut_both(line: Line, pages: tuple[Page, Page]) -> int:
    """Let both pages open a websocket, then cut both; returns how many were cut."""
    for page in pages:
        page.evaluate("dispatchEvent(new Event('online'))")
    until(pages[0], lambda: line.open_websockets() >= len(pages), "both websockets open")
    return line.cut_websockets()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "times", [10, pytest.param(100, marks=pytest.mark.slow)], ids=["ten", "a hundred"]
)
def test_cut_websockets_under_flowing_messages_in_two_browsers(
    context: BrowserContext, second_context: BrowserContext, demo: Demo, line: Line, times: int
) -> None:
    first, chat = _open_conversation(context, demo, line)
    second, _ = _open_conversation(second_context, demo, line)
    written: list[str] = []
    flowing, came = threading.Event(), threading.Event()
    paced = threading.Event()  # never set: about 30 messages a second
    flowing.set()

    def flow() -> None:
        while flowing.is_set():
            text = f"flow {len(written)} of {times}"
            demo.control("write", **chat, text=text)
            written.append(text)
            came.set()
            paced.wait(0.03)

    writer = threading.Thread(target=flow)
    writer.start()
    cuts = 0
    try:
        while cuts < times * 2:
            came.clear()
            assert came.wait(10), "nothing flows"
            cuts += _cut_both(line, (first, second))
    finally:
        flowing.clear()
        writer.join()
    assert len(written) >= times
    for page in (first, second):
        expect(page.locator(".bubble-text", has_text=re.compile(f"^{written[-1]}$"))).to_have_count(
            1, timeout=30_000
        )
        assert _shown(page, rf"flow \d+ of {times}") == written


@pytest.mark.timeout(180)
def test_a_stalled_line_counts_as_down_in_both_browsers(
    context: BrowserContext, second_context: BrowserContext, demo: Demo, line: Line
) -> None:
    """Nothing is closed, nothing comes: the silence itself is noticed."""
    first, chat = _open_conversation(context, demo, line)
    second, _ = _open_conversation(second_context, demo, line)
    line.stall()
    silent = [f"into the silence {number}" for number in range(5)]
    for text in silent:
        demo.control("write", **chat, text=text)
    for page in (first, second):
        expect(page.locator("#line-banner")).to_contain_text(
            "Connection to the console", timeout=45_000
        )
    line.mend()
    for page in (first, second):
        expect(page.locator(".bubble", has_text=silent[-1])).to_have_count(1, timeout=30_000)
        assert _shown(page, r"into the silence \d+") == silent


def test_a_double_enter_is_one_message(context: BrowserContext, demo: Demo, line: Line) -> None:
    page, _ = _open_conversation(context, demo, line)
    box = page.get_by_role("textbox", name="Reply to Tom Baker")
    box.fill("only once")
    page.evaluate("""() => {
      const form = document.querySelector("[data-composer]");
      form.requestSubmit(); form.requestSubmit();
    }""")
    expect(page.locator(".message.ours", has_text="only once")).to_contain_text("ccepted by WeChat")
    assert _count(page, "only once") == 1
    sends = [one for one in demo.read("sends") if one["text"] == "only once"]
    assert len(sends) == 1
