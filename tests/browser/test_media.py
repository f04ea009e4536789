"""Files as people use them: a voice is played, pictures are looked at, pictures are dropped."""

import base64
import json
import re

import pytest
from playwright.sync_api import BrowserContext, FilePayload, Locator, Page, expect

from tests.browser.conftest import log_in
from tests.browser.demo_process import Demo
from tests.messaging.media import samples

pytestmark = pytest.mark.browser

DROP = """(target, files) => {
  const carried = new DataTransfer();
  for (const {name, type, base64} of files) {
    const bytes = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
    carried.items.add(new File([bytes], name, {type}));
  }
  for (const kind of ["dragover", "drop"]) {
    const how = {dataTransfer: carried, bubbles: true, cancelable: true};
    target.dispatchEvent(new DragEvent(kind, how));
  }
}"""


PLAYED = """audio => new Promise((done) => {
  audio.addEventListener("timeupdate", () => audio.currentTime > 0.2 && done(audio.duration));
})"""
COPY = """async (base64) => {
  const bytes = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
  const picture = new Blob([bytes], {type: "image/png"});
  await navigator.clipboard.write([new ClipboardItem({"image/png": picture})]);
}"""
UNDER_WAY = """() => {
  const bar = document.querySelector(".tray-file.is-coming [data-progress]:not([hidden])");
  return bar?.value > 0 && bar.value < 100;
}"""
WIDTH = "picture => picture.decode().then(() => picture.naturalWidth)"


def _encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


@pytest.fixture(scope="module")
def shop(demo: Demo) -> str:
    """A bound session; Li Na's id."""
    demo.control("switches", scripts_on=False)
    return str(
        next(one["user_id"] for one in demo.read("state")["people"] if one["name"] == "李娜")
    )


def _bound(page: Page, demo: Demo) -> str:
    """The bot of “Shop A”, scanned when there is none yet."""
    bots = [one for one in demo.read("bots") if one["alive"]]
    if not bots:
        page.goto(f"{demo.url}/sessions/")
        page.get_by_role("link", name="Add account").first.click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Name").fill("Shop A")
        dialog.get_by_label("Name").press("Enter")
        expect(dialog.get_by_role("img", name="QR code to scan with WeChat")).to_be_visible()
        handle = demo.read("state")["logins"][-1]["handle"]
        demo.control("scan", handle=handle, account="Lin")
        demo.control("confirm", handle=handle)
        expect(dialog).to_be_hidden()
        bots = [one for one in demo.read("bots") if one["alive"]]
    return str(bots[0]["bot_id"])


def _open(context: BrowserContext, demo: Demo, person: str, *files: tuple[str, bytes]) -> Page:
    """Li Na's conversation, after she sent these files."""
    page = context.new_page()
    log_in(page, demo)
    bot = _bound(page, demo)
    demo.control("write", bot_id=bot, person_id=person, text="hello")
    for kind, content in files:
        encoded = _encoded(content)
        demo.control("write", bot_id=bot, person_id=person, kind=kind, content_base64=encoded)
    page.goto(f"{demo.url}/inbox/")
    rows = page.get_by_role("list", name="Conversations")
    rows.get_by_role("link", name=re.compile("李娜")).click()
    expect(page.get_by_role("textbox", name="Reply to 李娜")).to_be_visible()
    return page


def _thread(page: Page) -> Locator:
    return page.get_by_role("region", name=re.compile("Conversation with"))


def test_a_voice_is_played_one_at_a_time(context: BrowserContext, demo: Demo, shop: str) -> None:
    page = _open(context, demo, shop, ("voice", samples.silk(6)), ("voice", samples.silk(5)))
    play = _thread(page).get_by_role("button", name="Play Voice")
    expect(play).to_have_count(2)
    play.first.click()
    expect(_thread(page).get_by_role("button", name="Pause Voice")).to_have_count(1)
    assert page.locator("audio").first.evaluate(PLAYED) == pytest.approx(6, abs=0.1)
    play.first.click()  # the other one: the first is named “Pause” now
    assert page.locator("audio").last.evaluate(PLAYED) == pytest.approx(5, abs=0.1)
    assert page.locator("audio").first.evaluate("audio => audio.paused")
    slider = _thread(page).get_by_role("slider", name="Position in this recording").first
    slider.focus()
    slider.press("Home")
    expect(slider).to_have_value("0")


def test_pictures_open_by_the_keyboard(context: BrowserContext, demo: Demo, shop: str) -> None:
    page = _open(
        context,
        demo,
        shop,
        ("image", samples.picture(900, 600)),
        ("image", samples.picture(500, 800)),
    )
    links = _thread(page).get_by_role("link", name="Open Picture")
    expect(links).to_have_count(2)
    links.first.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text("1 / 2")
    picture = dialog.locator("img")
    assert picture.evaluate(WIDTH) == 900
    page.keyboard.press("ArrowRight")
    expect(dialog).to_contain_text("2 / 2")
    assert picture.evaluate(WIDTH) == 500
    for key, words in (("+", "150 %"), ("+", "200 %"), ("-", "150 %"), ("0", "100 %")):
        page.keyboard.press(key)
        expect(dialog).to_contain_text(words)
    with page.expect_download() as download:
        page.keyboard.press("d")
    assert download.value.suggested_filename.endswith(".png")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(links.last).to_be_focused()


