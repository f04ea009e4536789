"""The headers of every answer, and what happens to plain http where PUBLIC_URL is https."""

import re
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from tests.conftest import Cast
from weilink_site.pages.headers import EveryAnswerMiddleware, headers_of_every_answer
from weilink_site.pages.origins import own_origin

ALWAYS = {
    "X-Content-Type-Options", "X-Frame-Options", "Referrer-Policy", "Permissions-Policy",
    "Content-Security-Policy", "Cross-Origin-Opener-Policy",
}  # fmt: skip
SITE = "https://console.example.com"


@pytest.fixture
def https(settings: Any) -> None:
    settings.PUBLIC_URL = SITE
    settings.ALLOWED_HOSTS = ["console.example.com", "localhost", "testserver"]
    settings.SECURE_HSTS_SECONDS = 60
    settings.TRUSTED_PROXIES = ["127.0.0.1"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("get", "/accounts/login/", 200),
        ("get", "/inbox/", 302),
        ("post", "/inbox/", 403),
        ("get", "/nothing-here/", 404),
        ("get", "/api/v1/sessions", 401),
        ("get", "/api/v1/nothing", 404),
        ("get", "/healthz", 200),
        ("get", "/api/docs", 302),
    ],
)
def test_pages_and_errors_have_them(method: str, path: str, status: int, cast: Cast) -> None:
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    answer = getattr(client, method)(path)
    assert answer.status_code == status
    assert set(answer.headers) >= ALWAYS
    assert "microphone=()" in answer["Permissions-Policy"]


def test_an_error_of_the_console_itself_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(request: HttpRequest) -> HttpResponse:
        raise RuntimeError("broken")

    monkeypatch.setattr("sessions_app.people.views.SignIn.get", broken)
    answer = Client(raise_request_exception=False).get("/accounts/login/")
    assert answer.status_code == 500
    assert set(answer.headers) >= ALWAYS


def test_an_answer_that_has_its_own_keeps_it() -> None:
    def sandboxed(request: HttpRequest) -> HttpResponse:
        return HttpResponse(headers={"Content-Security-Policy": "sandbox"})

    answer = EveryAnswerMiddleware(sandboxed)(RequestFactory().get("/"))
    assert answer["Content-Security-Policy"] == "sandbox"


@pytest.mark.parametrize(
    ("facts", "where"),
    [
        ({"HTTP_HOST": "localhost:8000"}, f"{SITE}/inbox/?q=1"),
        (
            {"HTTP_HOST": "console.example.com", "HTTP_X_FORWARDED_PROTO": "http"},
            f"{SITE}/inbox/?q=1",
        ),
        ({"HTTP_HOST": "console.example.com", "HTTP_X_FORWARDED_PROTO": "https"}, None),
        # A proxy that says nothing, and one that is not trusted: a redirect would not end.
        ({"HTTP_HOST": "console.example.com"}, None),
        (
            {
                "HTTP_HOST": "console.example.com",
                "HTTP_X_FORWARDED_PROTO": "https",
                "REMOTE_ADDR": "192.0.2.1",
            },
            None,
        ),
        ({"HTTP_HOST": "evil.example"}, None),
    ],
)
def test_plain_http_leads_to_the_public_url(
    https: None, cast: Cast, facts: dict[str, str], where: str | None
) -> None:
    for method in ("get", "post"):
        answer = getattr(Client(), method)("/inbox/?q=1", **facts)
        if where is None:
            assert not answer.get("Location", "").startswith(SITE)
        else:
            assert (answer.status_code, answer["Location"]) == (308, where)
            assert "Strict-Transport-Security" not in answer.headers


def test_programs_beside_the_proxy_ask_in_plain_http(https: None, cast: Cast) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        assert Client().get(path, HTTP_HOST="localhost:8000").status_code != 308


def test_with_http_as_public_url_nothing_is_redirected(cast: Cast) -> None:
    assert Client().get("/accounts/login/", HTTP_HOST="localhost").status_code == 200


@pytest.mark.parametrize(
    ("origin", "is_ours"),
    [
        (SITE, True),
        ("https://localhost", True),
        ("http://console.example.com", False),
        ("http://localhost", False),
        ("https://evil.example", False),
        ("null", False),
        ("", False),
    ],
)
def test_a_websocket_s_origin_is_exact(https: None, origin: str, is_ours: bool) -> None:
    host = origin.partition("://")[2] or "localhost"
    scope = {"headers": [(b"origin", origin.encode()), (b"host", host.encode())]}
    assert own_origin(scope) is is_ours


def test_the_policy_says_the_same_inside_and_outside_of_django(cast: Cast) -> None:
    inside = Client().get("/accounts/login/")["Content-Security-Policy"]
    outside = headers_of_every_answer()["Content-Security-Policy"]
    assert set(re.split("; ?", inside)) == set(re.split("; ?", outside))
