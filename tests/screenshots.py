"""`make screenshots`: the pictures of README and docs, taken from a fresh demo.

    python -m tests.screenshots [FOLDER] [--all]

Without --all only the pictures that the documents show; with it every page at 1440, 1024 and
390 px, light and dark, English and Chinese, for whoever changes the looks.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.conftest import CHROMIUM_FLAGS
from tests.browser.demo_process import ROOT, Demo, copy_sources, start_demo

SIZES = {1440: 900, 1024: 768, 390: 844}
SHOWN = [("inbox", 1440, "light", "en"), ("inbox", 1440, "dark", "en"),
         ("inbox", 1440, "light", "zh-CN"), ("board", 1440, "light", "en"),
         ("thread", 390, "light", "en"), ("qr", 1440, "light", "en")]  # fmt: skip


def prepare(demo: Demo) -> None:
    """Two shops bound, people writing, some answers given."""
    demo.control("switches", scripts_on=True)
    for name, owner in (("Shop A · 小店", "Lin"), ("Repairs · 售后", "Guo")):
        _bind(demo, name, owner)
    time.sleep(12)  # the scripted people's first lines are staggered over some seconds


def _bind(demo: Demo, name: str, owner: str) -> None:
    with sync_playwright() as playwright:
        browser = _launch(playwright)
        page = _logged_in(browser, demo, 1440, "light", "en")
        page.goto(f"{demo.url}/sessions/")
        page.get_by_role("link", name="Add session").first.click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Name").fill(name)
        dialog.get_by_label("Name").press("Enter")
        expect(dialog.get_by_role("img", name="QR code to scan with WeChat")).to_be_visible()
        login = demo.read("state")["logins"][-1]
        demo.control("scan", handle=login["handle"], account=owner)
        demo.control("confirm", handle=login["handle"])
        expect(dialog).to_be_hidden(timeout=10_000)
        browser.close()


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


def _show(page: Page, demo: Demo, what: str) -> None:
    if what == "login":
        page.context.clear_cookies()
        page.goto(f"{demo.url}/accounts/login/")
    elif what == "board":
        page.goto(f"{demo.url}/sessions/")
    elif what == "session":
        page.goto(f"{demo.url}/sessions/Shop A · 小店/")
    elif what == "qr":
        page.goto(f"{demo.url}/sessions/")
        page.locator("main a.primary").first.click()
        page.locator("dialog input[name=name]").fill("Wholesale · 批发")
        page.locator("dialog input[name=name]").press("Enter")
        page.wait_for_selector("dialog .qr-frame svg")
    elif what == "simulator":
        page.goto(f"{demo.url}/simulator/")
    elif what == "list":
        page.goto(f"{demo.url}/inbox/")
    else:
        page.goto(f"{demo.url}/inbox/")
        page.locator("#conversation-rows a").first.click()
        page.wait_for_selector("#composer, .read-only")
        box = page.locator("#composer textarea")
        box.fill("如果 18:00 前没有收到，请直接告诉我，我来联系快递。")
    page.wait_for_timeout(600)


def take(demo: Demo, folder: Path, wanted: list[tuple[str, int, str, str]]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = _launch(playwright)
        for what, width, theme, language in wanted:
            page = _logged_in(browser, demo, width, theme, language)
            _show(page, demo, what)
            name = f"{what}-{width}-{theme}-{language.split('-')[0]}.png"
            page.screenshot(path=folder / name)
            print(name)
            page.context.close()
        browser.close()


def everything() -> list[tuple[str, int, str, str]]:
    pages = ("login", "board", "session", "qr", "list", "inbox", "simulator")
    return [
        (what, width, theme, language)
        for what in pages
        for width in SIZES
        for theme in ("light", "dark")
        for language in ("en", "zh-CN")
    ]


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
