"""API tokens: shown once, kept as a digest, dead when revoked, expired or the owner disabled."""

import re
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from sessions_app.models import ApiToken, User
from sessions_app.people.tokens import issue_token
from tests.api.callers import Caller, calling
from tests.conftest import Cast

pytestmark = pytest.mark.django_db


def command(*words: str) -> str:
    out = StringIO()
    call_command("api_token", *words, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def test_the_command_prints_the_secret_once_and_keeps_a_digest(cast: Cast) -> None:
    secret = command("create", "wei", "--name", "night script")
    assert re.fullmatch(r"wlk_[\w-]{43}", secret)
    row = ApiToken.objects.get()
    assert (row.owner, row.name, row.scopes) == (cast.agent, "night script", [])
    columns = ApiToken.objects.values().get()
    assert secret not in str(columns)
    assert secret[4:20] not in str(columns)
    assert len(row.digest) == 64
    assert Caller(secret).get("/messages").status == 200


def test_two_tokens_are_never_alike(cast: Cast) -> None:
    secrets = {command("create", "wei", "--name", "same") for _ in range(5)}
    assert len(secrets) == 5


@pytest.mark.parametrize("scopes", [["read", "send"], ["send,read"], ["read,", "send"]])
def test_scopes_are_given_with_blanks_or_commas(cast: Cast, scopes: list[str]) -> None:
    command("create", "wei", "--name", "n", "--scopes", *scopes)
    assert ApiToken.objects.get().scopes == ["read", "send"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["create", "nobody", "--name", "n"], "Nobody is called"),
        (["create", "wei", "--name", "n", "--scopes", "everything"], "There are: read, send"),
        (["create", "wei", "--name", "n", "--scopes", ","], "names no scope"),
        (["create", "wei", "--name", "n", "--days", "0"], "--days"),
        (["create", "wei"], "--name"),
        (["revoke", "77"], "no token"),
    ],
)
def test_a_wrong_command_says_what_is_wrong(cast: Cast, words: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=re.escape(said)):
        command(*words)
    assert not ApiToken.objects.exists()


def test_no_token_for_the_disabled(cast: Cast) -> None:
    User.objects.update(is_active=False)
    with pytest.raises(CommandError, match="disabled"):
        command("create", "wei", "--name", "n")


def test_a_revoked_token_is_dead_at_once_and_listed_as_such(cast: Cast) -> None:
    caller = calling(cast.agent)
    assert caller.get("/messages").status == 200
    assert "living" in command("list", "wei")
    command("revoke", str(ApiToken.objects.get().pk))
    assert caller.get("/messages").code == "unauthorized"
    assert "revoked" in command("list", "wei")


def test_an_expired_token_is_dead(cast: Cast) -> None:
    caller = calling(cast.agent)
    ApiToken.objects.update(expires_at=timezone.now() + timedelta(minutes=1))
    assert caller.get("/messages").status == 200
    ApiToken.objects.update(expires_at=timezone.now())
    assert caller.get("/messages").code == "unauthorized"
    assert "expired" in command("list", "wei")


@pytest.mark.parametrize("option", ["--expires-days", "--days"])
def test_the_command_takes_an_end_and_has_none_by_itself(cast: Cast, option: str) -> None:
    command("create", "wei", "--name", "short", option, "7")
    left = ApiToken.objects.get(name="short").expires_at - timezone.now()  # type: ignore[operator]
    assert timedelta(days=6, hours=23) < left <= timedelta(days=7)
    command("create", "wei", "--name", "long")
    assert ApiToken.objects.get(name="long").expires_at is None
    assert "no end" in command("list", "wei")


def test_a_disabled_owners_token_is_dead_and_lives_again_with_them(cast: Cast) -> None:
    caller = calling(cast.agent)
    for active, status in ((True, 200), (False, 401), (True, 200)):
        User.objects.filter(pk=cast.agent.pk).update(is_active=active)
        assert caller.get("/messages").status == status


def test_a_changed_role_or_team_counts_from_the_next_request(cast: Cast) -> None:
    caller = calling(cast.agent)
    assert caller.get("/conversations").status == 200
    cast.agent.groups.clear()
    assert caller.get("/conversations").code == "forbidden"


def test_its_use_is_noted_at_most_once_a_minute(cast: Cast, django_assert_num_queries: Any) -> None:
    caller = calling(cast.outsider)
    caller.get("/messages")
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    with django_assert_num_queries(2):  # the token, the roles: nothing is written
        caller.get("/messages")
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    caller.get("/messages")
    assert ApiToken.objects.get().last_used_at >= first  # type: ignore[operator]


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic d2VpOndlaS1wdw==", "Token x", "Bearer  a b"]
)
def test_anything_else_in_the_header_is_401(cast: Cast, header: str) -> None:
    client = Client()
    client.force_login(cast.agent)
    answer = client.get("/api/v1/messages", headers={"authorization": header})
    assert answer.status_code == 401


def test_blanks_and_case_around_the_token_do_not_matter(cast: Cast) -> None:
    secret = issue_token(owner=cast.agent, name="n")[1]
    for header in (f"bearer {secret}", f"Bearer  {secret} "):
        answer = Client().get("/api/v1/messages", headers={"authorization": header})
        assert answer.status_code == 200


def test_the_admin_shows_no_digest_and_revokes(cast: Cast) -> None:
    cast.administrator.is_staff = cast.administrator.is_superuser = True
    cast.administrator.save()
    client = Client()
    client.force_login(cast.administrator)
    row, _ = issue_token(owner=cast.agent, name="night script")
    page = client.get(f"/admin/sessions_app/apitoken/{row.pk}/change/").content.decode()
    assert "night script" in page
    assert row.digest not in page
    place = "/admin/sessions_app/apitoken/"
    assert client.get(f"{place}add/").status_code == 403
    client.post(place, {"action": "revoke", "_selected_action": [row.pk]})
    row.refresh_from_db()
    assert row.revoked_at is not None
