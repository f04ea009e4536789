"""Every status of a QR login, in words, on four screens at once: two themes, two widths.

One screen asks for the code in its dialog; the other three watch the same login on its page.
"""

import contextlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.conftest import log_in
from tests.browser.demo_process import Demo

pytestmark = pytest.mark.browser

SIZES = {1440: 900, 390: 844}
CODE = "QR code to scan with WeChat"
SCAN_TITLE = re.compile("^Scan with the WeChat account of")

SAYS = """new MutationObserver(() => {
  const words = document.querySelector("[data-login-id] [role=status]")?.textContent;
  if (words && words !== window.lastSaid) { window.lastSaid = words; console.info(words); }
}).observe(document, {subtree: true, childList: true, characterData: true});"""

CONTRAST = """(element) => {
  const pixel = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const rgb = (colour) => {
    pixel.clearRect(0, 0, 1, 1);
    pixel.fillStyle = colour;
    pixel.fillRect(0, 0, 1, 1);
    return [...pixel.getImageData(0, 0, 1, 1).data];
  };
  const light = (colour) => rgb(colour).slice(0, 3)
    .map((part) => part / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
    .reduce((sum, part, at) => sum + part * [0.2126, 0.7152, 0.0722][at], 0);
  let ground = element;
  while (rgb(getComputedStyle(ground).backgroundColor)[3] < 255) ground = ground.parentElement;
  const both = [light(getComputedStyle(element).color), light(getComputedStyle(ground).backgroundColor)];
  return (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
}"""  # noqa: E501


@dataclass
class Screens:
    """`asks` has the dialog open; all of them, it too, show one login."""

    demo: Demo
    pages: list[Page]
    asks: Page

    @property
    def panels(self) -> list[Locator]:
        return [page.locator("[data-login-id]") for page in self.pages]

    @property
    def dialog(self) -> Locator:
        return self.asks.get_by_role("dialog")

    def begin(self, name: str) -> None:
        """Ask for a code of a new session in the dialog; the others open the same login."""
        self.asks.goto(f"{self.demo.url}/sessions/")
        self.asks.get_by_role("link", name=re.compile("^Add (the first )?account$")).first.click()
        self.dialog.get_by_label("Name").fill(name)
        self.dialog.get_by_role("button", name="Show the QR code").click()
        self.watch()

    def watch(self) -> None:
        """The others open the login that the dialog shows."""
        expect(self.dialog.get_by_role("heading", name=SCAN_TITLE)).to_be_visible()
        login_id = self.dialog.locator("[data-login-id]").get_attribute("data-login-id")
        for page in self.pages:
            if page is not self.asks:
                page.goto(f"{self.demo.url}/sessions/logins/{login_id}/")
        self.show("Waiting for the scan.", code="1 of 3")

    def show(self, words: str, *, code: str = "") -> None:
        """Every screen says so, legibly; `code`: which of the codes can be scanned now."""
        for page, panel in zip(self.pages, self.panels, strict=True):
            status = panel.get_by_role("status")
            expect(status).to_have_text(words)
            assert status.evaluate(CONTRAST) >= 4.5, words
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            picture = panel.get_by_role("img", name=CODE)
            expect(picture).to_have_count(1 if code else 0)
            if code:
                expect(panel).to_contain_text(f"({code})")
                ground = picture.evaluate("(frame) => getComputedStyle(frame).backgroundColor")
                assert ground == "rgb(255, 255, 255)"  # black on white in both themes

    @contextlib.contextmanager
    def all_hear(self, words: str) -> Iterator[None]:
        """For what stands for a moment only: then every screen goes on to the board by itself."""
        with contextlib.ExitStack() as stack:
            for page in self.pages:
                stack.enter_context(page.expect_console_message(lambda line: line.text == words))
            yield
        expect(self.dialog).to_be_hidden()
        for page in self.pages:
            expect(page).to_have_url(f"{self.demo.url}/sessions/")

    @property
    def handle(self) -> str:
        """The newest code, as the simulated WeChat knows it."""
        return str(self.demo.read("logins")[-1]["handle"])

    def scan(self, account: str, **how: Any) -> dict[str, Any]:
        scanned: dict[str, Any] = self.demo.control(
            "scan", handle=self.handle, account=account, **how
        )
        return scanned

    def type_digits(self, panel: Locator, digits: str) -> None:
        panel.get_by_label("Digits that the phone shows").fill(digits)
        panel.get_by_role("button", name="Send the digits").click()

    def connect(self, name: str, account: str) -> None:
        """Bind a session, so that a later scan meets it."""
        self.begin(name)
        self.scan(account)
        with self.all_hear(f"“{name}” is connected."):
            self.demo.control("confirm", handle=self.handle)
        expect(self.row(name)).to_contain_text("receiving")

    def row(self, name: str) -> Locator:
        return self.asks.get_by_role("row").filter(has=self.asks.get_by_role("link", name=name))

    def force(self, name: str) -> None:
        """“Scan again” on a connected session asks, and says what a scan would end."""
        self.row(name).get_by_label(f"More for {name}").click()
        self.row(name).get_by_role("link", name=f"Scan again {name}").click()
        expect(self.dialog.get_by_role("heading")).to_have_text(f"Scan “{name}” again?")
        expect(self.dialog).to_contain_text(f"“{name}” is connected and stays so")
        expect(self.dialog).to_contain_text("A scan ends the old connection for good")
        self.dialog.get_by_role("button", name="Show a new code").click()
        self.watch()


