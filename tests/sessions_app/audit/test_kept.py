"""Entries of the audit log are neither changed nor deleted, and outlive what they name."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from sessions_app.audit.cutting import cut
from sessions_app.models import AuditEntry, User
from sessions_app.recording import guard
from sessions_app.recording.actions import Action, Kind
from sessions_app.recording.models import AuditLogKeptError
from sessions_app.recording.record import Subject, record
from sessions_app.team_settings.limits import change_settings
from tests.conftest import Cast, make_user
from tests.sessions_app.audit.log import entries, only

pytestmark = pytest.mark.django_db


@pytest.fixture
def entry(cast: Cast) -> AuditEntry:
    change_settings(user=cast.administrator, wanted={"park_days": 9})
    return only(Action.SETTING_CHANGED)


def test_the_model_refuses_changes(entry: AuditEntry) -> None:
    entry.actor_name = "somebody else"
    for attempt in (
        entry.save,
        entry.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(actor_name=""),
        lambda: AuditEntry.objects.bulk_update([entry], ["actor_name"]),
    ):
        with pytest.raises(AuditLogKeptError):
            attempt()
    assert only(Action.SETTING_CHANGED).actor_name == "ada"


@pytest.mark.parametrize("statement", ["UPDATE {} SET actor_name = ''", "DELETE FROM {}"])
def test_the_database_refuses_changes(entry: AuditEntry, statement: str) -> None:
    with (
        connection.cursor() as cursor,
        pytest.raises(DatabaseError, match=guard.REFUSAL),
        transaction.atomic(),
    ):
        cursor.execute(statement.format(guard.TABLE))
    assert only(Action.SETTING_CHANGED) == entry


def test_it_survives_the_person(cast: Cast) -> None:
    person = make_user("leo")
    change_settings(user=person, wanted={"park_days": 9})
    key = person.pk
    person.delete()
    assert not User.objects.filter(pk=key).exists()
    entry = only(Action.SETTING_CHANGED)
    assert (entry.actor_id, entry.actor_name) == (key, "leo")


def test_it_is_written_with_what_it_records_or_not_at_all(cast: Cast) -> None:
    with transaction.atomic():
        change_settings(user=cast.administrator, wanted={"park_days": 9})
        assert entries(Action.SETTING_CHANGED)
        transaction.set_rollback(True)
    assert not entries(Action.SETTING_CHANGED)


def test_names_are_cut_to_what_the_table_holds(db: None) -> None:
    record(Action.TEAM_ADDED, Subject(Kind.TEAM, 1, "n\0" * 400), what="w" * 1_000)
    entry = only(Action.TEAM_ADDED)
    assert (entry.object_name, len(entry.details["what"])) == ("n" * 330, 400)


def grow_old(days: int, count: int) -> None:
    at = timezone.now() - timedelta(days=days)
    AuditEntry.objects.bulk_create(
        AuditEntry(at=at, door="console", action=Action.SIGNED_OUT) for _ in range(count)
    )


def test_old_entries_are_cut_by_the_command_alone(db: None) -> None:
    grow_old(400, 7)
    grow_old(300, 2)
    out = StringIO()
    call_command("audit", "cut", "--older-than-days", "365", stdout=out)
    assert out.getvalue() == "7 entries were deleted.\n"
    assert len(entries(Action.SIGNED_OUT)) == 2
    assert only(Action.AUDIT_CUT).details["count"] == 7
    with pytest.raises(DatabaseError, match=guard.REFUSAL), transaction.atomic():
        AuditEntry.objects.all()._raw_delete(using="default")


def test_a_cut_of_nothing_is_not_recorded(db: None) -> None:
    grow_old(3, 1)
    assert cut(before=timezone.now() - timedelta(days=30)) == 0
    assert not entries(Action.AUDIT_CUT)


def test_a_cut_takes_several_steps(db: None) -> None:
    grow_old(400, 7)
    assert cut(before=timezone.now() - timedelta(days=30), batch=3) == 7
    assert not entries(Action.SIGNED_OUT)


@pytest.mark.parametrize("days", ["0", "-1", "36501"])
def test_the_command_refuses_what_would_delete_everything(days: str, db: None) -> None:
    with pytest.raises(CommandError):
        call_command("audit", "cut", f"--older-than-days={days}")


def test_nobody_but_a_superuser_sees_it_in_the_admin_and_nobody_changes_it(
    cast: Cast, client: Any, entry: AuditEntry
) -> None:
    cast.administrator.is_staff = cast.administrator.is_superuser = True
    cast.administrator.save()
    client.force_login(cast.administrator)
    page = f"/admin/sessions_app/auditentry/{entry.pk}"
    assert client.get(f"{page}/change/").status_code == 200
    assert client.post(f"{page}/change/", {"actor_name": "x"}).status_code == 403
    assert client.post(f"{page}/delete/", {"post": "yes"}).status_code == 403
