"""A real Chromium for all files of tests, and a real demo for each of them."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.browser.contexts import Contexts, Take
from tests.browser.demo_process import Demo, Demos, copy_sources, start_demo

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
# Two browsers side by side share the processors.
expect.set_options(timeout=20_000)
SIGNED_IN = ("weilink_session", "weilink_csrf")


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo that was started once, on an empty folder, and nobody used; one for all workers."""
    base: Path = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / "fresh"
    with (base / "fresh.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "demo.log").exists():
            folder.mkdir()
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


@pytest.fixture(scope="package")
def contexts(browser: Browser) -> Contexts:
    return Contexts(browser)


@pytest.fixture
def take(contexts: Contexts) -> Iterator[Take]:
    with contexts.lent() as lent:
        yield lent


@pytest.fixture(scope="module")
def take_for_all(contexts: Contexts) -> Iterator[Take]:
    """For what all tests of a file share."""
    with contexts.lent() as lent:
        yield lent


@pytest.fixture
def context(take: Take) -> BrowserContext:
    return take()


@pytest.fixture
def own_context(browser: Browser) -> Iterator[BrowserContext]:
    """For a clock of the test's own, which nothing takes out of a context again."""
    one = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    one.set_default_timeout(30_000)
    yield one
    one.close()


def log_in(page: Page, demo: Demo, username: str = "", password: str = "") -> None:
    """Through the form, the first time; later with what the form gave the browser then."""
    username, password = username or demo.username, password or demo.password
    if page.url != "about:blank":
        # What a page under way asks for after its cookies are gone would bring another form token.
        page.goto("about:blank")
    page.context.clear_cookies()
    if username in demo.signed_in:
        page.context.add_cookies(demo.signed_in[username])
        page.goto(f"{demo.url}/inbox/")
        if page.url == f"{demo.url}/inbox/":
            return
    log_in_by_form(page, demo, username, password)
    demo.signed_in[username] = [
        {"name": one["name"], "value": one["value"], "url": demo.url}
        for one in page.context.cookies(demo.url)
        if one["name"] in SIGNED_IN
    ]


def log_in_by_form(page: Page, demo: Demo, username: str, password: str) -> None:
    """As the terminal says: open the address, type name and password."""
    page.goto(demo.url)
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url("**/inbox/")
