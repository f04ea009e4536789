"""A worker that lost its lease: what it says of the session is refused, messages never are."""

from dataclasses import replace
from pathlib import Path

import pytest
from django.utils import timezone

from messaging.models import Message
from messaging.receiving import inbound, poll_notes
from messaging.receiving.binding import Binding, Heard
from messaging.receiving.poll_notes import GaveUp
from messaging.receiving.recorder import Spool
from sessions_app.models import Session
from sessions_app.sessions import leases
from tests.messaging.builders import answer, make_session, text_message

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> Session:
    return make_session()


@pytest.fixture
def old(session: Session) -> Binding:
    """The first worker's poll loop; then a second worker claims the session."""
    leases.register("first")
    [held] = leases.share_sessions("first", limit=1).sessions
    binding = Binding.of(held)
    leases.retire("first")
    leases.register("second")
    leases.share_sessions("second", limit=1)
    session.refresh_from_db()
    assert session.lease_number == 2
    return binding


def _now(session: Session) -> dict[str, object]:
    """All that is written about the session."""
    fields = [one.attname for one in Session._meta.concrete_fields]
    return dict(Session.objects.filter(pk=session.pk).values(*fields).get())


def test_state_and_cursor_of_a_former_holder_are_refused(session: Session, old: Binding) -> None:
    before, at = _now(session), timezone.now()
    poll_notes.good_polls({old: at})
    poll_notes.write_good_polls({old: Heard(at, "c9", "", 1_000)})
    poll_notes.write_given_up({old: GaveUp(at, 502)})
    poll_notes.failed_poll(old, failures=9, code="http", detail="502", next_at=at)
    poll_notes.doubt(old)
    poll_notes.signed_out(old)
    poll_notes.blocked(old, code="unsafe_host", detail="example.org")
    assert _now(session) == before


def test_the_present_holder_s_are_written(session: Session, old: Binding) -> None:
    session.refresh_from_db()
    poll_notes.write_good_polls({Binding.of(session): Heard(timezone.now(), "c9", "", 1_000)})
    session.refresh_from_db()
    assert session.cursor == "c9"
    poll_notes.doubt(Binding.of(session))
    poll_notes.signed_out(Binding.of(session))
    session.refresh_from_db()
    assert session.state == "expired"


def test_messages_of_a_former_holder_are_stored_without_its_cursor(
    session: Session, old: Binding
) -> None:
    Session.objects.filter(pk=session.pk).update(cursor="c5")
    late = answer(session, [text_message("late")], cursor="c2")
    inbound.store([replace(late, lease_number=old.lease_number)])
    assert Message.objects.get().text == "late"
    session.refresh_from_db()
    assert session.cursor == "c5"
    inbound.store([replace(answer(session, [text_message("new")], cursor="c6"), lease_number=2)])
    session.refresh_from_db()
    assert session.cursor == "c6"


def test_an_answer_in_the_spool_keeps_the_number_of_its_lease(
    session: Session, tmp_path: Path
) -> None:
    spool = Spool(tmp_path)
    spool.put(replace(answer(session, [text_message("hello")]), lease_number=7))
    [path] = spool.waiting()
    assert spool.read(path).lease_number == 7
