"""The audit log as CSV: what spreadsheets make of it, how it is read, that it is recorded."""

import csv
import io
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client

from sessions_app.audit import queries as audit_queries
from sessions_app.audit.export import cell
from sessions_app.models import AuditEntry
from sessions_app.recording.actions import Action, Kind
from sessions_app.recording.record import Subject, record
from tests.conftest import Cast
from tests.queries import queries
from tests.sessions_app.audit.log import only

pytestmark = pytest.mark.django_db

EXPORT = "/people/audit/export/"


@pytest.fixture
def client(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.administrator)
    return client


def table(answer: Any) -> list[list[str]]:
    text = b"".join(answer.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text[1:], newline="")))


def grow(count: int) -> None:
    AuditEntry.objects.bulk_create(
        AuditEntry(door="browser", action=Action.SIGNED_OUT, actor_name="zoe") for _ in range(count)
    )


def test_a_row_has_the_facts_and_the_sentence(client: Client, cast: Cast) -> None:
    record(Action.SESSION_PAUSED, Subject(Kind.SESSION, 7, "Shop A", cast.team.pk), user=cast.agent)
    answer = client.post(EXPORT, {"kind": "session"})
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="audit-')
    assert answer["Cache-Control"] == "no-store"
    [titles, row] = table(answer)
    facts = dict(zip(titles, row, strict=True))
    assert facts.pop("Time (UTC)").endswith("+00:00")
    assert facts == {
        "Person": "wei", "Person's id": str(cast.agent.pk), "API token": "",
        "Through": "By the console itself", "Address": "", "Action": "session_paused",
        "Sentence": "wei paused the account “Shop A”.", "Object": "session", "Object's id": "7",
        "Object's name": "Shop A", "Team": "Everyone", "Details": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@A1", "'@A1"), ("\t=1", "'\t=1"),
        ("12345678901234567", "'12345678901234567"), ("123", "123"), ("Shop A", "Shop A"), ("", ""),
    ],
)  # fmt: skip
def test_no_spreadsheet_takes_a_text_for_something_else(text: str, shown: str) -> None:
    assert cell(text) == shown


def test_it_has_what_the_filters_list(client: Client) -> None:
    grow(3)
    assert len(table(client.post(EXPORT, {"text": "zoe"}))) == 4
    assert len(table(client.post(EXPORT, {"text": "nobody"}))) == 1


def test_it_is_itself_recorded(client: Client) -> None:
    client.post(EXPORT, {"text": "zoe"})
    entry = only(Action.AUDIT_EXPORTED)
    assert (entry.actor_name, entry.details) == ("ada", {"filters": "text=zoe"})


def test_it_is_posted(client: Client) -> None:
    assert client.get(EXPORT).status_code == 405
    assert Client(enforce_csrf_checks=True).post(EXPORT).status_code in {302, 403}


def test_it_is_read_in_batches(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_queries, "BATCH", 10)
    grow(25)
    answer: Any = client.post(EXPORT, {"text": "zoe"})
    with queries() as seen:
        pieces = list(answer.streaming_content)
    grow(5)
    assert [piece.count(b"zoe signed out.") for piece in pieces] == [10, 10, 5]
    reads = [one for one in seen.statements if "sessions_app_auditentry" in one]
    assert all("LIMIT 10" in one for one in reads)
    assert len(reads) == 4


def test_rows_that_are_added_meanwhile_are_not_in_it(client: Client) -> None:
    grow(2)
    answer = client.post(EXPORT, {"text": "zoe"})
    grow(2)
    assert len(table(answer)) == 3


@pytest.mark.usefixtures("seeded")
def test_the_server_streams_it_from_a_thread(cast: Cast) -> None:
    grow(3)
    client = AsyncClient()

    async def read() -> bytes:
        await client.aforce_login(cast.administrator)
        answer: Any = await client.post(EXPORT, {"text": "zoe"})
        return b"".join([piece async for piece in answer.streaming_content])

    assert async_to_sync(read)().count(b"zoe signed out.") == 3
