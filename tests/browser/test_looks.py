"""What must not be cut, must not jump, and must look the same everywhere, measured in the page."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, FilePayload, Page, expect

from tests.browser.contexts import Take
from tests.browser.demo_process import Demo
from tests.browser.shop import bound_shop, open_conversation, write
from tests.messaging.media import samples

pytestmark = pytest.mark.browser

LINA = "李娜"
WIDTHS = (320, 360, 390, 480, 600, 767, 768, 900, 1023, 1024, 1280, 1440, 1600, 1920, 2560)
NAMES = {
    "short": "Shop A",
    "latin": "Wholesale and Repair",
    "chinese": "上海浦东新区旗舰店售后部门",
}
# The name, and the rows that the tools and the button stand in.
NAME = """() => {
  const name = document.querySelector("#send-as .cut");
  const tools = document.querySelector(".composer-kinds").getBoundingClientRect();
  const group = document.querySelector(".send-group").getBoundingClientRect();
  const box = document.querySelector(".composer-tools").getBoundingClientRect();
  return {
    cut: name.scrollWidth > name.clientWidth || name.scrollHeight > name.clientHeight + 1,
    text: name.textContent,
    title: document.querySelector("#send-as").title,
    alone: group.top >= tools.bottom - 1,
    inside: group.right <= box.right && group.left >= box.left,
  };
}"""
RAIL = """() => [...document.querySelectorAll(".rail .rail-link")]
  .filter((one) => one.checkVisibility())
  .map((one) => {
    const { x, y, width, height } = one.getBoundingClientRect();
    const places = [x, y, width, height].map(Math.round);
    return [one.textContent.trim().replace(/[0-9]+$/, "").trim(), ...places];
  })"""


@pytest.fixture(scope="module")
def page(take_for_all: Take, demo: Demo) -> Page:
    one = take_for_all().new_page()
    bound_shop(one, demo)
    write(demo, LINA, "hello")
    return one


def _rename(demo: Demo, name: str) -> None:
    demo.python(f"from sessions_app.models import Session; Session.objects.update(name={name!r})")


def _everything_in_the_row(page: Page, demo: Demo) -> None:
    """Two files and a text: what the draft costs stands there beside bytes and hint."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{demo.url}/inbox/")
    page.locator("#conversation-rows a").filter(has_text=LINA).click()
    files: list[FilePayload] = [
        {"name": f"{one}.png", "mimeType": "image/png", "buffer": samples.picture()} for one in "ab"
    ]
    page.locator("#attach").set_input_files(files)
    page.locator("#composer textarea").fill("a reply")
    expect(page.locator("[data-cost]")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "zh-hans"])
@pytest.mark.parametrize("kind", list(NAMES))
def test_the_name_on_the_send_button_is_never_cut(
    page: Page, demo: Demo, kind: str, language: str
) -> None:
    _rename(demo, NAMES[kind])
    demo.python(f"from sessions_app.models import User; User.objects.update(language={language!r})")
    _everything_in_the_row(page, demo)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        seen = page.evaluate(NAME)
        assert NAMES[kind] in seen["text"]
        assert not seen["cut"], width
        assert seen["inside"], width


def test_the_longest_name_is_cut_only_on_a_row_of_its_own(page: Page, demo: Demo) -> None:
    name = "Wide Width Warehouse " * 3 + "W"
    _rename(demo, name)
    demo.python("from sessions_app.models import User; User.objects.update(language='en')")
    _everything_in_the_row(page, demo)
    cut = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        seen = page.evaluate(NAME)
        assert seen["inside"], width
        assert seen["title"] == name
        if seen["cut"]:
            assert seen["alone"], width
            cut.append(width)
    assert 320 in cut
    assert not {1920, 2560} & set(cut), cut
    _rename(demo, "Shop A")


@pytest.mark.parametrize("width", [1600, 1920, 2560])
def test_on_wide_screens_the_thread_is_one_column_in_the_middle(
    page: Page, demo: Demo, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 1000})
    page.goto(f"{demo.url}/inbox/")
    open_conversation(page, LINA)
    pane = _box(page, "#open-conversation")
    for part in (".messages", ".composer-box"):
        column = _box(page, part)
        assert column["width"] <= 862, part
        middle = column["x"] + column["width"] / 2 - pane["x"] - pane["width"] / 2
        assert abs(middle) <= 10, part
    assert 396 <= _box(page, ".list-pane")["width"] <= 424
    assert _box(page, ".rail")["width"] < 240


def _json(rows: list[list[Any]]) -> str:
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


def _box(page: Page, selector: str) -> Any:
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    return box


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768), (800, 560), (390, 844)])
def test_the_rails_rows_keep_their_places(page: Page, demo: Demo, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.goto(f"{demo.url}/inbox/")
    page.wait_for_load_state()
    page.locator(".rail-scroll").evaluate("pane => { pane.scrollTop = 60; }")
    first = page.evaluate(RAIL)
    assert len(first) > 4
    for address in ("/sessions/", "/settings/", "/account/", "/sessions/Shop A/", "/nowhere/"):
        page.goto(f"{demo.url}{address}")
        page.wait_for_load_state()
        # The rail is scrolled back by a module, after the page was drawn.
        page.wait_for_function(f"first => JSON.stringify(({RAIL})()) === first", arg=_json(first))


def test_the_logo_stands_on_every_kind_of_page(
    page: Page, context: BrowserContext, demo: Demo
) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    for address in ("/inbox/", "/nowhere/"):
        page.goto(f"{demo.url}{address}")
        expect(page.locator(".rail .brand-mark")).to_be_visible()
        expect(page.get_by_role("link", name="WeiLink")).to_be_visible()
    stranger = context.new_page()
    for address in ("/accounts/login/", "/nowhere/"):
        stranger.goto(f"{demo.url}{address}")
        expect(stranger.locator(".sign-in-frame .brand-mark")).to_be_visible()
        expect(stranger.locator(".brand")).to_have_text(re.compile("WeiLink"))
    for name in ("favicon.svg", "favicon-marked.svg"):
        icon = stranger.request.get(f"{demo.url}/static/{name}")
        assert icon.headers["content-type"] == "image/svg+xml"
