"""Whatever goes wrong answers in one form, the framework's own refusals too."""

import json
from typing import Any

import pytest
from django.test import Client

from messaging.api import status
from tests.api.callers import Caller, answer_of, calling
from tests.conftest import Cast

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
