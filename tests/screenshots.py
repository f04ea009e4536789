"""`make screenshots`: the pictures of README and docs, taken from a fresh demo.

    python -m tests.screenshots [FOLDER] [--all]

Without --all only the pictures that the documents show; with it every page at 1440, 1024 and
390 px, light and dark, English and Chinese, for whoever changes the looks.
"""

import argparse
import io
import shutil
import tempfile
from collections.abc import Callable
from itertools import groupby, product
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM_FLAGS
from tests.browser.demo_process import ROOT, Demo, copy_sources, start_demo
from tests.lively_shop import CLOSING, OPENED, OWNERS, PARKED, SHOP, UNSURE, live_through

SIZES = {1440: 900, 1024: 768, 390: 844}
THEMES = ("light", "dark")
LANGUAGES = ("en", "zh-CN")
SHOWN = [("inbox", 1440, "light", "en"), ("inbox", 1440, "light", "zh-CN"),
         ("board", 1440, "light", "en"), ("thread", 390, "light", "zh-CN")]  # fmt: skip
Walk = Callable[[Page, Demo], None]
"""From anywhere to a page at rest."""


def _page(path: str) -> Walk:
    def walk(page: Page, demo: Demo) -> None:
        page.goto(f"{demo.url}{path}")

    return walk


def _sign_in(page: Page, demo: Demo) -> None:
    page.context.clear_cookies(name="weilink_session")
    page.goto(f"{demo.url}/accounts/login/")


def _code(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/sessions/")
    page.locator("main a.primary").first.click()
    page.locator("dialog input[name=name]").fill("Kiosk 前台")
    page.locator("dialog input[name=name]").press("Enter")
    page.wait_for_selector("dialog .qr-frame svg")


def _filters(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/inbox/")
    page.locator("a[data-opens-dialog][href*=filters]").click()
    page.wait_for_selector("#dialog[open] select")


def _thread(person: str, draft: str = "") -> Walk:
    def walk(page: Page, demo: Demo) -> None:
        page.goto(f"{demo.url}/inbox/")
        page.locator("#conversation-rows a").filter(has_text=person).click()
        page.wait_for_selector("#composer")
        for button in page.locator("[data-hides-banner]:visible").all():
            button.click()
        if draft:
            page.locator("#composer textarea").fill(draft)
        page.evaluate(PICTURES_SHOWN)

    return walk


PICTURES_SHOWN = """() => Promise.all(
  [...document.querySelectorAll("#open-conversation img")].map((one) => one.decode()))"""
ANSWER = "有的，M 码还有 3 件。给您留一件吗？"
PAGES: dict[str, Walk] = {
    "board": _page("/sessions/"),
    "session": _page(f"/sessions/{SHOP}/"),
    "qr": _code,
    "links": _page("/sessions/-/links/"),
    "invitations": _page("/sessions/-/invitations/"),
    "list": _page("/inbox/"),
    "resolved": _page("/inbox/?view=resolved"),
    "filters": _filters,
    "inbox": _thread(OPENED, ANSWER),
    "thread": _thread(OPENED, ANSWER),
    "parked": _thread(PARKED),
    "closing": _thread(CLOSING),
    "unsure": _thread(UNSURE),
    "settings": _page("/settings/"),
    "account": _page("/account/"),
    "simulator": _page("/simulator/"),
    "login": _sign_in,
}


def prepare(demo: Demo) -> None:
    """All shops bound, and their day lived through."""
    demo.control("switches", scripts_on=False)
    with sync_playwright() as playwright:
        browser = _launch(playwright)
        page = _logged_in(browser, demo, 1440, "light", "en")
        for name, owner in OWNERS.items():
            _bind(page, demo, name, owner)
        browser.close()
    live_through(demo)


def _bind(page: Page, demo: Demo, name: str, owner: str) -> None:
    page.goto(f"{demo.url}/sessions/")
    page.get_by_role("link", name="Add account").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Name").press("Enter")
    expect(dialog.get_by_role("img", name="QR code to scan with WeChat")).to_be_visible()
    login = demo.read("state")["logins"][-1]
    demo.control("scan", handle=login["handle"], account=owner)
    demo.control("confirm", handle=login["handle"])
    expect(dialog).to_be_hidden(timeout=10_000)


def _launch(playwright: Any) -> Browser:
    path = shutil.which("chromium")
    browser: Browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
    return browser


def _logged_in(browser: Browser, demo: Demo, width: int, theme: Any, language: str) -> Page:
    context = browser.new_context(
        viewport={"width": width, "height": SIZES[width]}, color_scheme=theme, locale=language
    )
    page = context.new_page()
    page.goto(demo.url)
    page.locator("input[name=username]").fill(demo.username)
    page.locator("input[name=password]").fill(demo.password)
    page.locator("input[name=password]").press("Enter")
    page.wait_for_url("**/inbox/")
    return page


def take(demo: Demo, folder: Path, wanted: list[tuple[str, int, str, str]]) -> None:
    """One browser of each look after the other; of each page what the window shows."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = _launch(playwright)
        for look, pictures in groupby(sorted(wanted, key=_look), key=_look):
            page = _logged_in(browser, demo, *look)
            for what, width, theme, language in pictures:
                PAGES[what](page, demo)
                page.mouse.move(0, 0)
                page.wait_for_timeout(500)  # what fades and slides has come to rest
                name = f"{what}-{width}-{theme}-{language.split('-')[0]}.png"
                _keep(page.screenshot(), folder / name)
                print(name, flush=True)
            page.context.close()
        browser.close()


def _keep(picture: bytes, path: Path) -> None:
    """With the few colours that a page has: a third of the bytes, and nobody sees it."""
    with Image.open(io.BytesIO(picture)) as whole:
        few = whole.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(path, optimize=True)


def _look(one: tuple[str, int, str, str]) -> tuple[int, str, str]:
    return one[1:]


def everything() -> list[tuple[str, int, str, str]]:
    return list(product(PAGES, SIZES, THEMES, LANGUAGES))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs" / "screenshots")
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy_sources(Path(folder))
        demo = start_demo(Path(folder))
        try:
            prepare(demo)
            take(demo, options.folder, everything() if options.all else SHOWN)
        finally:
            demo.stop()


if __name__ == "__main__":
    main()
