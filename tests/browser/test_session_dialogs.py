"""Every dialog of a session works through to its end, as a dialog and as a page of its own."""

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.contexts import Take
from tests.browser.demo_process import Demo
from tests.browser.ways import (
    LIFE,
    SCANS,
    WAYS,
    Way,
    confirm,
    handle,
    menu,
    on_board,
    open_shop,
    phone,
    receives,
    scan,
    submit,
    walking,
)

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def shop(take_for_all: Take, demo: Demo) -> None:
    open_shop(take_for_all, demo)


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, take: Take, demo: Demo, shop: None) -> Way:
    return walking(request.param, take, demo)


def test_the_life_of_a_session(way: Way) -> None:
    name = f"Kiosk {way.name}"
    _add(way, name, phone(way.demo))
    name = _rename(way, name)
    _pause(way, name)
    _make_default(way, name)
    _log_out(way, name)
    _link_for_the_owner(way, name)
    _delete(way, name)
    assert way.walked == {f"sessions:{one}" for one in LIFE}


def test_scanning_a_session_again(way: Way) -> None:
    """With digits, by another account, and after nobody scanned in time."""
    name, owner = f"Till {way.name}", phone(way.demo)
    _add(way, name, owner)
    _scan_again_with_digits(way, name, owner)
    _another_account(way, name)
    _log_out(way, name)
    _expired_and_started_again(way, name, owner)
    assert way.walked == {f"sessions:{one}" for one in SCANS}


def _add(way: Way, name: str, owner: str) -> None:
    start = "/sessions/"
    scope = way.open(
        "sessions:add", start, lambda page: page.locator("main a.primary").first, "/sessions/-/add/"
    )
    way.cancel(start)
    scope = way.open(
        "sessions:add", start, lambda page: page.locator("main a.primary").first, "/sessions/-/add/"
    )
    scope.locator("[name=name]").fill("a/b")
    submit(scope)
    expect(scope.locator(".errors")).to_contain_text("/ \\ or :")
    if not way.is_dialog:  # no browser keeps that answer, so Back could not lead to it
        scope = way.open(
            "sessions:add",
            start,
            lambda page: page.locator("main a.primary").first,
            "/sessions/-/add/",
        )
    scope.locator("[name=name]").fill(name)
    submit(scope)
    expect(scope.locator(".qr-frame svg")).to_be_visible()
    way.walked.add("sessions:login")
    way.reload(back_to="/sessions/-/add/")
    scan(way, owner)
    way.reload()
    confirm(way)
    receives(way, name)


def _rename(way: Way, name: str) -> str:
    scope = way.open(
        "sessions:rename", "/sessions/", menu(name, "rename"), f"/sessions/{name}/rename/"
    )
    scope.locator("[name=new_name]").fill("Shop A")
    submit(scope)
    expect(scope.locator(".errors")).to_contain_text("Shop A")
    scope.locator("[name=new_name]").fill(f"{name} 2")
    submit(scope)
    way.ends(f"/sessions/{name} 2/".replace(" ", "%20"))
    expect(on_board(way.home, way.demo, f"{name} 2")).to_be_visible()
    return f"{name} 2"


def _pause(way: Way, name: str) -> None:
    address = f"/sessions/{name}/pause/"
    way.open("sessions:pause", "/sessions/", menu(name, "pause"), address)
    way.cancel("/sessions/")
    submit(way.open("sessions:pause", "/sessions/", menu(name, "pause"), address))
    way.ends(_page_of(name))
    row = on_board(way.home, way.demo, name)
    expect(row).to_contain_text("paused")
    row.locator("[action$='/resume/'] .button").click()
    receives(way, name)


def _page_of(name: str) -> str:
    return f"/sessions/{name}/".replace(" ", "%20")


def _make_default(way: Way, name: str) -> None:
    """The other of two: the first session of all is the default by itself."""
    if "default" in on_board(way.home, way.demo, name).inner_text():
        name = "Shop A"
    address = f"/sessions/{name}/default/"
    submit(way.open("sessions:default", "/sessions/", menu(name, "default"), address))
    way.ends(_page_of(name))
    expect(on_board(way.home, way.demo, name)).to_contain_text("default")


