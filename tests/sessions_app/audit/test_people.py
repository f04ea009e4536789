"""What is recorded of sign-ins, passwords, tokens, people, roles and teams."""

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client

from sessions_app.models import AuditEntry, Team, User
from sessions_app.people.roles import Role
from sessions_app.people.tokens import issue_token
from sessions_app.recording.actions import Action
from sessions_app.recording.origin import coming_from, of_command
from tests.conftest import Cast, make_user
from tests.queries import queries
from tests.sessions_app.audit.log import entries, only

pytestmark = pytest.mark.django_db

ADDRESS = "203.0.113.9"


def sign_in(name: str, password: str) -> Client:
    client = Client(REMOTE_ADDR=ADDRESS)
    client.post("/accounts/login/", {"username": name, "password": password})
    return client


def facts(entry: AuditEntry) -> tuple[str, str, str]:
    return entry.actor_name, entry.door, entry.address


def test_signing_in_and_out(cast: Cast) -> None:
    client = sign_in("wei", "wei-pw")
    client.post("/accounts/logout/")
    for action in (Action.SIGNED_IN, Action.SIGNED_OUT):
        entry = only(action)
        assert facts(entry) == ("wei", "browser", ADDRESS)
        assert (entry.actor_id, entry.object_id) == (cast.agent.pk, str(cast.agent.pk))


def test_the_address_is_that_of_the_client_behind_a_trusted_proxy(
    cast: Cast, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = ["127.0.0.1"]
    form = {"username": "wei", "password": "wei-pw"}
    headers = {"x-forwarded-for": "198.51.100.7"}
    Client(REMOTE_ADDR="127.0.0.1").post("/accounts/login/", form, headers=headers)
    assert only(Action.SIGNED_IN).address == "198.51.100.7"


def test_a_failure_names_the_person_and_never_the_password(cast: Cast) -> None:
    sign_in("wei", "hunter2 secret")
    entry = only(Action.SIGN_IN_FAILED)
    assert facts(entry) == ("", "browser", ADDRESS)
    assert (entry.object_id, entry.object_name) == (str(cast.agent.pk), "wei")
    assert "hunter2" not in str(AuditEntry.objects.values().filter(pk=entry.pk).get())


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("maria.lopez", "maria.lopez"),
        ("李娜", "李娜"),
        ("Tr0ub4dor&3", ""),
        ("correct-horse-battery-staple-is-long", ""),
        ("hunter2", ""),
    ],
)
def test_of_a_name_that_nobody_has_only_what_looks_like_one_is_kept(
    cast: Cast, typed: str, kept: str
) -> None:
    sign_in(typed, "x")
    assert only(Action.SIGN_IN_FAILED).object_name == kept


def test_tries_that_are_refused_unseen_do_not_fill_the_log(cast: Cast) -> None:
    for _ in range(14):
        sign_in("wei", "wrong")
    assert len(entries(Action.SIGN_IN_FAILED)) == 10


def test_a_password_and_the_browsers_that_end_with_it(cast: Cast) -> None:
    sign_in("wei", "wei-pw")
    client = sign_in("wei", "wei-pw")
    new = "a-quite-long-one-7"
    form = {"old_password": "wei-pw", "new_password1": new, "new_password2": new}
    client.post("/account/password/", form)
    assert facts(only(Action.PASSWORD_CHANGED)) == ("wei", "browser", ADDRESS)
    assert only(Action.BROWSERS_ENDED).details == {"count": 1}


def test_a_hash_that_django_renews_by_itself_is_no_change(cast: Cast) -> None:
    cast.agent.set_password("wei-pw")
    cast.agent.save(update_fields=["password"])
    assert not entries(Action.PASSWORD_CHANGED)


def test_a_token_is_recorded_without_its_secret(cast: Cast) -> None:
    client = sign_in("wei", "wei-pw")
    page = client.post(
        "/account/tokens/",
        {"token-name": "script", "token-scopes": ["read"], "token-expires": "30"},
    )
    assert page.status_code == 200
    entry = only(Action.TOKEN_MADE)
    assert entry.object_name.startswith("script (…")
    assert entry.details == {"owner": "wei", "scopes": "read"}
    assert "wlk_" not in str(AuditEntry.objects.values().filter(pk=entry.pk).get())
    client.post(f"/account/tokens/{entry.object_id}/revoke/")
    client.post(f"/account/tokens/{entry.object_id}/revoke/")
    assert facts(only(Action.TOKEN_REVOKED)) == ("wei", "browser", ADDRESS)