@pytest.fixture(scope="module")
def signed_in(browser: Browser, demo: Demo) -> Iterator[list[BrowserContext]]:
    """Four screens of one person: wide and narrow, light and dark."""
    demo.control("switches", scripts_on=False)
    contexts = []
    for width, height in SIZES.items():
        for theme in ("light", "dark"):
            one = browser.new_context(
                viewport={"width": width, "height": height},
                color_scheme=theme,
                locale="en-GB",
            )
            one.set_default_timeout(10_000)
            one.add_init_script(SAYS)
            log_in(one.new_page(), demo)
            contexts.append(one)
    yield contexts
    for one in contexts:
        one.close()


Open = Callable[[int], Screens]


@pytest.fixture
def on(signed_in: list[BrowserContext], demo: Demo) -> Open:
    """`on(n)`: the n-th screen asks (0 wide and light, 3 narrow and dark)."""
    demo.control("switches", verify_code_tries=3, redirect_host="")
    pages = [context.pages[0] for context in signed_in]
    return lambda number: Screens(demo, pages, pages[number])


def test_waiting_scanned_confirmed(on: Open, demo: Demo) -> None:
    screens = on(0)
    screens.begin("Kiosk")
    expect(screens.dialog).to_contain_text("connecting it here ends its connection elsewhere")
    screens.scan("Lin")
    screens.show("Scanned. Now confirm on the phone.")
    with screens.all_hear("“Kiosk” is connected."):
        demo.control("confirm", handle=screens.handle)
    for page in screens.pages:
        expect(page.get_by_role("row").filter(has_text="Kiosk")).to_contain_text("receiving")


def test_digits_required_wrong_and_right(on: Open, demo: Demo) -> None:
    screens = on(3)
    screens.begin("Digits")
    digits = str(screens.scan(_phone(demo), ask_code=True)["digits"])
    screens.show("Type the digits that the phone shows.")
    expect(screens.dialog.get_by_label("Digits that the phone shows")).to_be_focused()
    screens.type_digits(screens.dialog, "no digits")
    expect(screens.dialog.get_by_role("alert")).to_have_text(
        "Type the digits that the phone shows."
    )
    with screens.asks.expect_console_message(lambda line: line.text == "Checking the digits…"):
        screens.type_digits(screens.dialog, _other_than(digits))
    screens.show("Those digits were wrong. Look at the phone and try again.")
    screens.type_digits(screens.panels[0], digits)  # another screen than the one that asked
    screens.show("Scanned. Now confirm on the phone.")
    with screens.all_hear("“Digits” is connected."):
        demo.control("confirm", handle=screens.handle)


def test_too_many_wrong_digits_bring_a_new_code(on: Open, demo: Demo) -> None:
    demo.control("switches", verify_code_tries=1)
    screens = on(0)
    screens.begin("Blocked")
    digits = str(screens.scan(_phone(demo), ask_code=True)["digits"])
    screens.show("Type the digits that the phone shows.")
    screens.type_digits(screens.panels[1], _other_than(digits))
    screens.show("Too many wrong digits. This is a new code: scan it again.", code="2 of 3")


def test_refreshed_twice_then_given_up_and_started_again(on: Open, demo: Demo) -> None:
    screens = on(3)
    screens.begin("Late")
    for number in (2, 3):
        demo.control("expire", handle=screens.handle)
        screens.show("The last code has expired. This is a new one.", code=f"{number} of 3")
    demo.control("expire", handle=screens.handle)
    screens.show("Nobody scanned in time. Press “New code” to get another one.")
    screens.dialog.get_by_role("button", name="New code").click()
    expect(screens.dialog.get_by_role("status")).to_have_text("Waiting for the scan.")
    expect(screens.dialog).to_contain_text("(1 of 3)")


