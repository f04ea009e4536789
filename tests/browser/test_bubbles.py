"""Bubbles by mouse, keyboard and finger: copied, quoted, unfolded; videos; the note beside them."""

import base64

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import log_in
from tests.browser.contexts import Take
from tests.browser.demo_process import Demo
from tests.browser.shop import bound_shop, open_conversation, write

pytestmark = pytest.mark.browser

LINA = "李娜"
LONG = "\n".join(f"line {number}" for number in range(1, 121))
GARBAGE = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2\0\0\4\x08mdat" + bytes(range(256)) * 4


@pytest.fixture
def page(context: BrowserContext, demo: Demo) -> Page:
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    one = context.new_page()
    bound_shop(one, demo)
    return one


def _message(page: Page, text: str) -> Locator:
    return page.locator(".message:not(.event)").filter(has_text=text)


def _clipboard(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_the_pointer_finds_copy_and_quote(page: Page, demo: Demo) -> None:
    write(demo, LINA, "[捂脸] first\nsecond")
    open_conversation(page, LINA)
    _message(page, "second").hover()
    page.get_by_role("button", name="Copy text").click()
    assert _clipboard(page) == "[捂脸] first\nsecond"
    expect(page.locator("#heard")).to_have_text("Copied")
    box = page.get_by_role("textbox", name=f"Reply to {LINA}")
    box.fill("before after")
    box.evaluate("area => area.setSelectionRange(7, 7)")
    _message(page, "second").hover()
    page.get_by_role("button", name="Quote").click()
    expect(box).to_have_value("before \n> [捂脸] first\n> second\nafter")
    expect(box).to_be_focused()
    page.keyboard.type("my words ")
    expect(box).to_have_value("before \n> [捂脸] first\n> second\nmy words after")
    box.fill("")


def test_the_keyboard_walks_the_messages_and_their_tools(page: Page, demo: Demo) -> None:
    write(demo, LINA, "one above")
    write(demo, LINA, "the last one")
    open_conversation(page, LINA)
    expect(_message(page, "the last one")).to_be_visible()
    page.get_by_role("region", name="Messages").focus()
    page.keyboard.press("ArrowUp")
    expect(_message(page, "the last one")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(_message(page, "one above")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Copy text")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#heard")).to_have_text("Copied")
    assert _clipboard(page) == "one above"
    write(demo, LINA, "comes meanwhile")  # and takes nothing away
    expect(_message(page, "comes meanwhile")).to_be_visible()
    expect(page.get_by_role("button", name="Copy text")).to_be_focused()
    page.keyboard.press("Escape")
    expect(_message(page, "one above")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Control+c")
    assert _clipboard(page) == "the last one"


def test_a_finger_taps_a_bubble(take: Take, demo: Demo, page: Page) -> None:
    write(demo, LINA, "tap me")
    phone = take(viewport={"width": 390, "height": 844}, has_touch=True).new_page()
    log_in(phone, demo)
    open_conversation(phone, LINA)
    quote = phone.get_by_role("button", name="Quote")
    expect(quote).to_be_hidden()
    _message(phone, "tap me").locator(".bubble").tap()
    quote.tap()
    expect(phone.get_by_role("textbox", name=f"Reply to {LINA}")).to_have_value("> tap me\n")
    phone.get_by_role("textbox", name=f"Reply to {LINA}").fill("")


def test_a_long_text_unfolds_without_a_jump_and_stays_so(page: Page, demo: Demo) -> None:
    for number in range(12):
        write(demo, LINA, f"before it {number}")  # so that the pane scrolls
    write(demo, LINA, LONG)
    open_conversation(page, LINA)
    row = _message(page, "line 120")
    switch = row.locator("[data-fold] summary")
    expect(switch).to_have_text("Show all (120 lines)", use_inner_text=True)
    expect(page.get_by_role("textbox", name=f"Reply to {LINA}")).to_be_focused()
    switch.hover()
    first = row.locator(".bubble")
    top = first.evaluate("one => one.getBoundingClientRect().top")
    switch.click()
    expect(switch).to_have_text("Show less", use_inner_text=True)
    assert first.evaluate("one => one.getBoundingClientRect().top") == top
    write(demo, LINA, "after the long one")
    expect(_message(page, "after the long one")).to_have_count(1)
    version = row.get_attribute("data-version")
    demo.python(
        "from messaging.models import Message; from messaging.conversations import rows\n"
        "from sessions_app.realtime.streams import announcing\n"
        "row = Message.objects.get(text__contains='line 120')\n"
        "with announcing() as change: rows.touch(change, row.conversation, row)"
    )
    # By another process: the page hears of it with the next heartbeat.
    expect(row).not_to_have_attribute("data-version", str(version), timeout=15_000)
    expect(switch).to_have_text("Show less", use_inner_text=True)
    switch.hover()
    at = switch.evaluate("one => one.getBoundingClientRect().top")
    switch.click()
    expect(switch).to_have_text("Show all (120 lines)", use_inner_text=True)
    assert abs(switch.evaluate("one => one.getBoundingClientRect().top") - at) <= 1


def test_the_demos_video_plays_and_a_broken_one_says_so(page: Page, demo: Demo) -> None:
    write(demo, LINA, "", kind="video")
    garbage = base64.b64encode(GARBAGE).decode()
    write(demo, LINA, "", kind="video", content_base64=garbage)
    open_conversation(page, LINA)
    videos = page.locator("[data-video]")
    expect(videos).to_have_count(2)
    good, bad = videos.first, videos.last
    expect(bad).to_contain_text("This browser cannot play this video.")
    expect(bad.get_by_role("link", name="Download")).to_be_visible()
    expect(bad.locator("video")).to_be_hidden()
    video = good.locator("video")
    assert video.evaluate("one => one.play().then(() => one.duration)") == pytest.approx(3, abs=0.1)
    assert video.evaluate("one => one.readyState >= 2 && one.videoWidth") == 320
    expect(good.locator("[data-when-broken]")).to_be_hidden()


def test_addresses_in_a_message_lead_out(page: Page, demo: Demo) -> None:
    write(demo, LINA, "打138 0013 8000，写a@example.com，看www.example.com。订单号13912345678")
    open_conversation(page, LINA)
    links = _message(page, "订单号13912345678").locator(".bubble-text a")
    expect(links).to_have_count(3)
    found = links.evaluate_all("all => all.map((one) => one.getAttribute('href'))")
    assert found == ["tel:13800138000", "mailto:a@example.com", "https://www.example.com"]


def test_the_note_is_kept_and_never_drawn_over(page: Page, demo: Demo, take: Take) -> None:
    write(demo, LINA, "hello")
    open_conversation(page, LINA)
    pane = page.get_by_role("complementary", name="About this person")
    pane.get_by_role("link", name="Note: write one about this person").click()
    field = pane.get_by_role("textbox", name="Note about this person")
    expect(field).to_be_focused()
    field.press_sequentially("likes voice")
    demo.python(
        "from messaging.replying import services; from messaging.models import Contact\n"
        f"lina = Contact.objects.get(team_contacts__name={LINA!r})\n"
        "services.write_contact_note(contact=lina, team_id=1, note='from a colleague', user=None)"
    )
    page.get_by_role("textbox", name=f"Reply to {LINA}").focus()
    write(demo, LINA, "news for every part of the page")
    expect(_message(page, "news for every part")).to_be_visible()
    expect(field).to_have_value("likes voice")
    pane.get_by_role("button", name="Save").click()
    expect(pane.get_by_role("alert")).to_contain_text("It says: “from a colleague”")
    pane.get_by_role("button", name="Save").click()
    expect(pane.locator(".contact-note-text")).to_have_text("likes voice")
    pane.get_by_role("button", name="Copy WeChat id").click()
    assert _clipboard(page).endswith("@im.wechat")
    second = take().new_page()
    log_in(second, demo)
    second.goto(page.url)
    expect(second.locator(".contact-note-text")).to_have_text("likes voice")
    pane.get_by_role("link", name="Change the note").click()
    pane.get_by_role("textbox", name="Note about this person").fill("likes text")
    pane.get_by_role("button", name="Save").click()
    expect(second.locator(".contact-note-text")).to_have_text("likes text")
