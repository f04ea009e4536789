"""Whatever goes wrong answers in one form, the framework's own refusals too."""

import errno
import json
import sqlite3
from typing import Any

import psycopg
import pytest
import redis
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpResponse
from django.test import Client, RequestFactory

from messaging.api.codes import CODES
from messaging.api.edge import ApiEdgeMiddleware
from messaging.api.endpoints import status
from tests.api.callers import Caller, answer_of, calling
from tests.conftest import Cast
from weilink_site.pages.error_pages import answer_outside_django

pytestmark = pytest.mark.django_db


@pytest.fixture
def caller(cast: Cast) -> Caller:
    return calling(cast.administrator)


def _is_an_error(answer: Any, expected_status: int, code: str) -> None:
    assert (answer.status, answer.code) == (expected_status, code)
    assert set(answer.body) == {"error"}
    assert answer.body["error"].keys() >= {"code", "message"}
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/nothing", "/", "", "/status/", "/messages/1/2/3", "/sessions/a%2Fb/pause"]
)
def test_an_unknown_address_is_404(caller: Caller, path: str) -> None:
    _is_an_error(caller.get(path) if path else caller.get("/"), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/status"),
        ("DELETE", "/messages"),
        ("PUT", "/sessions"),
        ("GET", "/sessions/x/pause"),
        ("OPTIONS", "/logins/x"),
    ],
)
def test_a_wrong_method_is_405_and_names_the_right_ones(
    caller: Caller, method: str, path: str
) -> None:
    answer = caller(method, path)
    _is_an_error(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"]


@pytest.mark.parametrize("content", [b"", b"{", b"[1,", b"\xff\xfe", b"null", b"[]", b'"x"', b"1"])
def test_a_body_that_is_no_object_is_refused(caller: Caller, content: bytes) -> None:
    response = caller.client.post(
        "/api/v1/messages",
        content,
        content_type="application/json",
        headers={"authorization": f"Bearer {caller.secret}"},
    )
    answer = answer_of(response)
    assert answer.status in {400, 422}
    _is_an_error(answer, answer.status, "bad_request" if answer.status == 400 else "invalid")


def test_a_body_over_all_limits_is_refused(caller: Caller, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
    answer = caller.post("/messages", {"to": "x", "text": "x" * 2_000})
    _is_an_error(answer, 413, "too_large")


def test_a_deep_body_is_refused_and_nothing_breaks(caller: Caller) -> None:
    deep = '{"fields":' * 5_000 + "{}" + "}" * 5_000
    response = caller.client.patch(
        "/api/v1/contacts/x",
        deep.encode(),
        content_type="application/json",
        headers={"authorization": f"Bearer {caller.secret}"},
    )
    assert response.status_code in {400, 404, 422}


def test_a_crash_is_500_says_nothing_and_is_logged(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def crash() -> str:
        raise RuntimeError("the secret of the crash")

    monkeypatch.setattr(status, "product_version", crash)
    answer = caller.get("/status")
    _is_an_error(answer, 500, "server_error")
    assert "secret" not in json.dumps(answer.body)
    assert "the secret of the crash" in caplog.text


class Away:
    """For `connection.execute_wrapper`: the database does not answer."""

    def __init__(self, problem: Exception) -> None:
        self.problem = problem

    def __call__(self, *_: Any) -> Any:
        raise self.problem


def _wrapped(problem: Exception) -> OperationalError:
    """As Django hands errors on: with the driver's as its cause."""
    wrapped = OperationalError(*problem.args)
    wrapped.__cause__ = problem
    return wrapped


PASSING = [
    _wrapped(sqlite3.OperationalError("database is locked")),
    _wrapped(sqlite3.OperationalError("database or disk is full")),
    _wrapped(psycopg.OperationalError("connection refused")),
    InterfaceError("connection already closed"),
    redis.ConnectionError("Connection refused"),
    OSError(errno.ENOSPC, "No space left on device"),
]


@pytest.mark.parametrize("path", ["/status", "/messages", "/conversations", "/logins/x"])
@pytest.mark.parametrize("problem", PASSING, ids=str)
def test_what_is_away_or_busy_is_503_and_says_when_to_ask_again(
    caller: Caller, cast: Cast, path: str, problem: Exception
) -> None:
    """With a token the call meets it; with a cookie, what stands before the call."""
    browser = Client(raise_request_exception=False)
    browser.force_login(cast.administrator)
    with connection.execute_wrapper(Away(problem)):
        answers = caller.get(path), answer_of(browser.get(f"/api/v1{path}"))
    for answer in answers:
        _is_an_error(answer, 503, "unavailable")
        assert int(answer.headers["Retry-After"]) > 0
    assert caller.get(path).status in {200, 404}


@pytest.mark.parametrize(
    "problem", [_wrapped(sqlite3.OperationalError("no such table: x")), RuntimeError("x")]
)
def test_what_does_not_pass_is_500(caller: Caller, cast: Cast, problem: Exception) -> None:
    browser = Client(raise_request_exception=False)
    browser.force_login(cast.administrator)
    with connection.execute_wrapper(Away(problem)):
        answers = caller.get("/status"), answer_of(browser.get("/api/v1/status"))
    for answer in answers:
        _is_an_error(answer, 500, "server_error")


def test_a_page_in_the_same_trouble_stays_a_page(cast: Cast) -> None:
    browser = Client(raise_request_exception=False)
    browser.force_login(cast.agent)
    with connection.execute_wrapper(Away(PASSING[0])):
        answer = browser.get("/inbox/")
    assert answer["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("status", [*sorted(CODES), 402, 408, 415, 418, 431, 502, 504])
def test_a_bare_status_from_anywhere_gets_a_form_and_a_code(status: int) -> None:
    edge = ApiEdgeMiddleware(lambda _: HttpResponse("<p>no</p>", status=status))
    response = edge(RequestFactory().get("/api/v1/status"))
    body = json.loads(response.content)["error"]
    assert set(body) == {"code", "message"}
    assert (
        body["code"] == CODES.get(status, ("server_error" if status > 499 else "bad_request",))[0]
    )
    assert response["Content-Type"] == "application/json"
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("status", [400, 413, 500, 503])
def test_what_the_server_says_before_django_has_the_same_code(status: int) -> None:
    kind, body = answer_outside_django(status, "/api/v1/messages", {})
    assert kind == "application/json"
    assert json.loads(body)["error"]["code"] == CODES[status][0]


def test_a_wrong_host_is_400() -> None:
    response = Client().get("/api/v1/status", headers={"host": "evil.example"})
    _is_an_error(answer_of(response), 400, "bad_request")


def test_pages_keep_their_own_errors(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.agent)
    answer = client.get("/inbox/999/")
    assert answer.status_code == 404
    assert answer["Content-Type"].startswith("text/html")


def test_a_good_answer_is_not_kept_by_caches(caller: Caller) -> None:
    assert caller.get("/status").headers["Cache-Control"] == "no-store"
