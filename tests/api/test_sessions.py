"""`/status` and `/sessions`: fields, changes, and every name at every door."""

from typing import Any
from urllib.parse import quote

import pytest
from django.utils import timezone

from sessions_app.models import LoginAttempt, Session
from sessions_app.sessions import names
from tests.api.callers import Caller, calling
from tests.conftest import Cast
from tests.messaging.builders import make_session

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_waiting_for_codes")]


@pytest.fixture
def caller(cast: Cast) -> Caller:
    return calling(cast.operator)


def test_status_of_nothing_and_of_two_sessions(caller: Caller, cast: Cast) -> None:
    empty = caller.get("/status").body
    assert set(empty) == {
        "version", "is_connected", "bot_id", "session_count", "connected_count", "is_held",
    }  # fmt: skip
    assert (empty["is_connected"], empty["bot_id"], empty["session_count"]) == (False, None, 0)
    assert empty["version"]

    make_session("Shop A")
    second = make_session("Shop B")
    make_session("Not ours", team=cast.other_team)
    Session.objects.filter(pk=second.pk).update(state="expired")
    got = caller.get("/status").body
    assert (got["is_connected"], got["bot_id"]) == (True, "Shop A@im.bot")
    assert (got["session_count"], got["connected_count"]) == (2, 1)
    elsewhere = calling(cast.agent_elsewhere).get("/status").body
    assert (elsewhere["session_count"], elsewhere["bot_id"]) == (1, None)


def test_a_session_has_exactly_the_fields_of_the_contract(caller: Caller) -> None:
    session = make_session("Shop A")
    (got,) = caller.get("/sessions").body["items"]
    assert set(got) == {
        "name", "bot_id", "user_id", "state", "is_default", "created_at", "last_poll_at",
        "last_message_at", "last_error",
    }  # fmt: skip
    assert (got["name"], got["bot_id"], got["user_id"]) == (
        "Shop A", "Shop A@im.bot", "owner-Shop A@im.wechat",
    )  # fmt: skip
    assert (got["state"], got["is_default"], got["last_message_at"]) == ("connected", True, None)
    assert got["last_poll_at"].endswith("Z")
    assert got["last_error"] is None

    Session.objects.filter(pk=session.pk).update(
        state="failing", error_code="http", error_detail="502"
    )
    (got,) = caller.get("/sessions").body["items"]
    assert (got["state"], got["last_error"]) == ("failing", "WeChat answered 502")


def test_sessions_are_listed_by_name_in_pages(
    caller: Caller, django_assert_max_num_queries: Any
) -> None:
    for name in ("c", "B", "a", "名字", "D"):
        make_session(name)
    seen, cursor = [], ""
    while cursor is not None:
        with django_assert_max_num_queries(5):
            page = caller.get("/sessions", limit=2, cursor=cursor).body
        seen += [one["name"] for one in page["items"]]
        cursor = page["next"]
    assert seen == ["a", "B", "c", "D", "名字"]


def test_a_session_is_renamed_paused_resumed_made_default_and_logged_out(caller: Caller) -> None:
    make_session("Shop A")
    make_session("Shop B")
    renamed = caller.post("/sessions/Shop A/rename", {"new_name": "Main shop"})
    assert (renamed.status, renamed.body["name"], renamed.body["state"]) == (
        200, "Main shop", "connected",
    )  # fmt: skip
    assert caller.post("/sessions/Main shop/pause").body["state"] == "paused"
    assert caller.post("/sessions/Main shop/resume").body["state"] == "connecting"
    assert caller.post("/sessions/Shop B/default").body["is_default"] is True
    assert [one["is_default"] for one in caller.get("/sessions").body["items"]] == [False, True]
    out = caller.post("/sessions/Shop B/logout")
    assert (out.body["state"], Session.objects.get(name="Shop B").encrypted_token) == (
        "logged_out",
        "",
    )
    for action in ("pause", "resume"):
        refused = caller.post(f"/sessions/Shop B/{action}")
        assert (refused.status, refused.code) == (409, "not_connected")