def _scan_again_with_digits(way: Way, name: str, owner: str) -> None:
    scope = way.open("sessions:scan", "/sessions/", menu(name, "scan"), f"/sessions/{name}/scan/")
    submit(scope)
    digits = scan(way, owner, ask_code=True)["digits"]
    field = scope.locator("[name=code]")
    field.fill("no digits")
    submit(scope.locator(".digits-form"))
    expect(scope.get_by_role("alert")).to_contain_text("digits")
    way.reload()
    expect(field).to_be_visible()
    field.fill("111111" if digits != "111111" else "222222")
    submit(scope.locator(".digits-form"))
    expect(scope.get_by_role("status")).to_contain_text("wrong")
    field.fill(digits)
    submit(scope.locator(".digits-form"))
    confirm(way)
    receives(way, name)


def _another_account(way: Way, name: str) -> None:
    scope = way.open("sessions:scan", "/sessions/", menu(name, "scan"), f"/sessions/{name}/scan/")
    submit(scope)
    scan(way, phone(way.demo))
    expect(scope.get_by_role("status")).to_contain_text("confirm")
    way.demo.control("confirm", handle=handle(way.demo))
    scope.locator("[data-closes-dialog]").click()  # later
    way.ends("/sessions/")
    scope = way.open(
        "sessions:login",
        "/sessions/",
        lambda page: page.locator("#undecided a"),
        urlsplit(str(way.page.evaluate(UNDECIDED)) or "/").path if not way.is_dialog else "/",
    )
    scope.locator("[name=name]").fill(name)
    scope.locator("[value=new]").click()
    expect(scope.get_by_role("alert").first).to_contain_text(name)
    scope.locator("[name=name]").fill(f"{name} other")
    scope.locator("[value=new]").click()
    way.ends("/sessions/")
    receives(way, f"{name} other")


UNDECIDED = "document.querySelector('#undecided a')?.href ?? ''"


def _log_out(way: Way, name: str) -> None:
    submit(
        way.open(
            "sessions:log_out", "/sessions/", menu(name, "log-out"), f"/sessions/{name}/log-out/"
        )
    )
    way.ends(_page_of(name))
    state = on_board(way.home, way.demo, name).locator(".state-column .state")
    expect(state).not_to_contain_text("receiving")


def _link_for_the_owner(way: Way, name: str) -> None:
    scope = way.open("sessions:link", "/sessions/", menu(name, "link"), f"/sessions/{name}/link/")
    if way.name == "address":
        expect(scope.locator("#owner-link")).to_have_count(0)
        submit(scope)
    expect(scope.locator("#owner-link")).to_have_value(re.compile("/scan/"))
    link = scope.locator("#owner-link").input_value()
    way.reload()
    expect(scope.locator("#owner-link")).to_have_value(link)
    way.scope.locator("[data-closes-dialog]").click()
    way.ends("/sessions/")


def _expired_and_started_again(way: Way, name: str, owner: str) -> None:
    """Signed out, a session asks for its scan at once: its button is a form."""
    scope = way.open(
        "sessions:scan",
        "/sessions/",
        lambda page: on_board(page, way.demo, name).locator("[action$='/scan/'] button").first,
        f"/sessions/{name}/scan/",
    )
    if way.name == "address":
        submit(scope)
    for number in (1, 2, 3):
        expect(scope).to_contain_text(f"({number} of 3)")  # before, the newest code is another's
        way.demo.control("expire", handle=handle(way.demo))
    expect(scope.locator("[data-final]")).to_be_visible()
    before = way.page.url
    submit(scope)
    expect(scope).to_contain_text("(1 of 3)")
    if not way.is_dialog:
        assert way.page.url != before  # of the new login, to be reloaded
    way.reload()
    scan(way, owner)
    confirm(way)


def _delete(way: Way, name: str) -> None:
    scope = way.open(
        "sessions:delete", "/sessions/", menu(name, "delete"), f"/sessions/{name}/delete/"
    )
    scope.locator("[name=name]").fill("another")
    submit(scope)
    expect(scope.locator(".errors")).to_be_visible()
    scope.locator("[name=name]").fill(name)
    submit(scope)
    way.ends("/sessions/")
    expect(on_board(way.home, way.demo, name)).to_have_count(0)


def test_receiving_is_handed_over_and_taken_back(way: Way) -> None:
    submit(
        way.open(
            "sessions:hand_over",
            "/sessions/",
            lambda page: page.locator("#hand-over a"),
            "/sessions/-/folder/hand-over/",
        )
    )
    way.ends("/sessions/")
    way.home.goto(f"{way.demo.url}/sessions/")
    way.home.locator("[action$='/take-back/'] button").click()
    expect(way.home.locator("#hand-over a")).to_be_visible()
