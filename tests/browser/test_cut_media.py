"""What arrived only in part, as people see it: shown, marked, in both languages; hostile names."""

import base64
import re

import pytest
from playwright.sync_api import BrowserContext, FilePayload, Locator, Page, expect

from tests.browser.demo_process import Demo
from tests.browser.test_media import PLAYED, WIDTH, _open, _thread
from tests.messaging.media.cut_samples import frames, pictures, voice

pytestmark = pytest.mark.browser

HOSTILE, SHOWN = "invoice\u202efdp.exe", "invoice[U+202E]fdp.exe"
MARK = {"en": "Incomplete: only part of it arrived.", "zh": "不完整：只收到一部分。"}
ADVICE = {
    "en": "If the rest matters, ask 李娜 to send it again.",
    "zh": "如需其余部分，请让 李娜 重新发送。",
}
CUT_NOTE = "“shop.jpg” is incomplete: the end is missing. It will be sent as it is."


@pytest.fixture(scope="module")
def shop(demo: Demo) -> str:
    demo.control("switches", scripts_on=False)
    people = demo.read("state")["people"]
    return str(next(one["user_id"] for one in people if one["name"] == "李娜"))


def _cut(content: bytes) -> bytes:
    return content[: len(content) * 2 // 3]


def _in_chinese(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/account/")
    page.get_by_label("Language").select_option("zh-hans")
    page.get_by_role("button", name="Save").first.click()


def _marks(page: Page) -> Locator:
    return _thread(page).locator(".media-mark")


def test_a_cut_voice_plays_and_a_cut_picture_opens(
    context: BrowserContext, demo: Demo, shop: str
) -> None:
    cut = {kind: _cut(content) for kind, content in pictures().items()}
    files = [("voice", voice(frames())[:-5]), *(("image", one) for one in cut.values())]
    page = _open(context, demo, shop, *files)
    expect(_marks(page)).to_have_count(len(files))
    expect(_marks(page).first).to_contain_text(f"{MARK['en']} {ADVICE['en']}")
    _thread(page).get_by_role("button", name="Play Voice").click()
    assert page.locator("audio").first.evaluate(PLAYED) == pytest.approx(2.98, abs=0.1)
    links = _thread(page).get_by_role("link", name="Open Picture")
    expect(links).to_have_count(len(cut))
    for number in range(len(cut)):
        links.nth(number).click()
        dialog = page.get_by_role("dialog")
        picture = dialog.locator("img")
        expect(picture).to_have_js_property("naturalWidth", 320)
        expect(dialog.get_by_text("This picture could not be loaded.")).to_be_hidden()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        small = links.nth(number).locator("img")
        assert small.evaluate(WIDTH) == 320


def test_a_hostile_name_is_seen_in_list_thread_and_tray(
    context: BrowserContext, demo: Demo, shop: str
) -> None:
    page = _open(context, demo, shop)
    bot = next(one["bot_id"] for one in demo.read("bots") if one["alive"])
    content = base64.b64encode(b"MZ").decode()
    demo.control(
        "write", bot_id=bot, person_id=shop, kind="file", file_name=HOSTILE, content_base64=content
    )
    expect(_thread(page).get_by_text(SHOWN)).to_be_visible()
    rows = page.get_by_role("list", name="Conversations")
    expect(rows.get_by_text(re.compile(re.escape(SHOWN)))).to_be_visible()
    mine: FilePayload = {"name": HOSTILE, "mimeType": "", "buffer": b"MZ"}
    page.get_by_label("Add files").set_input_files(mine)
    tray = page.get_by_role("list", name="Files of this reply, in sending order")
    expect(tray.get_by_role("listitem")).to_contain_text(SHOWN)
    expect(tray.get_by_role("button", name=f"Remove {SHOWN}")).to_be_visible()
    assert "\u202e" not in page.content()
    with page.expect_response(lambda answer: answer.url.endswith("/remove/")):
        tray.get_by_role("button", name=f"Remove {SHOWN}").click()


def test_an_agent_is_told_that_the_picture_is_cut_before_it_goes(
    context: BrowserContext, demo: Demo, shop: str
) -> None:
    page = _open(context, demo, shop)
    cut = _cut(pictures()["jpeg"])
    mine: FilePayload = {"name": "shop.jpg", "mimeType": "image/jpeg", "buffer": cut}
    page.get_by_label("Add files").set_input_files(mine)
    expect(page.locator("[data-tray-note]")).to_have_text(CUT_NOTE)
    expect(page.locator(".tray-file canvas")).to_be_visible()
    page.get_by_role("textbox", name="Reply to 李娜").press("Enter")
    ours = _thread(page).locator(".message.ours")
    expect(ours.locator(".media-picture")).to_have_count(1)
    expect(ours.last).to_contain_text("Incomplete: the end of this file is missing.")


def test_it_is_said_in_chinese(context: BrowserContext, demo: Demo, shop: str) -> None:
    page = _open(context, demo, shop, ("image", _cut(pictures()["jpeg"])))
    expect(_marks(page).last).to_contain_text(MARK["en"])
    conversation = page.url
    _in_chinese(page, demo)
    page.goto(conversation)
    expect(page.locator("#open-conversation .media-mark").last).to_contain_text(
        MARK["zh"] + " " + ADVICE["zh"]
    )
