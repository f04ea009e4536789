"""`manage.py copy_database`: from SQLite to PostgreSQL, whole or not at all."""

import os
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.utils import timezone

from messaging.delivering.restored import doubt_restored
from messaging.models import Message, RawAnswer
from sessions_app.installation import standing
from sessions_app.models import ApiToken, Session, SharedFolder, Team, WorkerBeat
from sessions_app.people.roles import Role
from sessions_app.sessions import leases
from tests.conftest import make_user
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply
from weilink_site.copying import copying, tables
from weilink_site.copying.target import TARGET, address_of, close_target, on_target, open_target
from weilink_site.host import preflight
from weilink_site.host.data_lock import DataLock

pytestmark = pytest.mark.services

LATE = datetime(2026, 11, 29, 23, 59, 59, 123457, tzinfo=UTC)
WORDS = "你好 👩‍👩‍👧 \\u0000 \r\n\t\" ' \\N"
Rows = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def source(seeded: Team) -> Session:
    """One account, people who wrote, replies in several states, and columns of every kind."""
    session = make_session("Shop A")
    user = make_user("wei", Role.AGENT, seeded)
    leases.register("w1")
    for number in range(4):
        receive(session, text_message(f"{WORDS} {number}", sender=f"guest{number}@im.wechat"))
    for number, status in enumerate(("queued", "sending", "sent", "failed")):
        conversation = Message.objects.get(text__endswith=f" {number}").conversation
        reply = send_reply(user=user, conversation=conversation, text=status, draft_key=status)
        if status != "queued":
            Message.objects.filter(pk=reply.pk).update(status=status, created_at=LATE)
    ApiToken.objects.create(owner=user, name="t", digest="d" * 64, scopes=["read", "发送"])
    RawAnswer.objects.create(
        session=session, reason="r", digest="x", encrypted_body=bytes(range(256))
    )
    WorkerBeat.objects.all().delete()
    SharedFolder.objects.create(pk=1, path="p", receiver="console")
    return session


@pytest.fixture
def rows(postgres_url: str) -> Rows:
    def query(statement: str) -> list[tuple[Any, ...]]:
        with psycopg.connect(postgres_url, autocommit=True) as other:
            cursor = other.execute(statement)
            return cursor.fetchall() if cursor.description else []

    return query


@pytest.fixture(autouse=True)
def _lock_is_free() -> Iterator[None]:
    yield
    connections.close_all()


def copied(url: str, *options: str) -> str:
    """What the command said."""
    out = StringIO()
    call_command("copy_database", "--to", url, *options, stdout=out)
    return out.getvalue()


def refusal(*arguments: str) -> str:
    """The one sentence that it ended with."""
    err = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("copy_database", *arguments, stdout=StringIO(), stderr=err)
    assert stopped.value.code == 1
    assert err.getvalue().count("\n") == 1
    return err.getvalue()


def test_everything_arrives_equal_and_the_source_gives_up(
    source: Session, postgres_url: str, rows: Rows
) -> None:
    said = copied(postgres_url)
    messages = list(Message.objects.values_list("id", "text", "created_at", "stored_at"))
    found = rows("SELECT id, text, created_at, stored_at FROM messaging_message ORDER BY id")
    assert found == messages
    assert any(at == LATE for _, _, at, _ in found)
    assert rows("SELECT encrypted_body FROM (SELECT sealed_body AS encrypted_body "
                "FROM messaging_rawanswer) a") == [(bytes(range(256)),)]  # fmt: skip
    assert rows("SELECT receiver FROM sessions_app_sharedfolder") == [("nobody",)]
    assert rows("SELECT scopes FROM sessions_app_apitoken") == [(["read", "发送"],)]
    assert "equal             8  messaging_message  sha256 " in said
    assert f"This installation has moved to {address_of(postgres_url)}." in said

    for check in (preflight.of_console, preflight.of_web, lambda: preflight.moved()):
        sentence = check()
        assert f"was moved to {address_of(postgres_url)} on 20" in sentence
        assert "manage.py copy_database --take-back`" in sentence
    assert "was moved to" in refusal("--to", postgres_url)
    call_command("copy_database", "--take-back", stdout=StringIO())
    assert preflight.moved() == ""
    assert "nothing to take back" in refusal("--take-back")