HOSTILE = {
    "../x": "name_forbidden",
    "a/b": "name_forbidden",
    "a\\b": "name_forbidden",
    "a:b": "name_forbidden",
    ".": "name_edges",
    "..": "name_edges",
    ".hidden": "name_edges",
    " x": "name_edges",
    "x ": "name_edges",
    "": "name_empty",
    "x" * 65: "name_too_long",
    "x" * 300: "name_too_long",
    "字" * 67: "name_too_long",
    "😀" * 51: "name_too_long",
    "a\nb": "name_invisible",
    "a\x7fb": "name_invisible",
    "a\u200bb": "name_invisible",
    "\u202eabc": "name_invisible",
    "token.json": "name_reserved",
    "Contexts.JSON": "name_reserved",
    "messages.db-wal": "name_reserved",
}
TOO_MUCH = ["x" * 401, "a\0b", "\ud800", 5, None, ["x"]]


@pytest.mark.parametrize(("name", "code"), HOSTILE.items(), ids=ascii)
def test_a_bad_name_is_422_at_both_doors_and_404_in_the_address(
    caller: Caller, name: str, code: str
) -> None:
    make_session("Shop A")
    renamed = caller.post("/sessions/Shop A/rename", {"new_name": name})
    assert (renamed.status, renamed.code) == (422, code)
    assert renamed.body["error"]["field"] == "new_name"
    started = caller.post("/logins", {"name": name})
    assert (started.status, started.code, started.body["error"]["field"]) == (422, code, "name")
    if name not in {"", ".", ".."}:
        address = caller.post(f"/sessions/{quote(name, safe='')}/pause")
        assert (address.status, address.code) in {(404, "unknown_session"), (404, "not_found")}
    assert [one.name for one in Session.objects.all()] == ["Shop A"]
    assert not LoginAttempt.objects.exists()


@pytest.mark.parametrize("name", TOO_MUCH, ids=ascii)
def test_what_is_no_name_at_all_is_422(caller: Caller, name: Any) -> None:
    make_session("Shop A")
    assert caller.post("/sessions/Shop A/rename", {"new_name": name}).code == "invalid"
    if name is not None:
        assert caller.post("/logins", {"name": name}).code == "invalid"


@pytest.mark.parametrize("name", ["名字", "Café", "😀 shop", "a.b", "100% & more?#", "x" * 64])
def test_a_good_name_works_at_every_door(caller: Caller, name: str) -> None:
    make_session("Shop A")
    assert caller.post("/sessions/Shop A/rename", {"new_name": name}).body["name"] == name
    place = f"/sessions/{quote(name, safe='')}"
    assert caller.post(f"{place}/pause").body["state"] == "paused"
    assert caller.post(f"{place}/rename", {"new_name": "Shop A"}).body["name"] == "Shop A"
    started = caller.post("/logins", {"name": name})
    assert (started.status, started.body["session"]) == (201, name)


def test_a_name_is_the_same_in_composed_and_decomposed_form(caller: Caller) -> None:
    make_session("Shop A")
    assert caller.post("/sessions/Shop A/rename", {"new_name": "Cafe\u0301"}).body["name"] == "Café"
    assert caller.post(f"/sessions/{quote('Cafe' + chr(0x301))}/pause").status == 200
    refused = caller.post("/logins", {"name": "Cafe\u0301"})
    assert refused.status == 201  # the paused session itself, not a second one
    assert LoginAttempt.objects.get().session == Session.objects.get()


