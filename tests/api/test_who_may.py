"""Every call before the same cast: who gets an answer, who 403, who 404, and who 401."""

import re
from typing import Any

import pytest
from django.test import Client

from messaging.api import app
from messaging.models import Message
from sessions_app.login import attempts
from sessions_app.models import User
from tests.api.callers import EVERYBODY, Caller, answer_of, calling
from tests.api.conftest import Shop
from tests.conftest import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_waiting_for_codes")]

NOBODY: set[str] = set()
BOARD = {"administrator", "operator", "supervisor", "viewer"}
MANAGE = {"administrator", "operator"}
READ = {"administrator", "supervisor", "agent", "viewer"}
ANSWER = {"administrator", "supervisor", "agent"}
READ_ELSEWHERE = {"agent_elsewhere"}

LINA = "/contacts/lina@im.wechat"
# (method, path, body, scope, who may, who may but meets nothing of theirs: 404 or an empty list)
CALLS: list[tuple[str, str, Any, str, set[str], set[str]]] = [
    ("GET", "/status", None, "read", set(EVERYBODY), NOBODY),
    ("GET", "/sessions", None, "read", BOARD, NOBODY),
    ("POST", "/sessions/Shop A/rename", {"new_name": "Shop A"}, "sessions", MANAGE, NOBODY),
    ("POST", "/sessions/Shop A/logout", None, "sessions", MANAGE, NOBODY),
    ("POST", "/sessions/Shop A/default", None, "sessions", MANAGE, NOBODY),
    ("POST", "/sessions/Shop A/pause", None, "sessions", MANAGE, NOBODY),
    ("POST", "/sessions/Shop A/resume", None, "sessions", MANAGE, NOBODY),
    ("POST", "/logins", {"name": "Shop C"}, "sessions", MANAGE, NOBODY),
    ("GET", "/logins/{login}", None, "sessions", MANAGE, NOBODY),
    ("POST", "/logins/{login}/verify-code", {"code": "123"}, "sessions", MANAGE, NOBODY),
    ("POST", "/logins/{login}/resolve", {"as": "replace"}, "sessions", MANAGE, NOBODY),
    ("DELETE", "/logins/{login}", None, "sessions", MANAGE, NOBODY),
    ("GET", "/messages", None, "read", READ | READ_ELSEWHERE, NOBODY),
    ("POST", "/messages", {"to": "lina@im.wechat", "text": "hi"}, "send", ANSWER, NOBODY),
    ("GET", "/messages/{message}", None, "read", READ, READ_ELSEWHERE),
    ("POST", "/messages/{message}/retry", None, "send", ANSWER, READ_ELSEWHERE),
    ("POST", "/messages/{message}/cancel", None, "send", ANSWER, READ_ELSEWHERE),
    ("POST", "/messages/{message}/dismiss", None, "send", ANSWER, READ_ELSEWHERE),
    ("POST", "/uploads", None, "send", ANSWER | READ_ELSEWHERE, NOBODY),
    ("GET", "/attachments/1/content", None, "read", NOBODY, READ | READ_ELSEWHERE),
    ("GET", "/conversations", None, "read", READ | READ_ELSEWHERE, NOBODY),
    ("GET", "/conversations/{thread}", None, "read", READ, READ_ELSEWHERE),
    ("PATCH", "/conversations/{thread}", {}, "contacts", ANSWER, READ_ELSEWHERE),
    ("GET", "/conversations/{thread}/messages", None, "read", READ, READ_ELSEWHERE),
    ("GET", LINA, None, "read", READ, READ_ELSEWHERE),
    ("PATCH", LINA, {"name": "Li Na"}, "contacts", ANSWER, READ_ELSEWHERE),
    ("POST", f"{LINA}/typing", {"on": True}, "send", ANSWER, READ_ELSEWHERE),
]
IDS = [f"{method} {path}" for method, path, *_ in CALLS]


@pytest.fixture
def places(shop: Shop, cast: Cast) -> dict[str, str]:
    attempt = attempts.start_login(user=cast.operator, session_name="New", team=cast.team)
    return {
        "login": attempt.pk,
        "message": str(shop.message.pk),
        "thread": str(shop.conversation.pk),
    }


def test_the_table_names_every_call() -> None:
    spoken = {
        (method.upper(), re.sub(r"\{\w+\}", "*", path.removeprefix("/api/v1")))
        for path, methods in app.schema()["paths"].items()
        for method in methods
    }
    given = {"Shop A", "1", "lina@im.wechat"}
    here = {
        (method, "/".join("*" if p.startswith("{") or p in given else p for p in path.split("/")))
        for method, path, *_ in CALLS
    }
    assert spoken == here