def test_an_account_that_is_connected_already_changes_nothing(on: Open, demo: Demo) -> None:
    screens, account = on(0), _phone(demo)
    screens.connect("First", account)
    screens.begin("Second")
    screens.scan(account)
    screens.show("This WeChat account is already connected here. Nothing was changed.")
    screens.dialog.get_by_role("link", name="Close").click()
    expect(screens.dialog).to_be_hidden()
    expect(screens.asks.get_by_role("main")).not_to_contain_text("Second")
    expect(screens.row("First")).to_contain_text("receiving")


def test_another_account_replaces_the_old_one(on: Open, demo: Demo) -> None:
    screens = on(0)
    screens.connect("Till", _phone(demo))
    screens.force("Till")
    screens.scan(_phone(demo))
    demo.control("confirm", handle=screens.handle)
    screens.show("This is not the WeChat account that “Till” had before.")
    screens.dialog.get_by_role("link", name="Decide later").click()
    expect(screens.dialog).to_be_hidden()
    screens.asks.get_by_role("link", name="Choose where the other account of Till belongs").click()
    with screens.all_hear("“Till” is connected."):
        screens.dialog.get_by_role("button", name="Replace the account of Till").click()
    expect(screens.row("Till")).to_have_count(1)
    expect(screens.row("Till")).to_contain_text("receiving")


def test_another_account_becomes_a_session_of_its_own(on: Open, demo: Demo) -> None:
    screens = on(3)
    screens.connect("Desk", _phone(demo))
    screens.force("Desk")
    screens.scan(_phone(demo))
    demo.control("confirm", handle=screens.handle)
    screens.show("This is not the WeChat account that “Desk” had before.")
    name = screens.dialog.get_by_label("Name of the new account")
    for wrong, words in (
        ("desk", "An account named “Desk” already exists."),
        ("a/b", "/ \\ or :"),
    ):
        name.fill(wrong)
        screens.dialog.get_by_role("button", name="Keep as a new account").click()
        expect(screens.dialog.get_by_role("alert")).to_contain_text(words)
    name.fill("RunInDatabaseThread two")
    with screens.all_hear("“RunInDatabaseThread two” is connected."):
        screens.dialog.get_by_role("button", name="Keep as a new account").click()
    expect(screens.row("RunInDatabaseThread two")).to_contain_text("receiving")
    expect(screens.row("Desk").first).to_contain_text("receiving")


def test_a_failure_says_why_and_can_be_started_again(on: Open, demo: Demo) -> None:
    demo.control("switches", redirect_host="evil.example")
    screens = on(0)
    screens.begin("Broken")
    screens.scan(_phone(demo), redirect=True)
    screens.show("Login failed: WeChat named an address that is not allowed: evil.example.")
    for panel in screens.panels:
        expect(panel.get_by_role("button", name="New code")).to_be_visible()


def test_cancelling_tells_everybody_who_watches(on: Open, demo: Demo) -> None:
    screens = on(3)
    screens.begin("Never")
    with screens.all_hear("Cancelled. Nothing was changed."):
        screens.dialog.get_by_role("button", name="Cancel the login of Never").click()
    for page in screens.pages:
        expect(page.get_by_role("main")).not_to_contain_text("Never")


def test_closing_the_dialog_ends_nothing_for_the_others(on: Open, demo: Demo) -> None:
    screens = on(0)
    screens.begin("Shared")
    screens.asks.keyboard.press("Escape")
    expect(screens.dialog).to_be_hidden()
    others = Screens(demo, screens.pages[1:], screens.pages[1])
    others.show("Waiting for the scan.", code="1 of 3")
    others.scan(_phone(demo))
    others.show("Scanned. Now confirm on the phone.")
    with others.all_hear("“Shared” is connected."):
        demo.control("confirm", handle=others.handle)
    expect(screens.row("Shared")).to_contain_text("receiving")


def _phone(demo: Demo) -> str:
    """A WeChat account that nobody has used yet."""
    accounts = demo.read("accounts")
    return str(demo.control("add_account", name=f"Phone {len(accounts)}")["name"])


def _other_than(digits: str) -> str:
    return "111111" if digits != "111111" else "222222"
