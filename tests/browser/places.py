"""Every page and dialog of the console, and how a person gets there: for tests that visit all.

A place is a name and a walk; each begins anywhere and ends with the page at rest.
"""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from tests.browser.demo_process import Demo
from tests.browser.shop import open_thread, write

Walk = Callable[[Page, Demo], None]


@dataclass(frozen=True, slots=True)
class Place:
    """`signed_in`: False for pages that answer without a login."""

    name: str
    walk: Walk
    signed_in: bool = True


def _page(path: str) -> Walk:
    def walk(page: Page, demo: Demo) -> None:
        page.goto(f"{demo.url}{path}")

    return walk


def _wrong_login(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/accounts/login/")
    page.locator("input[name=username]").fill("nobody")
    page.locator("input[name=password]").fill("wrong")
    page.locator("input[name=password]").press("Enter")
    page.wait_for_selector(".notice.bad")


def _add(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/sessions/")
    page.locator("main a.primary").first.click()
    page.wait_for_selector("dialog[open] input[name=name]")


def _name_refused(page: Page, demo: Demo) -> None:
    _add(page, demo)
    page.locator("dialog input[name=name]").press("Enter")
    page.wait_for_selector("dialog .errors")


def _code(page: Page, demo: Demo) -> None:
    _add(page, demo)
    page.locator("dialog input[name=name]").fill(f"Kiosk {time.monotonic_ns()}")
    page.locator("dialog input[name=name]").press("Enter")
    page.wait_for_selector("dialog .qr-frame svg")


def _menu(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/sessions/")
    page.locator("#session-rows details[data-menu] summary").first.click()
    page.wait_for_selector("#session-rows details[open] .menu-panel")


def _from_menu(name: str) -> Walk:
    def walk(page: Page, demo: Demo) -> None:
        _menu(page, demo)
        page.locator("#session-rows details[open]").get_by_text(re.compile(name)).first.click()
        page.wait_for_selector("#dialog[open]")

    return walk


def _thread(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/inbox/")
    open_thread(page, "李娜")


def _renaming(page: Page, demo: Demo) -> None:
    _thread(page, demo)
    page.locator(".thread-head").get_by_role("link", name="Rename 李娜").click()
    page.wait_for_selector(".name-form input:not([type=hidden])")


def _keys(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/inbox/")
    page.keyboard.press("?")
    page.wait_for_selector("#keys[open]")


def _palette(page: Page, demo: Demo) -> None:
    _thread(page, demo)
    page.keyboard.press("Control+k")
    page.keyboard.type("li")
    expect(page.get_by_role("option", name=re.compile("李娜"))).to_be_visible()


def _user_menu(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/account/")
    page.locator(".rail-foot details summary").click()
    page.wait_for_selector(".rail-foot .menu-panel")


def _wrong_settings(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/settings/")
    page.locator("input[name=window_hours]").fill("0")
    page.get_by_role("button", name="Save the settings").click()
    page.wait_for_selector(".errors")


def _wrong_password(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/account/")
    page.get_by_role("button", name="Change the password").click()
    page.wait_for_selector(".errors")


def _scan_page(page: Page, demo: Demo) -> None:
    _code(page, demo)
    page.get_by_role("dialog").get_by_role("button", name="Copy link for the owner").click()
    field = page.get_by_role("dialog").get_by_label("Link for the owner")
    page.goto(_here(demo, field.input_value()))
    page.wait_for_selector("main")


def _invite_page(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/sessions/-/invitations/")
    page.goto(_here(demo, page.get_by_label("Address of Fair").input_value()))
    page.wait_for_selector("main")


def _here(demo: Demo, address: str) -> str:
    return demo.url + re.sub(r"^https?://[^/]+", "", address)


EMPTY = (
    Place("board without sessions", _page("/sessions/")),
    Place("inbox without conversations", _page("/inbox/")),
)

PLACES = (
    Place("login", _page("/accounts/login/"), signed_in=False),
    Place("login refused", _wrong_login, signed_in=False),
    Place("board", _page("/sessions/")),
    Place("menu of a session", _menu),
    Place("add a session", _add),
    Place("a name refused", _name_refused),
    Place("QR code", _code),
    Place("rename", _from_menu("^Rename")),
    Place("log out", _from_menu("^Log out")),
    Place("session", _page("/sessions/Shop A/")),
    Place("scan links", _page("/sessions/-/links/")),
    Place("invitations", _page("/sessions/-/invitations/")),
    Place("scan page", _scan_page),
    Place("invite page", _invite_page),
    Place("list", _page("/inbox/")),
    Place("thread", _thread),
    Place("renaming a person", _renaming),
    Place("keys", _keys),
    Place("palette", _palette),
    Place("menu of the person", _user_menu),
    Place("settings", _page("/settings/")),
    Place("settings refused", _wrong_settings),
    Place("account", _page("/account/")),
    Place("password refused", _wrong_password),
    Place("nowhere", _page("/nowhere/")),
)


def fill(page: Page, demo: Demo) -> None:
    """Once there is a shop: people who write, a link for an owner, an invitation."""
    for person in ("王师傅", "Tom Baker", "李娜"):
        write(
            demo, person, f"hello from {person}\nhttps://example.com/a-long-address?of=many&words=1"
        )
    page.goto(f"{demo.url}/inbox/")
    expect(page.locator("#conversation-rows > li")).to_have_count(3)
    page.goto(f"{demo.url}/sessions/-/invitations/")
    page.get_by_label("Names begin with").fill("Fair")
    page.get_by_role("button", name="Make the invitation").click()
    expect(page.get_by_label("Address of Fair")).to_be_visible()


def all_places(page: Page, demo: Demo, log_in: Callable[[Page, Demo], None]) -> Iterator[Place]:
    """Visit each place; those without a login after those with one."""
    for place in sorted(PLACES, key=lambda one: not one.signed_in):
        if not place.signed_in:
            page.context.clear_cookies()
        place.walk(page, demo)
        yield place
    log_in(page, demo)
