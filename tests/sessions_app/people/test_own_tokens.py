"""API tokens at `/account/`: made, shown once, listed and revoked by their owner."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from sessions_app.models import ApiToken, User
from sessions_app.people import tokens
from sessions_app.people.tokens import Scope, issue_token, scopes_for
from tests.api.callers import Caller
from tests.conftest import Cast

pytestmark = pytest.mark.django_db

PAGE, MAKE = "/account/", "/account/tokens/"


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def make(client: Client, name: str = "night script", *scopes: str, expires: str = "90") -> Any:
    data = {
        "token-name": name, "token-scopes": scopes or ("read", "send"), "token-expires": expires,
    }  # fmt: skip
    return client.post(MAKE, data)


def secret_in(answer: Any) -> str:
    found = re.search(r"wlk_[\w-]{20,}", answer.content.decode())
    return found[0] if found else ""


def test_a_token_is_shown_once_and_works(cast: Cast) -> None:
    client = as_(cast.agent)
    answer = make(client)
    secret = secret_in(answer)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert 'data-copies="new-token"' in answer.content.decode()
    assert Caller(secret).get("/messages").status == 200
    page = client.get(PAGE).content.decode()
    assert secret not in page
    assert "night script" in page
    assert f"…{secret[-4:]}" in page


def test_a_form_that_is_sent_again_makes_no_second_token(cast: Cast) -> None:
    client = as_(cast.agent)
    make(client)
    again = make(client)
    assert again.status_code == 422
    assert "You have a token with this name already." in again.content.decode()
    assert not secret_in(again)
    assert ApiToken.objects.count() == 1
    assert secret_in(make(as_(cast.supervisor)))  # another person may use the name


def test_a_name_is_free_again_when_its_token_is_revoked(cast: Cast) -> None:
    client = as_(cast.agent)
    make(client)
    client.post(f"{MAKE}{ApiToken.objects.get().pk}/revoke/")
    assert secret_in(make(client))


@pytest.mark.parametrize(("expires", "days"), [("30", 30), ("90", 90), ("365", 365)])
def test_it_expires_when_its_owner_said(cast: Cast, expires: str, days: int) -> None:
    make(as_(cast.agent), expires=expires)
    left = ApiToken.objects.get().expires_at - timezone.now()  # type: ignore[operator]
    assert timedelta(days=days, minutes=-5) < left <= timedelta(days=days)


def test_only_who_says_so_makes_a_token_without_an_end(cast: Cast) -> None:
    client = as_(cast.agent)
    page = client.get(PAGE).content.decode()
    assert '<option value="90" selected>' in page
    assert secret_in(make(client, expires="never"))
    assert ApiToken.objects.get().expires_at is None
    assert "never expires" in client.get(PAGE).content.decode()


@pytest.mark.parametrize(
    ("person", "scopes"),
    [
        ("administrator", set(Scope)),
        ("operator", {"read", "sessions", "metrics"}),
        ("supervisor", {"read", "send", "contacts", "metrics"}),
        ("agent", {"read", "send", "contacts"}),
        ("viewer", {"read", "metrics"}),
        ("outsider", set()),
    ],
)
def test_each_role_is_offered_what_it_may_do(cast: Cast, person: str, scopes: set[str]) -> None:
    user = getattr(cast, person)
    page = as_(user).get(PAGE).content.decode()
    offered = set(re.findall(r'name="token-scopes" value="(\w+)"', page))
    assert offered == scopes == set(scopes_for(user))
    assert ("Your role allows nothing" in page) == (not scopes)


def test_what_is_not_offered_is_refused(cast: Cast) -> None:
    client = as_(cast.agent)
    for answer, words in (
        (make(client, "a", "sessions"), "Select a valid choice"),
        (make(client, "a", "read", "metrics"), "Select a valid choice"),
        (make(client, "a", expires="36500"), "Select a valid choice"),
        (make(client, " "), "Enter a name."),
        (make(client, "x" * 81), "at most 80 characters"),
        (client.post(MAKE, {"token-name": "a", "token-expires": "90"}), "Choose at least one."),
        (make(as_(cast.outsider), "a", "read"), "Correct the marked fields."),
    ):
        assert answer.status_code == 422
        assert words in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_the_number_of_tokens_is_limited(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "MOST_TOKENS", 2)
    client = as_(cast.agent)
    assert secret_in(make(client, "a"))
    assert secret_in(make(client, "b"))
    assert "You have 2 tokens, which is the most." in make(client, "c").content.decode()


def test_a_revoked_token_ends_at_once_and_leaves_the_list(cast: Cast) -> None:
    client = as_(cast.agent)
    secret = secret_in(make(client))
    place = f"{MAKE}{ApiToken.objects.get().pk}/revoke/"
    page = client.post(place, follow=True).content.decode()
    assert "The token “night script” was revoked." in page
    assert f"…{secret[-4:]}" not in page
    answer = Caller(secret).get("/messages")
    assert (answer.status, answer.code) == (401, "unauthorized")
    assert "was revoked" in answer.body["error"]["message"]
    ended = ApiToken.objects.get().revoked_at
    assert "no such token" in client.post(place, follow=True).content.decode()
    assert ApiToken.objects.get().revoked_at == ended


def test_nobody_revokes_the_token_of_another(cast: Cast) -> None:
    row, secret = issue_token(owner=cast.agent, name="n")
    for person in ("administrator", "supervisor", "agent_elsewhere"):
        client = as_(getattr(cast, person))
        client.post(f"{MAKE}{row.pk}/revoke/")
        assert "(…" not in client.get(PAGE).content.decode()
    assert Caller(secret).get("/messages").status == 200


def test_an_expired_token_says_so_to_its_program_and_to_its_owner(cast: Cast) -> None:
    client = as_(cast.agent)
    secret = secret_in(make(client))
    ApiToken.objects.update(expires_at=timezone.now())
    for path in ("/messages", "/status", "/logins/1"):
        answer = Caller(secret).get(path)
        assert (answer.status, answer.code) == (401, "unauthorized")
        assert answer.body["error"]["message"].startswith("This token has expired.")
    assert ">Expired</span>" in client.get(PAGE).content.decode()


def test_the_monitoring_page_says_it_too(cast: Cast, client: Client) -> None:
    _row, secret = issue_token(owner=cast.viewer, name="prometheus", scopes=["metrics"])
    ApiToken.objects.update(expires_at=timezone.now())
    answer = client.get("/metrics", headers={"authorization": f"Bearer {secret}"})
    assert answer.status_code == 401
    assert "expired" in answer.content.decode()


def test_who_does_not_know_the_secret_learns_nothing(cast: Cast) -> None:
    for secret in ("wlk_" + "x" * 43, "x", "wlk_" + "x" * 500):
        answer = Caller(secret).get("/messages")
        assert answer.body["error"]["message"] == "Send a living token: Authorization: Bearer wlk_…"


def test_the_list_says_when_a_token_was_last_used(cast: Cast) -> None:
    client = as_(cast.agent)
    secret = secret_in(make(client))
    assert "never used" in client.get(PAGE).content.decode()
    Caller(secret).get("/messages")
    assert "last used" in client.get(PAGE).content.decode()


def test_a_token_of_the_command_may_do_everything(cast: Cast) -> None:
    issue_token(owner=cast.agent, name="n")
    assert "Everything that you may do" in as_(cast.agent).get(PAGE).content.decode()


def test_reloading_by_the_address_leads_back_to_the_page(cast: Cast) -> None:
    client = as_(cast.agent)
    for place in (MAKE, f"{MAKE}1/revoke/", "/account/password/", "/account/browsers/",
                  "/account/browsers/others/"):  # fmt: skip
        assert client.get(place).headers["Location"] == PAGE


# A changed password asks


def change(client: Client, **more: str) -> str:
    new = {"new_password1": "Correct horse 7", "new_password2": "Correct horse 7"}
    data = {"old_password": "wei-pw", **new, **more}
    return str(client.post("/account/password/", data, follow=True).content.decode())


def test_a_changed_password_asks_whether_to_revoke_the_tokens(cast: Cast) -> None:
    client = as_(cast.agent)
    assert "Revoke my" not in client.get(PAGE).content.decode()  # there is none
    secrets = [secret_in(make(client, name)) for name in ("a", "b")]
    assert "Revoke my 2 API tokens, too" in client.get(PAGE).content.decode()
    assert "Your 2 API tokens still work." in change(client)
    assert [Caller(one).get("/messages").status for one in secrets] == [200, 200]


def test_and_revokes_them_if_told_to(cast: Cast) -> None:
    client = as_(cast.agent)
    secrets = [secret_in(make(client, name)) for name in ("a", "b")]
    _other, theirs = issue_token(owner=cast.supervisor, name="other")
    assert "2 API tokens were revoked." in change(client, ends_tokens="on")
    assert [Caller(one).get("/messages").status for one in secrets] == [401, 401]
    assert Caller(theirs).get("/messages").status == 200


def test_a_refused_password_revokes_nothing(cast: Cast) -> None:
    client = as_(cast.agent)
    secret = secret_in(make(client))
    assert "This is not your current password." in change(
        client, old_password="wrong", ends_tokens="on"
    )
    assert Caller(secret).get("/messages").status == 200