def test_the_copy_is_held_and_its_open_replies_wait_for_a_decision(
    source: Session, postgres_url: str, rows: Rows
) -> None:
    assert "2 replies waited or were being sent." in copied(postgres_url)
    fates = "SELECT text, status, error_code, holds_queue FROM messaging_message"
    out = {text: rest for text, *rest in rows(f"{fates} WHERE direction = 'out'")}
    assert out["queued"] == out["sending"] == ["unconfirmed", "restored", True]
    assert (out["sent"][0], out["failed"][0]) == ("sent", "failed")
    assert rows("SELECT count(*) FROM messaging_conversation WHERE not_sent > 0") == [(2,)]
    [[held_at, held_of]] = rows("SELECT held_at, held_of FROM sessions_app_installation")
    assert held_at is not None
    assert held_of.startswith("sqlite:///")
    # In the source they are as they were.
    assert set(Message.objects.filter(direction="out").values_list("status", flat=True)) == {
        "queued", "sending", "sent", "failed",
    }  # fmt: skip

    open_target(postgres_url)
    try:
        with on_target():
            Session.objects.create(name="New", name_key="new", team=Team.objects.get())
            call_command("copy_database", "--release", stdout=StringIO())
            assert standing.standing().may_work
        assert Session.objects.count() == 1
    finally:
        close_target()


def test_a_held_copy_is_made_anew_only_when_asked_for(
    source: Session, postgres_url: str, rows: Rows
) -> None:
    copied(postgres_url)
    standing.take_back()
    receive(source, text_message("since then"))
    sentence = refusal("--to", postgres_url)
    assert "is a copy already" in sentence
    assert "--replace-held" in sentence
    copied(postgres_url, "--replace-held")
    assert rows("SELECT count(*) FROM messaging_message WHERE text = 'since then'") == [(1,)]

    rows("UPDATE sessions_app_installation SET held_at = NULL, released_at = now()")
    standing.take_back()
    assert "The target is not empty" in refusal("--to", postgres_url, "--replace-held")


def test_after_a_failure_nothing_is_there_and_the_next_try_copies_all(
    source: Session, postgres_url: str, rows: Rows
) -> None:
    """SQLite keeps a text that is too long for its column; the row comes late in the copy."""
    SharedFolder.objects.update(default_name="n" * 80)
    sentence = refusal("--to", postgres_url)
    assert sentence.startswith("sessions_app_sharedfolder cannot be copied: value too long")
    assert "nnnn" not in sentence
    assert rows("SELECT count(*) FROM messaging_message") == [(0,)]
    assert rows("SELECT count(*) FROM sessions_app_installation") == [(0,)]
    assert standing.may_work()
    SharedFolder.objects.update(default_name="n\0n")
    assert "sessions_app_sharedfolder holds a NUL character" in refusal("--to", postgres_url)
    SharedFolder.objects.update(default_name="n", set_aside=[{"name": "\0"}])
    assert "holds a NUL character" in refusal("--to", postgres_url)
    SharedFolder.objects.update(set_aside=[{"name": "\\u0000"}])
    assert "each was compared" in copied(postgres_url)
    assert rows("SELECT set_aside FROM sessions_app_sharedfolder") == [([{"name": "\\u0000"}],)]


