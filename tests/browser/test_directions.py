"""Texts of the world: each keeps its direction to itself and moves nothing of the page."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from sessions_app.text.unseen import visible
from tests import hidden_signs
from tests.browser.contexts import Take
from tests.browser.demo_process import Demo
from tests.browser.shop import bound_shop, open_conversation, write

pytestmark = pytest.mark.browser

PLAIN, ARABIC, HOSTILE = "Tom Baker", "李娜", "Marc Dubois"
NAMES = {ARABIC: "ليلى أحمد", HOSTILE: "Marc \u202e\u2067reversed"}
HELLO = "مرحبا! أين طلبي رقم SF1039؟ شكرا!"
LINKED = "שלום, ראו https://example.com/a/b?x=1 תודה!"
TURNED = "pay 100 \u202e\u2067 now\u200b and \u2066never"
RENAME = """
from messaging.models import TeamContact
from messaging.conversations.finding import folded_name
for user_id, name in {names!r}.items():
    named = TeamContact.objects.filter(contact__user_id=user_id)
    assert named.update(name=name, folded=folded_name(name))
"""
DIRECTION = "element => getComputedStyle(element).direction"
END = """(element, sign) => {
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let found = null;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const at = node.data.lastIndexOf(sign);
    if (at < 0) continue;
    found = document.createRange();
    found.setStart(node, at);
    found.setEnd(node, at + 1);
  }
  const box = found.getBoundingClientRect();
  return {left: box.left, right: box.right};
}"""


@pytest.fixture(scope="module")
def page(take_for_all: Take, demo: Demo) -> Page:
    context = take_for_all()
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    bound_shop(page, demo)
    write(demo, PLAIN, "hello, where is my order?")
    write(demo, ARABIC, LINKED)
    write(demo, ARABIC, HELLO)
    write(demo, HOSTILE, "hello, where is my order?")
    write(demo, HOSTILE, TURNED)
    people = {one["name"]: one["user_id"] for one in demo.read("state")["people"]}
    rows = page.locator("#conversation-rows > li")
    expect(rows).to_have_count(3)
    demo.python(RENAME.format(names={people[who]: name for who, name in NAMES.items()}))
    page.reload()
    expect(rows).to_have_count(3)
    return page


def _row(page: Page, words: str) -> Locator:
    return page.locator("#conversation-rows > li").filter(has_text=words)


def _box(locator: Locator) -> dict[str, float]:
    box: Any = locator.bounding_box()
    assert box is not None
    return dict(box)


def _open(page: Page, words: str) -> None:
    _row(page, words).get_by_role("link").click()
    expect(page.locator("#open-conversation")).to_have_attribute("data-title", f"{words} · Shop A")


def test_rows_keep_their_furniture_in_its_place(page: Page) -> None:
    plain, arabic, turned = (
        _row(page, words) for words in (PLAIN, NAMES[ARABIC], visible(NAMES[HOSTILE]))
    )
    for part, edges in {
        ".who": ("x", "y"), "time": ("y", "height"), ".chips": ("x", "y", "width"),
        ".badge": ("y",), ".preview": ("x", "y"),
    }.items():  # fmt: skip
        top = [_box(row)["y"] for row in (plain, arabic, turned)]
        boxes = [_box(row.locator(part)) for row in (plain, arabic, turned)]
        for box, y in zip(boxes, top, strict=True):
            box["y"] -= y
        for edge in edges:
            places = [box[edge] for box in boxes]
            assert max(places) - min(places) < 3, (part, edge, places)
    ends = [_box(row.locator("time")) for row in (plain, arabic, turned)]
    assert len({round(box["x"] + box["width"]) for box in ends}) == 1
    assert arabic.locator(".who").evaluate(DIRECTION) == "rtl"
    assert plain.locator(".who").evaluate(DIRECTION) == "ltr"


def test_what_is_written_from_right_to_left_reads_so(page: Page) -> None:
    _open(page, NAMES[ARABIC])
    for words in (HELLO, LINKED):
        text = page.locator("[data-messages] .bubble-text", has_text=words)
        assert text.evaluate(DIRECTION) == "rtl"
        last, first = text.evaluate(END, "!"), text.evaluate(END, words[0])
        assert last["right"] <= first["left"], "the sign at the end stands at the left"
    link = page.locator("[data-messages] .bubble-text a")
    assert link.evaluate(DIRECTION) == "ltr"
    assert link.evaluate(END, "h")["left"] < link.evaluate(END, "1")["left"]
    # What belongs to the page stays from left to right, where it is.
    for part in ("#open-conversation", ".message-foot >> nth=0", "[data-name] >> xpath=.."):
        assert page.locator(part).first.evaluate(DIRECTION) == "ltr"


def test_a_bubble_that_turns_moves_nothing_beside_it(page: Page) -> None:
    _open(page, visible(NAMES[HOSTILE]))
    plain, turned = page.locator("[data-messages] > .message").all()
    expect(turned.locator(".bubble-text")).to_have_text(visible(TURNED))
    assert turned.locator("[data-sign]").count() == 4
    bubble, foot = _box(turned.locator(".bubble")), _box(turned.locator(".message-foot"))
    assert bubble["x"] == foot["x"] == _box(plain.locator(".bubble"))["x"]
    assert foot["y"] >= bubble["y"] + bubble["height"]
    assert turned.locator(".message-foot time").evaluate(DIRECTION) == "ltr"
    name = page.locator("#name-head [data-name]")
    expect(name).to_have_text(visible(NAMES[HOSTILE]))
    pencil = page.locator("#name-head a")
    assert _box(name)["x"] < _box(pencil)["x"]


def test_a_copy_has_the_text_as_it_came(page: Page) -> None:
    _open(page, visible(NAMES[HOSTILE]))
    page.locator("[data-messages] .bubble").last.hover()
    page.get_by_role("button", name="Copy text").click()
    assert page.evaluate("navigator.clipboard.readText()") == TURNED


def test_what_one_writes_takes_its_own_direction(page: Page) -> None:
    open_conversation(page, PLAIN)
    box = page.locator("[data-composer] textarea")
    box.fill(HELLO)
    assert box.evaluate(DIRECTION) == "rtl"
    page.route("**/reply/", lambda _route: None)
    box.press("Enter")
    waiting = page.locator("[data-sendings] .bubble-text")
    assert waiting.evaluate(DIRECTION) == "rtl"
    page.unroute("**/reply/")
    page.reload()
    sent = page.locator("[data-messages] .message.ours .bubble-text")
    assert sent.evaluate(DIRECTION) == "rtl"
    foot = page.locator("[data-messages] .message.ours .message-foot")
    assert foot.evaluate(DIRECTION) == "ltr"
    box.fill("plain again")
    assert box.evaluate(DIRECTION) == "ltr"
    box.fill("")


def test_a_name_in_a_toast_moves_no_word_of_it(page: Page, demo: Demo) -> None:
    for locator in ("#list-search", "[data-composer] textarea"):
        expect(page.locator(locator)).to_have_attribute("dir", "auto")
    demo.python(
        "from sessions_app.models import User; User.objects.update(first_name='ليلى', last_name='')"
    )
    page.get_by_role("button", name="Assign to me").click()
    words = page.locator("[data-toast-words]").filter(has_text="assigned to")
    expect(words).to_contain_text("\u2068ليلى\u2069.")
    name, stop = words.evaluate(END, "ى"), words.evaluate(END, ".")
    assert stop["left"] >= name["right"]
    assert words.evaluate(DIRECTION) == "ltr"


def test_the_page_and_the_server_see_the_same_signs(page: Page) -> None:
    ranges = [(0, 0x3100), (0xFDC0, 0x10000), (0x1BC90, 0x1BCB0), (0x1D150, 0x1D190)]
    ranges += [(0x11070, 0x11090), (0x13420, 0x13460), (0x16FE0, 0x16FF0)]
    codes = [code for low, high in [*ranges, (0xE0000, 0xE0200)] for code in range(low, high)]
    texts = [f"{before}{chr(code)}ب" for code in codes for before in "aक葛❤"]
    texts += [*hidden_signs.WRITING, *(text for text, _shown in hidden_signs.SHOWN)]
    texts = [text for text in texts if not any(0xD800 <= ord(sign) < 0xE000 for sign in text)]
    seen = page.evaluate(
        """async ([address, texts]) => {
          const {visible} = await import(address);
          return texts.map((one) => visible(one));
        }""",
        ["/static/js/page/unseen.js", texts],
    )
    assert seen == [visible(text) for text in texts]


def test_colleagues_are_offered_with_the_first_sign_of_a_mention(page: Page) -> None:
    page.reload()
    page.get_by_role("radio", name="Note", exact=True).check(force=True)
    box = page.locator("[data-composer] textarea")
    box.fill("")
    box.press_sequentially("@")
    offered = page.locator("#mention-list [role=option]").first
    expect(offered).to_contain_text("ليلى")
    assert offered.evaluate(DIRECTION) == "rtl"
    box.press("Enter")
    expect(box).to_have_value(re.compile(r"^@\S+ $"))
    box.fill("")