@pytest.mark.parametrize(("method", "path", "body", "scope", "may", "blind"), CALLS, ids=IDS)
def test_each_of_the_cast_gets_what_their_role_and_team_allow(
    callers: dict[str, Caller],
    places: dict[str, str],
    method: str,
    path: str,
    body: Any,
    scope: str,
    may: set[str],
    blind: set[str],
) -> None:
    path = path.format(**places)
    for who in EVERYBODY:
        answer = callers[who](method, path, body)
        if who in may:
            assert answer.status in {200, 201, 202, 409, 422, 501}, (who, answer)
        elif who in blind:
            assert (answer.status, answer.code) == (404, "not_found"), (who, answer)
        elif who == "agent_elsewhere" and (method, path) == ("POST", "/messages"):
            # This person never wrote to their team; that they exist is not said.
            assert (answer.status, answer.code) == (409, "no_context")
        else:
            assert (answer.status, answer.code) == (403, "forbidden"), (who, answer)


@pytest.mark.parametrize(("method", "path", "body", "scope", "may", "blind"), CALLS, ids=IDS)
def test_a_token_may_only_what_its_scopes_say(
    cast: Cast,
    places: dict[str, str],
    method: str,
    path: str,
    body: Any,
    scope: str,
    may: set[str],
    blind: set[str],
) -> None:
    path = path.format(**places)
    others = [one for one in ("read", "send", "sessions", "contacts") if one != scope]
    answer = calling(cast.administrator, *others)(method, path, body)
    assert (answer.status, answer.code) == (403, "wrong_scope")
    assert scope in answer.body["error"]["message"]
    fitting = calling(cast.administrator, scope)(method, path, body)
    assert fitting.code not in {"wrong_scope", "forbidden"}


@pytest.mark.parametrize(("method", "path", "body", "scope", "may", "blind"), CALLS, ids=IDS)
def test_strangers_and_the_disabled_get_401_and_no_login_page(
    cast: Cast,
    places: dict[str, str],
    method: str,
    path: str,
    body: Any,
    scope: str,
    may: set[str],
    blind: set[str],
) -> None:
    path = path.format(**places)
    disabled = calling(cast.administrator)
    User.objects.filter(pk=cast.administrator.pk).update(is_active=False)
    for caller in (Caller(""), Caller("wlk_" + "x" * 43), Caller("something else"), disabled):
        answer = caller(method, path, body)
        assert (answer.status, answer.code) == (401, "unauthorized"), answer
        assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_an_operator_of_another_team_does_not_meet_the_session(cast: Cast, shop: Shop) -> None:
    cast.operator.teams.set([cast.other_team])
    caller = calling(cast.operator)
    assert caller.get("/sessions").body["items"] == []
    for action in ("logout", "default", "pause", "resume"):
        answer = caller.post(f"/sessions/Shop A/{action}")
        assert (answer.status, answer.code) == (404, "unknown_session")
    attempt = attempts.start_login(
        user=cast.administrator, session_name="", team=cast.team, session=shop.session, force=True
    )
    assert caller.get(f"/logins/{attempt.pk}").status == 404


def test_the_other_team_reads_nothing_of_ours(cast: Cast, shop: Shop) -> None:
    caller = calling(cast.agent_elsewhere)
    assert caller.get("/messages").body == {"items": [], "next": None, "last_id": "0"}
    assert caller.get("/conversations").body == {"items": [], "next": None}
    assert caller.get("/messages", session="Shop A").code == "unknown_session"


def _browser(user: User) -> Client:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    client.force_login(user)
    return client


def test_a_signed_in_browser_reads_without_a_token_and_writes_with_csrf(
    cast: Cast, shop: Shop
) -> None:
    client = _browser(cast.agent)
    assert client.get("/api/v1/messages").status_code == 200
    body = {"to": "lina@im.wechat", "text": "hi"}
    refused = answer_of(client.post("/api/v1/messages", body, content_type="application/json"))
    assert (refused.status, refused.code) == (403, "csrf")
    assert Message.objects.filter(direction="out").count() == 0

    page = client.get("/inbox/").content.decode()
    found = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page)
    assert found is not None
    taken = client.post(
        "/api/v1/messages",
        body,
        content_type="application/json",
        headers={"x-csrftoken": found.group(1)},
    )
    assert taken.status_code == 202


def test_a_bad_token_is_not_saved_by_a_good_cookie(cast: Cast) -> None:
    client = _browser(cast.agent)
    answer = client.get("/api/v1/messages", headers={"authorization": "Bearer wlk_wrong"})
    assert answer.status_code == 401


def test_the_documents_need_a_login(cast: Cast) -> None:
    stranger = Client()
    assert stranger.get("/api/docs").status_code == 302
    assert stranger.get("/api/v1/openapi.json").status_code == 401
    assert _browser(cast.outsider).get("/api/docs").status_code == 200
    assert calling(cast.outsider).get("/openapi.json").body["openapi"].startswith("3.1")
