"""A session is signed out; its owner, elsewhere, scans from a link. Then the session is deleted."""

import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import log_in
from tests.browser.contexts import Take
from tests.browser.demo_process import Demo

pytestmark = pytest.mark.browser

CODE = "QR code to scan with WeChat"
PHONE = {"width": 390, "height": 844}


@pytest.fixture
def console(context: BrowserContext, demo: Demo) -> Page:
    demo.control("switches", scripts_on=False)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    log_in(page, demo)
    page.goto(f"{demo.url}/sessions/")
    return page


def _ask_for_code(console: Page, name: str) -> None:
    console.get_by_role("link", name="Add account").first.click()
    dialog = console.get_by_role("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_label("Name").press("Enter")
    expect(dialog.get_by_role("img", name=CODE)).to_be_visible()


def _handle(demo: Demo) -> str:
    return str(demo.read("state")["logins"][-1]["handle"])


def _sockets(page: Page) -> list[str]:
    found: list[str] = []
    page.on("websocket", lambda socket: found.append(socket.url))
    return found


def test_the_owner_scans_from_a_link_elsewhere(console: Page, take: Take, demo: Demo) -> None:
    _ask_for_code(console, "Kiosk")
    dialog = console.get_by_role("dialog")
    dialog.get_by_role("button", name="Copy link for the owner").click()
    field = dialog.get_by_label("Link for the owner")
    expect(dialog.get_by_role("button", name="Copied")).to_be_visible()
    address = field.input_value()
    assert console.evaluate("navigator.clipboard.readText()") == address

    owner = take(viewport=PHONE).new_page()
    sockets = _sockets(owner)
    owner.goto(address)
    expect(owner.get_by_role("img", name=CODE)).to_be_visible()
    expect(owner.get_by_role("heading")).to_contain_text("“Kiosk”")
    demo.control("scan", handle=_handle(demo), account="Lin")
    expect(owner.get_by_role("status")).to_contain_text("Scanned. Now confirm on the phone.")
    demo.control("confirm", handle=_handle(demo))
    expect(owner.get_by_role("status")).to_contain_text("This link has been used.")
    expect(owner.locator("body")).not_to_contain_text("Kiosk")
    expect(console.get_by_role("row").filter(has_text="Kiosk")).to_contain_text("receiving")
    assert sockets == []
    assert owner.goto(address).status == 410  # type: ignore[union-attr]


def test_a_link_works_without_javascript_and_ends_when_revoked(
    console: Page, take: Take, demo: Demo
) -> None:
    _ask_for_code(console, "Annex")
    dialog = console.get_by_role("dialog")
    dialog.get_by_role("button", name="Copy link for the owner").click()
    address = dialog.get_by_label("Link for the owner").input_value()
    owner = take(viewport=PHONE, java_script_enabled=False).new_page()
    owner.goto(address)
    expect(owner.get_by_role("img", name=CODE)).to_be_visible()
    dialog.get_by_role("button", name="Revoke the link").click()
    expect(dialog.get_by_role("button", name="Copy link for the owner")).to_be_visible()
    expect(owner.get_by_role("status")).to_contain_text("This link was revoked")
    dialog.get_by_role("button", name=re.compile("Cancel")).click()


def test_deleting_asks_for_the_name_and_the_row_goes_everywhere(
    console: Page, context: BrowserContext, demo: Demo
) -> None:
    _ask_for_code(console, "Old shop")
    demo.control("scan", handle=_handle(demo), account="Guo")
    demo.control("confirm", handle=_handle(demo))
    row = console.get_by_role("row").filter(has_text="Old shop")
    expect(row).to_contain_text("receiving")
    expect(row.get_by_role("img", name=re.compile("^Last 24 hours"))).to_be_visible()
    other = context.new_page()
    other.goto(f"{demo.url}/sessions/")
    expect(other.get_by_role("row").filter(has_text="Old shop")).to_be_visible()
    for action in ("Log out", "Delete"):
        row.get_by_label("More for Old shop").click()
        row.get_by_role("link", name=f"{action} Old shop").click()
        dialog = console.get_by_role("dialog")
        if action == "Delete":
            dialog.get_by_role("button", name="Delete Old shop").click()
            expect(dialog.get_by_role("alert")).to_contain_text("The name does not match.")
            dialog.get_by_label("Account name").fill("Old shop")
        dialog.get_by_role("button", name=f"{action} Old shop").click()
        expect(dialog).to_be_hidden()
    expect(row).to_have_count(0)
    expect(other.get_by_role("row").filter(has_text="Old shop")).to_have_count(0)


def test_a_visitor_comes_by_invitation(console: Page, take: Take, demo: Demo) -> None:
    console.get_by_role("link", name="Invitations").click()
    console.get_by_label("Name prefix").fill("Fair")
    console.get_by_role("button", name="Make the invitation").click()
    address = console.get_by_label("Address of Fair").input_value()
    visitor = take(viewport=PHONE, has_touch=True).new_page()
    visitor.goto(address)
    visitor.get_by_role("button", name="Show my code").click()
    expect(visitor.get_by_role("img", name=CODE)).to_be_visible()
    demo.control("scan", handle=_handle(demo), account="Guo")
    demo.control("confirm", handle=_handle(demo))
    expect(visitor.get_by_role("status")).to_contain_text("Connected.")
    console.reload()
    expect(console.get_by_role("main").get_by_role("link", name="Fair 0001")).to_be_visible()
