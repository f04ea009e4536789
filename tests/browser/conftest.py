"""A real Chromium for all files of tests, and a real demo for each of them."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.browser.demo_process import Demo, Demos, copy_sources, start_demo

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo that was started once, on an empty folder, and nobody used."""
    folder: Path = tmp_path_factory.mktemp("fresh")
    copy_sources(folder)
    start_demo(folder).stop()
    return folder


@pytest.fixture(scope="package")
def demos(fresh: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demos]:
    started = Demos(fresh, tmp_path_factory.mktemp("demos"))
    yield started
    started.close()


@pytest.fixture(scope="module")
def demo(request: pytest.FixtureRequest, demos: Demos) -> Iterator[Demo]:
    """A demo of this file's own: what one file leaves there meets no other."""
    last = request.session.items[-1]
    running = demos.take(is_last=last.path == request.path)
    yield running
    if running.process.poll() is None:
        running.stop()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Ends with this package: Playwright's loop may not run beside the loops of async tests."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        if os.environ.get("REQUIRE_SERVICES") == "1":
            pytest.fail("Chromium is required here and is not installed")
        pytest.skip("Chromium is not installed (Debian: apt install chromium)")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    one = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    one.set_default_timeout(10_000)
    yield one
    one.close()


def log_in(page: Page, demo: Demo) -> None:
    """As the terminal says: open the address, type name and password."""
    # What a page under way asks for after its cookies are gone would bring another form token.
    page.goto("about:blank")
    page.context.clear_cookies()
    page.goto(demo.url)
    page.get_by_label("Username").fill(demo.username)
    page.get_by_label("Password").fill(demo.password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/inbox/")
