"""What is recorded of accounts, links, invitations, settings and the installation."""

from typing import Any

import pytest
from django.test import Client

from sessions_app.folder.mirror import shared
from sessions_app.installation import standing
from sessions_app.links import scan_links
from sessions_app.login import attempts
from sessions_app.models import AuditEntry, Receiver, Session, SharedFolder
from sessions_app.recording.actions import Action
from sessions_app.sessions.binding import Credentials
from tests.conftest import Cast
from tests.messaging.builders import make_session
from tests.sessions_app.audit.log import entries, only

pytestmark = pytest.mark.django_db

ADDRESS = "203.0.113.9"


def signed_in(user: Any) -> Client:
    client = Client(REMOTE_ADDR=ADDRESS)
    client.force_login(user)
    return client


def facts(entry: AuditEntry) -> tuple[str, str, str, int | None]:
    return entry.actor_name, entry.door, entry.object_name, entry.team_id


def test_what_an_operator_does_with_an_account(cast: Cast) -> None:
    make_session("Shop A", team=cast.team)
    client, page = signed_in(cast.operator), "/sessions/Shop A"
    for action in ("pause", "resume", "default", "log-out"):
        assert client.post(f"{page}/{action}/").status_code == 302
    client.post(f"{page}/rename/", {"new_name": "Shop B"})
    client.post("/sessions/Shop B/delete/", {"name": "Shop B"})
    session = Session.objects.get()
    assert session.deleted_at is not None
    found = AuditEntry.objects.filter(object_kind="session", actor_id=cast.operator.pk)
    team = cast.team.pk
    assert [(one.action, one.object_name, one.team_id) for one in found.order_by("pk")] == [
        (Action.SESSION_PAUSED, "Shop A", team),
        (Action.SESSION_RESUMED, "Shop A", team),
        (Action.DEFAULT_CHANGED, "Shop A", team),
        (Action.SESSION_LOGGED_OUT, "Shop A", team),
        (Action.SESSION_RENAMED, "Shop A", team),
        (Action.SESSION_DELETED, "Shop B", team),
    ]
    assert only(Action.SESSION_RENAMED).details == {"old": "Shop A", "new": "Shop B"}
    assert {one.address for one in found} == {ADDRESS}


def test_what_changes_nothing_is_not_recorded(cast: Cast) -> None:
    make_session("Shop A", team=cast.team)
    client = signed_in(cast.operator)
    for _ in range(2):
        client.post("/sessions/Shop A/pause/")
        client.post("/sessions/Shop A/rename/", {"new_name": "Shop A"})
    assert len(entries(Action.SESSION_PAUSED)) == 1
    assert not entries(Action.SESSION_RENAMED)


def test_a_scan_adds_and_connects_an_account_for_who_asked_for_it(cast: Cast) -> None:
    attempt = attempts.start_login(user=cast.operator, session_name="Shop A", team=cast.team)
    attempts.confirm(attempt.pk, Credentials("SECRET", "bot-1", "https://x", "owner"))
    for action in (Action.SESSION_ADDED, Action.SESSION_CONNECTED):
        assert facts(only(action)) == ("otto", "console", "Shop A", cast.team.pk)
    assert only(Action.SESSION_CONNECTED).details == {"bot": "bot-1"}
    assert "SECRET" not in str(list(AuditEntry.objects.values()))


def test_links_are_recorded_once_and_without_their_address(cast: Cast) -> None:
    session = make_session("Shop A", team=cast.team)
    client = signed_in(cast.operator)
    client.post("/sessions/Shop A/log-out/")
    for _ in range(2):
        client.post("/sessions/Shop A/link/")
    link = scan_links.link_to(session)
    assert link is not None
    for _ in range(2):
        client.post(f"/sessions/-/links/{link.pk}/revoke/")
    for action in (Action.LINK_MADE, Action.LINK_REVOKED):
        assert facts(only(action)) == ("otto", "browser", "Shop A", cast.team.pk)
    assert link.pk not in str(list(AuditEntry.objects.values()))


def test_invitations(cast: Cast) -> None:
    client = signed_in(cast.operator)
    form = {"team": cast.team.pk, "name_prefix": "Fair", "label": "", "per_hour": 5, "in_all": 9}
    client.post("/sessions/-/invitations/", form)
    made = only(Action.INVITATION_MADE)
    for _ in range(2):
        client.post(f"/sessions/-/invitations/{made.object_id}/revoke/")
    for entry in (made, only(Action.INVITATION_REVOKED)):
        assert facts(entry) == ("otto", "browser", "Fair", cast.team.pk)


def test_receiving_that_is_handed_over_and_taken_back(cast: Cast) -> None:
    SharedFolder.objects.create(pk=1, path="/srv/weilink", receiver=Receiver.CONSOLE)
    shared.hand_over()
    shared.take_back()
    for action in (Action.FOLDER_HANDED_OVER, Action.FOLDER_TAKEN_BACK):
        assert only(action).object_name == "/srv/weilink"


def test_each_setting_with_its_values(cast: Cast) -> None:
    client = signed_in(cast.administrator)
    page = client.get("/settings/").context["form"]
    form = {name: page.initial[name] for name in page.fields}
    form |= {f"initial-{name}": value for name, value in form.items()}
    client.post("/settings/", {**form, "park_days": 9, "file_mb": 50})
    found = {one.object_id: one.details for one in entries(Action.SETTING_CHANGED)}
    assert found == {"park_days": {"old": 7, "new": 9}, "file_mb": {"old": 100, "new": 50}}


def test_a_copy_that_is_held_and_released(cast: Cast) -> None:
    standing.hold(copy_of="postgres://host/name")
    signed_in(cast.administrator).post("/settings/release/")
    assert only(Action.INSTALLATION_HELD).details == {"place": "postgres://host/name"}
    assert facts(only(Action.INSTALLATION_RELEASED))[:2] == ("ada", "browser")


def test_a_source_that_moves_and_is_taken_back(cast: Cast) -> None:
    standing.mark_moved(to="postgres://host/name")
    standing.take_back()
    standing.take_back()
    assert only(Action.DATABASE_COPIED).details == {"place": "postgres://host/name"}
    assert only(Action.DATABASE_TAKEN_BACK)