def test_nobody_may_work_on_either_side(source: Session, postgres_url: str, rows: Rows) -> None:
    leases.register("w2")
    assert f"The source is in use by {os.uname().nodename}:" in refusal("--to", postgres_url)
    WorkerBeat.objects.update(heard_at=timezone.now() - timedelta(seconds=leases.BEAT_TTL_S + 1))
    rows(
        "INSERT INTO sessions_app_workerbeat (worker_id, host, pid, started_at, heard_at, numbers)"
        " VALUES ('w', 'elsewhere', 7, now(), now(), '{}')"
    )
    assert "The target is in use by elsewhere:7" in refusal("--to", postgres_url)
    rows("DELETE FROM sessions_app_workerbeat")

    console = DataLock()
    console.take()
    assert "The source is in use by a console" in refusal("--to", postgres_url)
    console.release()
    open_target(postgres_url)
    with on_target():
        console.take()
    assert "The target is in use by a console" in refusal("--to", postgres_url)
    console.release()
    assert rows("SELECT count(*) FROM messaging_message") == [(0,)]


def test_a_target_with_data_or_of_another_release_is_left_alone(
    source: Session, postgres_url: str, rows: Rows
) -> None:
    rows("INSERT INTO django_session VALUES ('k', 'd', now())")
    assert "The target is not empty: django_session holds rows" in refusal("--to", postgres_url)
    rows("DELETE FROM django_session")
    rows("INSERT INTO django_migrations (app, name, applied) VALUES ('messaging', '9', now())")
    assert "differ by 1 migrations (messaging.9 first)" in refusal("--to", postgres_url)
    assert "The copy goes to PostgreSQL" in refusal("--to", "sqlite:///other.sqlite3")
    assert "--to must start with sqlite:/// or postgres://" in refusal("--to", "mysql://h/n")


def test_a_row_that_differs_is_found_and_named(
    source: Session, postgres_url: str, monkeypatch: pytest.MonkeyPatch, rows: Rows
) -> None:
    """As if the server had kept a time with less precision than it was given."""
    read = tables.Table.rows

    def blurred(self: tables.Table, alias: str) -> Generator[tables.Row, None, None]:
        for row in read(self, alias):
            if alias == TARGET and self.name == "messaging_message":
                row = tuple(v.replace(microsecond=0) if v == LATE else v for v in row)
            yield row

    monkeypatch.setattr(tables.Table, "rows", blurred)
    first = Message.objects.filter(created_at=LATE).order_by("id")[0]
    sentence = refusal("--to", postgres_url)
    assert f"messaging_message: the row with the key {first.pk} is not the same" in sentence
    assert rows("SELECT count(*) FROM messaging_message") == [(0,)]


def test_rows_of_which_one_side_has_more_differ() -> None:
    with pytest.raises(copying.CopyDiffers, match="the row with the key 2 "):
        copying.compare("t", [(1,), (2,)], [(1,)])
    assert copying.compare("t", [(1, b"a")], [(1, memoryview(b"a"))]).rows == 1


def test_no_password_is_shown_or_stored() -> None:
    url = "postgres://weilink:secret%23@db:5433/name?sslmode=require"
    assert address_of(url) == "postgres://weilink@db:5433/name"


def test_a_restored_backup_is_held_like_a_copy(source: Session) -> None:
    standing.mark_moved(to="postgres://old")
    leases.register("of the backup")
    out = StringIO()
    call_command("copy_database", "--restored", stdout=out)
    assert "2 open replies are unconfirmed." in out.getvalue()
    assert Message.objects.filter(status="unconfirmed", error_code="restored").count() == 2
    found = standing.standing()
    assert (found.is_held, found.is_moved) == (True, False)
    assert not WorkerBeat.objects.exists()
    assert SharedFolder.objects.get().receiver == "nobody"
    call_command("copy_database", "--release", stdout=StringIO())
    assert standing.may_work()
    assert "nothing to release" in refusal("--release")


def test_a_reply_that_is_claimed_later_is_not_in_doubt(source: Session) -> None:
    """Only what was open at the copy is: the mark is set once, not whenever a worker starts."""
    assert doubt_restored() == 2
    assert doubt_restored() == 0
    assert connection.vendor == "sqlite"
