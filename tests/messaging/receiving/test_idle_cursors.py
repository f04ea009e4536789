"""Cursors of empty answers: written together, never backwards, and not lost by a stop."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.receiving import poll_notes
from messaging.receiving.binding import Binding, Heard
from messaging.receiving.recorder import Recorder, Spool
from sessions_app.models import Session, SessionState, Team
from sessions_app.sessions import services
from sessions_app.simulator.serve import SimulatorServer
from tests.conftest import in_thread, until
from tests.messaging.builders import make_session, receive, text_message
from tests.messaging.rig import Rig, bound_session


def _binding(session: Session) -> Binding:
    return Binding(session.pk, session.generation, session.cursor, session.hold_ms)


def _heard(cursor: str, stored: str = "") -> Heard:
    return Heard(timezone.now(), cursor, stored, 35_000)


@pytest.mark.django_db
def test_many_sessions_are_written_with_one_statement() -> None:
    sessions = [make_session(f"Shop {number}") for number in range(12)]
    with CaptureQueriesContext(connection) as queries:
        poll_notes.write_good_polls({_binding(one): _heard(f"cursor {one.pk}") for one in sessions})
    said = [one["sql"] for one in queries if "UPDATE sessions_app_session" in one["sql"]]
    assert len(said) == 1
    for one in sessions:
        one.refresh_from_db()
        assert one.cursor == f"cursor {one.pk}"


@pytest.mark.django_db
def test_the_cursor_of_a_message_is_not_overwritten_by_an_older_one() -> None:
    session = make_session()
    collected = _heard("of an empty answer")
    receive(session, text_message("hello"), cursor="of the message")
    poll_notes.write_good_polls({_binding(session): collected})
    session.refresh_from_db()
    assert session.cursor == "of the message"
    assert session.last_poll_at == collected.at


@pytest.mark.django_db
def test_a_new_binding_and_a_log_out_keep_their_cursor() -> None:
    session = make_session()
    binding = _binding(session)
    Session.objects.filter(pk=session.pk).update(generation=session.generation + 1)
    poll_notes.write_good_polls({binding: _heard("of the old binding")})
    assert Session.objects.get().cursor == ""
    services.log_out(session=session, user=None)
    session.refresh_from_db()
    poll_notes.write_good_polls({_binding(session): _heard("late")})
    assert Session.objects.get().cursor == ""


@pytest.mark.django_db
def test_a_paused_session_keeps_the_last_cursor_but_not_the_time() -> None:
    session = make_session()
    Session.objects.update(state=SessionState.PAUSED)
    poll_notes.write_good_polls({_binding(session): _heard("next")})
    paused = Session.objects.get()
    assert (paused.cursor, paused.last_poll_at) == ("next", session.last_poll_at)


@pytest.fixture
async def recorder(seeded: Team, tmp_path: Path) -> AsyncIterator[Recorder]:
    made = Recorder(Spool(tmp_path / "spool"))
    await made.start()
    yield made
    await made.stop()


async def test_an_empty_answer_is_no_transaction_and_its_cursor_is_noted(
    recorder: Recorder, simulator: SimulatorServer
) -> None:
    session, bot = await in_thread(bound_session)(simulator, "Lin")
    body = json.dumps({"ret": 0, "msgs": [], "get_updates_buf": "moved"})
    simulator.control.add_fault(
        "body", path="/ilink/bot/getupdates", token=bot["token"], times=None, body=body
    )
    rig = Rig(simulator, session, recorder)
    rig.start()
    await until(lambda: len(rig.pauses) >= 2, "two empty answers")
    await rig.stop()
    [heard] = rig.heard.values()
    assert (heard.cursor, heard.stored_cursor) == ("moved", "")
    assert (await Session.objects.aget(pk=session.pk)).cursor == ""
    await in_thread(poll_notes.write_good_polls)(rig.heard)
    assert (await Session.objects.aget(pk=session.pk)).cursor == "moved"
    rig.poller.was_written(heard)
    assert rig.poller.stored_cursor == "moved"
