"""One statement a second says whether the worker has anything to do, and names all of it."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.models import Conversation, ConversationStatus, Message, MessageStatus
from messaging.worker.glance import Glance, glance
from sessions_app.models import Session, SessionState, WorkerBeat
from sessions_app.sessions import leases
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def session() -> Session:
    leases.register("w1")
    session = make_session()
    Session.objects.update(lease_owner="w1")
    return session


def _look(worker_id: str = "w1") -> Glance:
    return glance(worker_id, timezone.now())


def test_without_work_one_statement_says_so(session: Session) -> None:
    receive(session, text_message("hello"))
    with CaptureQueriesContext(connection) as queries:
        found = _look()
    assert len(queries) == 1
    assert found.is_known
    assert not any((found.chores, found.outbox, found.files, found.typing))


def test_a_worker_that_was_declared_dead_learns_it(session: Session) -> None:
    assert not _look("another").is_known


def test_a_worker_that_comes_or_goes_is_another_text(session: Session) -> None:
    before = _look().workers
    leases.register("w2")
    both = _look().workers
    leases.retire("w2")
    assert (before, both, _look().workers) == ("w1", "w1 w2", "w1")


def test_a_silent_worker_is_a_chore(session: Session) -> None:
    leases.register("w2")
    assert not _look().chores
    silent_since = timezone.now() - timedelta(seconds=leases.BEAT_TTL_S + 1)
    WorkerBeat.objects.filter(pk="w2").update(heard_at=silent_since)
    assert _look().chores


def test_a_session_that_changes_is_another_number(session: Session) -> None:
    before = _look().sessions
    receive(session, text_message("hello"))
    assert _look().sessions > before


def test_a_free_session_is_a_chore(session: Session) -> None:
    Session.objects.update(lease_owner="gone")
    assert _look().chores
    Session.objects.update(state=SessionState.PAUSED)
    assert not _look().chores


def test_a_reply_that_waits_and_one_whose_worker_is_lost_are_seen(session: Session) -> None:
    receive(session, text_message("hello"))
    send_reply(user=None, conversation=Conversation.objects.get(), text="hi", draft_key="1")
    found = _look()
    assert (found.outbox, found.chores) == (True, False)
    replies = Message.objects.filter(direction="out")
    replies.update(status=MessageStatus.SENDING, claimed_by="gone")
    assert _look().chores
    replies.update(claimed_by="w1")
    assert not _look().chores


def test_what_time_brings_is_seen_when_it_is_due(session: Session) -> None:
    receive(session, text_message("hello"))
    now, later = timezone.now(), timezone.now() + timedelta(minutes=1)
    rows = Conversation.objects.all()
    rows.update(status=ConversationStatus.SNOOZED, snoozed_until=later)
    assert not _look().chores
    rows.update(snoozed_until=now)
    assert _look().chores
    rows.update(status=ConversationStatus.OPEN, snoozed_until=None, closes_at=now)
    assert _look().chores


def test_a_file_to_fetch_is_seen(session: Session) -> None:
    media = {"encrypt_query_param": "p", "aes_key": "k"}
    file = {"type": 4, "file_item": {"file_name": "a.bin", "media": media}}
    receive(session, text_message("", item_list=[file]))
    assert _look().files
