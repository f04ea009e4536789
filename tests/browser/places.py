"""Every page and dialog of the console, and how a person gets there: for tests that visit all.

A place is a name and a walk; each begins anywhere and ends with the page at rest.
"""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import FilePayload, Page, expect

from tests.browser.demo_process import Demo
from tests.browser.shop import open_conversation
from tests.messaging.media import samples

WANG, TOM, LINA = "王师傅", "Tom Baker", "李娜"

Walk = Callable[[Page, Demo], None]


@dataclass(frozen=True, slots=True)
class Place:
    name: str
    walk: Walk


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


def _login_says(words: str, **how: Any) -> Walk:
    """A code that a phone scanned, up to the words that the dialog says then."""

    def walk(page: Page, demo: Demo) -> None:
        _code(page, demo)
        account = demo.control("add_account", name=f"Phone {time.monotonic_ns()}")["name"]
        demo.control("scan", handle=demo.read("logins")[-1]["handle"], account=account, **how)
        expect(page.get_by_role("dialog").get_by_role("status")).to_have_text(words)

    return walk


def _wrong_digits(page: Page, demo: Demo) -> None:
    _login_says("Type the digits that the phone shows.", ask_code=True)(page, demo)
    page.get_by_label("Digits that the phone shows").fill("no digits")
    page.get_by_role("button", name="Send the digits").click()
    page.wait_for_selector("dialog [role=alert]:not(:empty)")


def _nobody_scanned(page: Page, demo: Demo) -> None:
    _code(page, demo)
    for number in (1, 2, 3):
        expect(page.get_by_role("dialog")).to_contain_text(f"({number} of 3)")
        demo.control("expire", handle=demo.read("logins")[-1]["handle"])
    expect(page.get_by_role("dialog").locator("[data-final]")).to_be_visible()


def _menu_of(session: str) -> Walk:
    def walk(page: Page, demo: Demo) -> None:
        page.goto(f"{demo.url}/sessions/")
        page.get_by_label(f"More for {session}").click()
        page.wait_for_selector("#session-rows details[open] .menu-panel")

    return walk


def _from_menu(session: str, entry: str) -> Walk:
    def walk(page: Page, demo: Demo) -> None:
        _menu_of(session)(page, demo)
        page.locator("#session-rows").get_by_label(entry, exact=True).click()
        _dialog(page)

    return walk