def test_a_command_is_recorded_with_who_runs_it(cast: Cast, monkeypatch: Any) -> None:
    monkeypatch.setenv("LOGNAME", "root")
    with coming_from(of_command()):
        call_command(
            "api_token", "create", "wei", "--name", "n", stdout=StringIO(), stderr=StringIO()
        )
    assert facts(only(Action.TOKEN_MADE)) == ("root", "command", "")


def test_the_api_names_the_token(cast: Cast) -> None:
    token, secret = issue_token(owner=cast.operator, name="night script")
    from tests.messaging.builders import make_session

    make_session("Shop A", team=cast.team)
    Client(REMOTE_ADDR=ADDRESS).post(
        "/api/v1/sessions/Shop A/pause", headers={"authorization": f"Bearer {secret}"}
    )
    entry = only(Action.SESSION_PAUSED)
    assert facts(entry) == ("otto", "api", ADDRESS)
    assert (entry.token, entry.object_name) == (str(token), "Shop A")


@pytest.fixture
def admin(cast: Cast) -> Client:
    cast.administrator.is_staff = cast.administrator.is_superuser = True
    cast.administrator.save()
    client = Client(REMOTE_ADDR=ADDRESS)
    client.force_login(cast.administrator)
    return client


def test_who_is_changed_in_the_admin(admin: Client, cast: Cast) -> None:
    agent, roles = cast.agent, {one.name: one.pk for one in Group.objects.all()}
    form = {
        "username": "wei2",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00:00",
        "groups": [roles[Role.SUPERVISOR]],
        "teams": [cast.team.pk, cast.other_team.pk],
    }
    before = AuditEntry.objects.order_by("-pk").values_list("pk", flat=True)[0]
    answer = admin.post(f"/admin/sessions_app/user/{agent.pk}/change/", form)
    assert answer.status_code == 302, answer.context["errors"]
    new = AuditEntry.objects.filter(pk__gt=before).order_by("pk")
    assert [(one.action, one.details.get("what")) for one in new] == [
        (Action.PERSON_RENAMED, None),
        (Action.PERSON_DISABLED, None),
        (Action.ROLE_TAKEN, "agent"),
        (Action.ROLE_GIVEN, "supervisor"),
        (Action.TEAM_JOINED, "Other team"),
    ]
    assert {facts(one) for one in new} == {("ada", "browser", ADDRESS)}


def test_people_and_teams_that_are_added_and_deleted_in_the_admin(
    admin: Client, cast: Cast
) -> None:
    form = {"username": "mia", "password1": "long-enough-7", "password2": "long-enough-7"}
    admin.post("/admin/sessions_app/user/add/", {**form, "usable_password": "true"})
    mia = User.objects.get(username="mia")
    assert entries(Action.PERSON_ADDED)[-1].object_name == "mia"
    admin.post(f"/admin/sessions_app/user/{mia.pk}/delete/", {"post": "yes"})
    assert facts(only(Action.PERSON_DELETED)) == ("ada", "browser", ADDRESS)
    admin.post("/admin/sessions_app/team/add/", {"name": "Night"})
    night = Team.objects.get(name="Night")
    admin.post(f"/admin/sessions_app/team/{night.pk}/change/", {"name": "Late"})
    admin.post(f"/admin/sessions_app/team/{night.pk}/delete/", {"post": "yes"})
    assert only(Action.TEAM_RENAMED).details == {"old": "Night", "new": "Late"}
    assert only(Action.TEAM_DELETED).object_name == "Late"


def test_a_password_that_an_administrator_sets(admin: Client, cast: Cast) -> None:
    form = {"password1": "long-enough-7", "password2": "long-enough-7", "usable_password": "true"}
    admin.post(f"/admin/sessions_app/user/{cast.agent.pk}/password/", form)
    entry = only(Action.PASSWORD_CHANGED)
    assert (entry.actor_name, entry.object_name) == ("ada", "wei")


def test_roles_and_teams_that_are_given_from_the_other_side(cast: Cast) -> None:
    person = make_user("leo")
    agents = Group.objects.get(name=Role.AGENT)
    agents.user_set.add(person)
    cast.team.members.remove(cast.viewer)
    person.groups.clear()
    assert entries(Action.ROLE_GIVEN)[-1].object_name == "leo"
    assert (only(Action.TEAM_LEFT).object_name, only(Action.TEAM_LEFT).team_id) == (
        "vic",
        cast.team.pk,
    )
    assert only(Action.ROLE_TAKEN).details == {"what": "agent"}


def test_saving_a_preference_asks_for_nothing_more(cast: Cast) -> None:
    cast.agent.language = "en"
    with queries() as seen:
        cast.agent.save(update_fields=["language"])
    assert len(seen) == 1, seen