@pytest.mark.parametrize("clash", ["shop a", "SHOP A", "Ｓhop A".replace("Ｓ", "S")])
def test_names_that_differ_in_case_only_clash(caller: Caller, clash: str) -> None:
    make_session("Shop A")
    make_session("Shop B")
    answer = caller.post("/sessions/Shop B/rename", {"new_name": clash})
    assert (answer.status, answer.code) == (409, "name_in_use")
    if clash != "Shop A":
        assert caller.post("/logins", {"name": clash}).code == "name_in_use"
        assert caller.post(f"/sessions/{quote(clash)}/pause").code == "unknown_session"
    # Its own name in another case is no clash.
    assert caller.post("/sessions/Shop A/rename", {"new_name": "SHOP a"}).body["name"] == "SHOP a"


def test_a_name_taken_in_another_team_clashes_and_is_not_met(caller: Caller, cast: Cast) -> None:
    make_session("Theirs", team=cast.other_team)
    make_session("Shop A")
    assert caller.post("/sessions/Theirs/pause").code == "unknown_session"
    assert caller.post("/sessions/Shop A/rename", {"new_name": "Theirs"}).code == "name_in_use"
    assert caller.post("/logins", {"name": "Theirs"}).code == "name_in_use"


def test_default_is_a_name_to_log_in_to_and_never_to_rename_to(caller: Caller) -> None:
    make_session("Shop A")
    refused = caller.post("/sessions/Shop A/rename", {"new_name": "Default"})
    assert (refused.status, refused.code) == (422, "name_default")
    # The session named so does not exist, though Shop A is the default one.
    assert caller.post("/sessions/default/pause").code == "unknown_session"
    started = caller.post("/logins", {"name": "default"})
    assert (started.status, started.body["session"]) == (201, "default")
    assert LoginAttempt.objects.get().session is None


def test_a_login_without_a_name_is_the_default_sessions(caller: Caller, cast: Cast) -> None:
    first = caller.post("/logins", {})
    assert (first.status, first.body["session"]) == (201, names.DEFAULT)
    session = make_session("Shop A")
    refused = caller.post("/logins", {})
    assert (refused.status, refused.code) == (409, "already_connected")
    forced = caller.post("/logins", {"force": True})
    assert (forced.status, forced.body["session"]) == (201, "Shop A")
    Session.objects.filter(pk=session.pk).update(team=cast.other_team)
    assert caller.post("/logins", {"force": True}).code == "unknown_session"


def test_a_login_has_exactly_the_fields_of_the_contract(caller: Caller) -> None:
    started = caller.post("/logins", {"name": "Shop A"})
    got = started.body
    assert set(got) == {
        "id", "session", "status", "version", "qr_url", "qr_svg", "expires_at",
    }  # fmt: skip
    assert (got["session"], got["status"], got["version"]) == ("Shop A", "waiting", 1)
    assert (got["qr_url"], got["qr_svg"], got["expires_at"]) == (None, None, None)
    LoginAttempt.objects.update(qr_url="https://liteapp.example/q", expires_at=timezone.now())
    shown = caller.get(f"/logins/{got['id']}").body
    assert "<svg" in shown["qr_svg"]
    assert shown["expires_at"].endswith("Z")
    unwanted = caller.post(f"/logins/{got['id']}/verify-code", {"code": "1234"})
    assert (unwanted.status, unwanted.code) == (409, "no_code_wanted")
    for code in ("12a4", "", "1" * 13, "１２３"):
        wrong = caller.post(f"/logins/{got['id']}/verify-code", {"code": code})
        assert (wrong.status, wrong.body["error"]["field"]) == (422, "code")
    nothing = caller.post(f"/logins/{got['id']}/resolve", {"as": "replace"})
    assert (nothing.status, nothing.code) == (409, "nothing_to_resolve")
    assert caller.post(f"/logins/{got['id']}/resolve", {"as": "merge"}).status == 422
    assert caller.delete(f"/logins/{got['id']}").body["status"] == "cancelled"
    assert caller.delete(f"/logins/{got['id']}").body["version"] == 2
    assert caller.get("/logins/nothing").code == "not_found"
