"""The ways that lead to a dialog, for tests that walk all of them.

The dialog itself; its address, with a reload and Back and Forward in the middle; a new tab; and a
browser without JavaScript.
"""

import re
import time
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import log_in
from tests.browser.contexts import Take
from tests.browser.demo_process import Demo
from tests.browser.shop import bound_shop, write

WAYS = ("dialog", "address", "new tab", "without JavaScript")
LINA = "李娜"
TEAM = """
from sessions_app.models import Team
Team.objects.get_or_create(name="Repairs")
"""
KNOWN = {
    "sessions:add": "sessions/add.html",
    "sessions:login": "login/_login.html",
    "sessions:scan": "login/scan_again.html",
    "sessions:rename": "sessions/rename.html",
    "sessions:pause": "sessions/pause.html",
    "sessions:default": "sessions/default.html",
    "sessions:log_out": "sessions/log_out.html",
    "sessions:link": "links/owner_link.html",
    "sessions:delete": "sessions/delete.html",
    "sessions:hand_over": "board/hand_over.html",
    "inbox:filters": "inbox/_filters.html",
    "inbox:assign": "work/assign.html",
    "inbox:label": "work/label.html",
    "inbox:snooze": "work/snooze.html",
    "inbox:transfer": "work/transfer.html",
    "inbox:resolve": "work/resolve.html",
}
"""Address and template of each dialog that the stories below walk."""

STEPS = {"work/snooze_sure.html", "contact/forget.html"}
"""Second steps, and what is asked twice: `tests/messaging/retention` has the pages."""

LIFE = ("add", "login", "rename", "pause", "default", "log_out", "link", "delete")
SCANS = ("add", "login", "scan", "log_out")

Opener = Callable[[Page], Locator]


class Way:
    """How somebody comes to a dialog, and what stands around it then."""

    def __init__(self, name: str, page: Page, demo: Demo) -> None:
        self.name, self.home, self.page, self.demo = name, page, page, demo
        self.walked: set[str] = set()

    @property
    def is_dialog(self) -> bool:
        return self.name == "dialog"

    @property
    def scope(self) -> Locator:
        return self.page.locator("#dialog[open]" if self.is_dialog else "#card")

    def open(self, dialog: str, start: str, opener: Opener, address: str) -> Locator:
        """To the dialog of this address, from the page where its button stands."""
        self.walked.add(dialog)
        if self.page is not self.home:
            self.page.close()
            self.page = self.home
        self.home.goto(f"{self.demo.url}{start}")
        if self.name == "new tab":
            with self.home.context.expect_page() as tab:
                opener(self.home).click(modifiers=["Control"])
            self.page = tab.value
            expect(self.home.locator("#dialog")).to_be_hidden()
        elif self.name == "address":
            self.page.goto(f"{self.demo.url}{address}")
            self.page.reload()
            self.page.go_back()
            expect(self.page).to_have_url(f"{self.demo.url}{start}")
            self.page.go_forward()
        else:
            opener(self.home).click()
        expect(self.scope.locator("#dialog-title")).to_be_visible()
        return self.scope

    def ends(self, address: str) -> None:
        """The dialog is gone; a page led on to this one."""
        if self.is_dialog:
            expect(self.scope).to_have_count(0)
        else:
            expect(self.page).to_have_url(re.compile(re.escape(self.demo.url + address)))
            expect(self.page.locator("#card")).to_have_count(0)

    def cancel(self, start: str) -> None:
        """Whoever thinks again is where they were; an address that was typed leads to the board."""
        self.scope.locator("[data-closes-dialog]").click()
        self.ends("/sessions/" if self.name == "address" else start)

    def reload(self, *, back_to: str = "") -> None:
        """In the middle: the page is still there, and the way it came is open."""
        if self.is_dialog:
            return
        here = self.page.url
        self.page.reload()
        if back_to:
            self.page.go_back()
            expect(self.page).to_have_url(f"{self.demo.url}{back_to}")
            self.page.go_forward()
        expect(self.page).to_have_url(here)


def open_shop(take: Take, demo: Demo) -> None:
    """A session, somebody who wrote, and a second team."""
    page = take().new_page()
    bound_shop(page, demo)
    write(demo, LINA, "hello")
    demo.python(TEAM)
    page.close()


def walking(name: str, take: Take, demo: Demo) -> Way:
    page = take(java_script_enabled=name != "without JavaScript").new_page()
    log_in(page, demo)
    return Way(name, page, demo)


def menu(session: str, entry: str) -> Opener:
    """In the menu of a row of the board."""

    def opener(page: Page) -> Locator:
        row = page.locator("#session-rows > tr").filter(
            has=page.get_by_role("link", name=session, exact=True)
        )
        row.locator("summary").click()
        return row.locator(f"[href$='/{entry}/'], [action$='/{entry}/'] button").last

    return opener


def submit(scope: Locator) -> None:
    scope.locator("button[type=submit]").last.click()


def handle(demo: Demo) -> str:
    return str(demo.read("logins")[-1]["handle"])


def phone(demo: Demo) -> str:
    """A WeChat account that nobody has used yet."""
    name = f"Phone {len(demo.read('accounts'))}"
    return str(demo.control("add_account", name=name)["name"])


def on_board(page: Page, demo: Demo, session: str) -> Locator:
    page.goto(f"{demo.url}/sessions/")
    return page.locator("#session-rows > tr").filter(
        has=page.get_by_role("link", name=session, exact=True)
    )


def receives(way: Way, session: str) -> None:
    """The board says so; without JavaScript once it is looked at again."""
    row = on_board(way.home, way.demo, session)
    if way.name == "without JavaScript":
        deadline = time.monotonic() + 10
        while "receiving" not in row.inner_text() and time.monotonic() < deadline:
            way.home.reload()
    expect(row).to_contain_text("receiving")


def scan(way: Way, account: str, **how: object) -> dict[str, str]:
    """The code is there and a phone scans it."""
    expect(way.scope.locator(".qr-frame svg")).to_be_visible()
    scanned: dict[str, str] = way.demo.control(
        "scan", handle=handle(way.demo), account=account, **how
    )
    return scanned


def confirm(way: Way) -> None:
    expect(way.scope.get_by_role("status")).to_contain_text("confirm")
    way.demo.control("confirm", handle=handle(way.demo))
    way.ends("/sessions/")