def test_what_is_still_coming_says_so_and_fills_in(
    context: BrowserContext, demo: Demo, shop: str
) -> None:
    demo.control("add_fault", kind="slow", path="/c2c/download*", delay_s=3.0)
    page = _open(context, demo, shop, ("file", b"content"))
    coming = _thread(page).get_by_text("downloading from WeChat…")
    expect(coming).to_be_visible()
    expect(coming).to_be_hidden()
    expect(_thread(page).get_by_role("link", name=re.compile("Download invoice"))).to_be_visible()


def test_two_pictures_and_a_text_are_three_bubbles_in_order(
    context: BrowserContext, demo: Demo, shop: str
) -> None:
    page = _open(context, demo, shop)
    files = [
        {"name": name, "type": "image/png", "base64": _encoded(samples.picture(300, 200))}
        for name in ("first.png", "second.png")
    ]
    page.locator("#open-conversation").evaluate(DROP, files)
    tray = page.get_by_role("list", name="Files of this reply, in sending order")
    expect(tray.get_by_role("listitem")).to_have_count(2)
    expect(page.locator("[data-cost]")).to_have_text("this draft uses 2")
    box = page.get_by_role("textbox", name="Reply to 李娜")
    box.fill("两张照片")
    expect(page.locator("[data-cost]")).to_have_text("this draft uses 3")
    tray.get_by_role("button", name="Send second.png earlier").click()
    expect(tray.get_by_role("listitem").first).to_contain_text("second.png")
    box.press("Enter")
    ours = _thread(page).locator(".message.ours")
    expect(ours).to_have_count(3)
    expect(ours.locator(".media-picture")).to_have_count(2)
    expect(ours.last).to_contain_text("accepted by WeChat")
    expect(tray).to_be_hidden()
    bot = _bound(page, demo)
    chat = demo.read(f"chat?bot_id={bot}&person_id={shop}")
    sent = [one for one in chat["bubbles"] if one["from_bot"]]
    assert [one["kind"] for one in sent] == ["text", "image", "image"]
    assert not any(one["broken"] for one in sent)


def test_a_pasted_picture_goes_into_the_tray_and_costs_a_reply(
    context: BrowserContext, demo: Demo, shop: str
) -> None:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = _open(context, demo, shop)
    page.evaluate(COPY, _encoded(samples.picture(300, 200)))
    box = page.get_by_role("textbox", name="Reply to 李娜")
    box.focus()
    page.keyboard.press("Control+v")
    tray = page.get_by_role("list", name="Files of this reply, in sending order")
    expect(tray.get_by_role("listitem")).to_contain_text("image.png")
    cost = page.locator("[data-cost]")
    expect(cost).to_be_hidden()
    box.fill("here it is")
    expect(cost).to_have_text("this draft uses 2")
    tray.get_by_role("button", name="Remove image.png").click()
    expect(cost).to_be_hidden()
    expect(box).to_have_value("here it is")
    box.fill("")


def test_a_file_on_its_way_shows_how_far_it_is(
    context: BrowserContext, demo: Demo, shop: str
) -> None:
    page = _open(context, demo, shop)
    line = context.new_cdp_session(page)
    rates = {"offline": False, "latency": 0, "downloadThroughput": -1}
    line.send("Network.emulateNetworkConditions", {**rates, "uploadThroughput": 100_000})
    big: FilePayload = {"name": "plan.bin", "mimeType": "", "buffer": bytes(2_000_000)}
    page.get_by_label("Add files").set_input_files(big)
    page.wait_for_function(UNDER_WAY)
    line.send("Network.emulateNetworkConditions", {**rates, "uploadThroughput": -1})
    brought = page.locator(".tray-file.is-here").filter(has_text="plan.bin")
    expect(brought).to_contain_text("1.9 MB")
    expect(page.get_by_role("progressbar", name="plan.bin")).to_be_hidden()


def test_what_pretends_to_be_a_picture_runs_nothing(
    context: BrowserContext, demo: Demo, shop: str
) -> None:
    page = _open(context, demo, shop, ("image", samples.HTML), ("image", samples.SVG))
    expect(_thread(page).get_by_text("it is not a picture")).to_have_count(2)
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    path = _thread(page).get_by_role("link", name="Download Picture").first.get_attribute("href")
    headers = page.request.get(f"{demo.url}{str(path).partition('?')[0]}").headers
    assert headers["content-disposition"].startswith("attachment")
    assert headers["content-type"] == "application/octet-stream"
    assert json.dumps(dialogs) == "[]"