def _hand_over(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/sessions/")
    page.get_by_role("link", name="Hand over receiving…").click()
    _dialog(page)


def _dialog(page: Page) -> None:
    page.wait_for_selector("#dialog[open] #dialog-title")


def _conversation_of(person: str) -> Walk:
    def walk(page: Page, demo: Demo) -> None:
        page.goto(f"{demo.url}/inbox/")
        open_conversation(page, person)

    return walk


_thread = _conversation_of(LINA)


def _conversation_dialog(button: str) -> Walk:
    def walk(page: Page, demo: Demo) -> None:
        _thread(page, demo)
        page.locator("#open-conversation, #context").get_by_role(
            "button", name=button
        ).first.click()
        _dialog(page)

    return walk


def _forget(page: Page, demo: Demo) -> None:
    _thread(page, demo)
    page.goto(f"{page.url.partition('?')[0]}forget/")


def _renaming(page: Page, demo: Demo) -> None:
    _thread(page, demo)
    page.locator(".conversation-head").get_by_role("link", name=f"Rename {LINA}").click()
    page.wait_for_selector(".name-form input:not([type=hidden])")


def _about(page: Page, demo: Demo) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    _thread(page, demo)
    page.get_by_role("button", name="About this person").click()
    expect(page.get_by_role("complementary", name="About this person")).to_be_visible()


def _picture(page: Page, demo: Demo) -> None:
    _thread(page, demo)
    page.get_by_role("link", name="Open Picture").first.click()
    page.wait_for_selector("#lightbox[open]")


def _emoji(page: Page, demo: Demo) -> None:
    _thread(page, demo)
    page.get_by_role("button", name="Insert an emoji").click()
    expect(page.locator("emoji-picker").get_by_role("menuitem").first).to_be_visible()


def _note(page: Page, demo: Demo) -> None:
    _thread(page, demo)
    page.locator(".composer-kinds").get_by_text("Note", exact=True).click()
    page.get_by_role("textbox", name="Internal note").press_sequentially("@")
    expect(page.get_by_role("option", name="Wei")).to_be_visible()


def _colleagues(page: Page, demo: Demo) -> None:
    _conversation_of(WANG)(page, demo)
    page.get_by_role("textbox", name=f"Reply to {WANG}").fill("mine")
    page.get_by_role("textbox", name=f"Reply to {WANG}").press("Enter")
    asked = page.locator("#composer-ask")
    expect(asked).to_contain_text("Wei is assigned to this conversation. Reply anyway?")


def _answered(page: Page, demo: Demo) -> None:
    """As for somebody who began before Wei answered."""
    _thread(page, demo)
    page.get_by_role("textbox", name=f"Reply to {LINA}").fill("second answer")
    page.locator("[name=seen_up_to]").evaluate("field => { field.value = 0; }")
    page.get_by_role("button", name="Send as Shop A").click()
    expect(page.locator("#composer-problem")).to_contain_text("Send anyway?")


def _undo(page: Page, demo: Demo) -> None:
    """With ten seconds to think again."""
    demo.python("from sessions_app.models import User; User.objects.update(undo_s=10)")
    _conversation_of(LINA)(page, demo)
    page.get_by_role("textbox", name=f"Reply to {LINA}").fill("too early")
    page.get_by_role("button", name="Send as Shop A").click()
    expect(page.locator("#undo-bar")).to_contain_text(re.compile(r"Sends in \d+ s"))
    demo.python("from sessions_app.models import User; User.objects.update(undo_s=0)")


def _tray(page: Page, demo: Demo) -> None:
    demo.python("from messaging.models import Upload; Upload.objects.all().delete()")
    _thread(page, demo)
    names, content = ("a-photo-of-the-parcel.png", "b.png"), samples.picture()
    files: list[FilePayload] = [
        {"name": name, "mimeType": "image/png", "buffer": content} for name in names
    ]
    page.get_by_label("Add files").set_input_files(files)
    expect(page.locator(".tray-file.is-here")).to_have_count(2)


def _views(page: Page, demo: Demo) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{demo.url}/inbox/")
    page.get_by_label("Choose a view").click()
    page.wait_for_selector(".view-menu[open] .menu-panel")


def _filters(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/inbox/")
    page.get_by_role("link", name="Filter the list").click()
    _dialog(page)


def _selected(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/inbox/")
    page.get_by_role("button", name="Select conversations").click()
    for person in (LINA, WANG):
        page.get_by_role("checkbox", name=f"Select {person}").check()
    expect(page.locator("#bulk")).to_contain_text("2 selected")


def _resolve_all(page: Page, demo: Demo) -> None:
    _selected(page, demo)
    page.get_by_role("button", name=re.compile("matching")).click()
    page.locator("#bulk").get_by_role("button", name="Resolve").click()
    _dialog(page)


def _keys(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/inbox/")
    page.wait_for_load_state()
    page.keyboard.press("?")
    page.wait_for_selector("#keys[open]")


def _palette(page: Page, demo: Demo) -> None:
    _thread(page, demo)
    page.keyboard.press("Control+k")
    page.keyboard.type("li")
    expect(page.get_by_role("option", name=re.compile(LINA))).to_be_visible()


def _line_down(page: Page, demo: Demo) -> None:
    _thread(page, demo)
    page.context.set_offline(True)
    expect(page.locator("#line-banner")).to_contain_text("offline")


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


def _token_refused(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/account/")
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_text("Choose at least one.")).to_be_visible()


def _new_token(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.url}/account/")
    page.locator("[name=token-name]").fill(f"script {time.monotonic_ns()}")
    page.get_by_label("Read conversations").check()
    page.get_by_role("button", name="Make a token").click()
    expect(page.get_by_label("Your new token.")).to_have_value(re.compile("^wlk_"))


EMPTY = (
    Place("board without sessions", _page("/sessions/")),
    Place("inbox without conversations", _page("/inbox/")),
)

PLACES = (
    Place("board", _page("/sessions/")),
    Place("menu of a session", _menu_of("Shop A")),
    Place("add a session", _add),
    Place("a name refused", _name_refused),
    Place("QR code", _code),
    Place("code scanned", _login_says("Scanned. Now confirm on the phone.")),
    Place("digits asked for", _login_says("Type the digits that the phone shows.", ask_code=True)),
    Place("digits refused", _wrong_digits),
    Place("no more codes", _nobody_scanned),
    Place("rename", _from_menu("Shop A", "Rename Shop A")),
    Place("scan again", _from_menu("Shop A", "Scan again Shop A")),
    Place("pause", _from_menu("Shop A", "Pause Shop A")),
    Place("log out", _from_menu("Shop A", "Log out Shop A")),
    Place("menu of a session signed out", _menu_of("Shop B")),
    Place("link for the owner", _from_menu("Shop B", "Copy link for the owner of Shop B")),
    Place("make default", _from_menu("Shop B", "Make default: Shop B")),
    Place("delete", _from_menu("Shop B", "Delete Shop B")),
    Place("hand over", _hand_over),
    Place("hand over, a page", _page("/sessions/-/folder/hand-over/")),
    Place("session", _page("/sessions/Shop A/")),
    Place("session signed out", _page("/sessions/Shop B/")),
    Place("scan links", _page("/sessions/-/links/")),
    Place("invitations", _page("/sessions/-/invitations/")),
    Place("scan page", _scan_page),
    Place("invite page", _invite_page),
    Place("introduction", _page("/settings/teams/1/")),
    Place("list", _page("/inbox/")),
    Place("views", _views),
    Place("filters", _filters),
    Place("rows selected", _selected),
    Place("resolve all", _resolve_all),
    Place("thread", _thread),
    Place("renaming a person", _renaming),
    Place("about a person", _about),
    Place("assign", _conversation_dialog("Assign to somebody")),
    Place("snooze", _conversation_dialog("Snooze")),
    Place("label", _conversation_dialog("Label: change the labels")),
    Place("another team", _conversation_dialog("Transfer")),
    Place("forget a person", _forget),
    Place("picture", _picture),
    Place("emoji", _emoji),
    Place("note", _note),
    Place("reply to send when they write", _conversation_of(TOM)),
    Place("reply not sent", _conversation_of(WANG)),
    Place("conversation of a colleague", _colleagues),
    Place("answered meanwhile", _answered),
    Place("tray", _tray),
    Place("undo", _undo),
    Place("line down", _line_down),
    Place("keys", _keys),
    Place("palette", _palette),
    Place("menu of the person", _user_menu),
    Place("settings", _page("/settings/")),
    Place("settings refused", _wrong_settings),
    Place("audit log", _page("/people/audit/")),
    Place("audit log without results", _page("/people/audit/?text=nobody-of-this-name")),
    Place("account", _page("/account/")),
    Place("a new token", _new_token),
    Place("a token refused", _token_refused),
    Place("password refused", _wrong_password),
    Place("nowhere", _page("/nowhere/")),
)

SIGNED_OUT = (
    Place("login", _page("/accounts/login/")),
    Place("login refused", _wrong_login),
)
