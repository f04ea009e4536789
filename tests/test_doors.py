"""What answers without a login is the contract's list and nothing else."""

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

pytestmark = pytest.mark.django_db

# Who holds a link gets its page; a token that nobody signed gets a sentence and nothing else.
LINKS = {
    f"/{room}/1/{page}"
    for room in ("scan", "invite")
    for page in ("", "state/", "digits/", "again/")
} | {"/password/1/", "/join/1/"}
OPEN = {"/accounts/login/", "/accounts/login/language/", "/healthz", "/readyz", "/metrics"}


def _paths(resolver: URLResolver, prefix: str = "/") -> list[str]:
    found = []
    for entry in resolver.url_patterns:
        path = prefix + _example(str(entry.pattern))
        if isinstance(entry, URLResolver):
            found += _paths(entry, path)
        elif isinstance(entry, URLPattern):
            found.append(path)
    return found


def _example(pattern: str) -> str:
    """A path with its parameters filled in; the admin's catch-all shows as a word."""
    parts = []
    for part in pattern.replace("^", "").replace("$", "").split("/"):
        if part.startswith("<") or "(?P" in part:
            parts.append("1")
        else:
            parts.append(part)
    return "/".join(parts)


ALL = sorted(set(_paths(get_resolver())))


def test_the_walk_finds_the_pages() -> None:
    assert {"/", "/sessions/", "/inbox/", "/admin/", *OPEN, *LINKS} <= set(ALL)
    assert len(ALL) > 40


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_is_sent_to_the_login(path: str, method: str) -> None:
    answer = getattr(Client(), method)(path, follow=path not in OPEN)
    if path in OPEN:
        assert answer.status_code in {200, 302, 405, 503}
        return
    if answer.redirect_chain:
        assert answer.redirect_chain[-1][0].startswith("/accounts/login/")
    else:
        refused = {401, 404, 405} if path.startswith("/api/v1/") else {403, 404, 405}
        assert answer.status_code in refused, (path, answer.status_code)


def test_an_address_that_nobody_signed_shows_one_sentence() -> None:
    for path in LINKS:
        for answer in (Client().get(path), Client().post(path)):
            assert answer.status_code in {404, 405}, path
    page = Client().get("/scan/1/").content
    assert b"This link is not complete." in page
    assert b"WeiLink" not in page
    assert b"This invitation has ended." in Client().get("/invite/1/").content
    for path in ("/password/1/", "/join/1/"):
        page = Client().get(path).content
        assert b"This link is not complete." in page
        assert b"WeiLink" not in page


def test_a_post_without_csrf_token_is_refused() -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post("/accounts/login/", {"username": "a", "password": "b"}).status_code == 403


def test_pages_forbid_inline_scripts_and_frames() -> None:
    answer = Client().get("/accounts/login/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe-inline" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_a_strangers_forwarded_headers_are_not_believed() -> None:
    answer = Client().get("/healthz", headers={"x-forwarded-host": "evil.example"})
    assert answer.status_code == 200
    page = Client().get("/accounts/login/", headers={"x-forwarded-proto": "https"})
    assert page.wsgi_request.scheme == "http"
