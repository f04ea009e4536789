"""Receiving, answering and sending really side by side. Run by `test_on_postgresql` in a child.

Transactions that lock the same rows in different orders end each other here, and columns written
from rows that were read without a lock lose what the other one added.
"""

import threading
from collections.abc import Callable

import pytest
from django.db import DatabaseError, connections

from messaging.delivering import outbox
from messaging.models import Contact, Conversation, Message
from messaging.receiving import inbound
from messaging.replying import services
from sessions_app.models import Context, Session, Team
from sessions_app.sessions import leases
from tests.messaging.builders import answer, make_session, receive, text_message
from tests.replies import send_reply

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = 20
LIMIT_S = 60.0
Job = Callable[[int], object]


def _race(*jobs: Job) -> None:
    """Every job so many times, each job in a thread of its own; none may fail."""
    errors: list[str] = []
    begin = threading.Barrier(len(jobs))

    def repeat(job: Job) -> None:
        try:
            begin.wait(LIMIT_S)
            for number in range(ROUNDS):
                job(number)
        except DatabaseError as error:
            errors.append(str(error))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=repeat, args=(job,), daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LIMIT_S)
        assert not thread.is_alive()
    assert errors == []


def _storing(session: Session, word: str, **changes: str) -> Job:
    def store(number: int) -> None:
        message = text_message(f"{word}{number}", **changes)
        inbound.store([answer(session, [message], cursor=f"{word}{number}")])

    return store


@pytest.fixture
def session(seeded: Team) -> Session:
    made = make_session()
    receive(made, text_message("hello"))
    return made


def _reply(number: int) -> Message:
    thread = Conversation.objects.get()
    return send_reply(
        user=None, conversation=thread, text=f"r{number}", draft_key=f"k{number}", override=True
    )


def test_receiving_and_answering_do_not_end_each_other(session: Session) -> None:
    _race(_storing(session, "m"), _reply)
    assert Message.objects.filter(direction="out").count() == ROUNDS
    thread, context = Conversation.objects.get(), Context.objects.get()
    assert (thread.unread, thread.replies_used) == (ROUNDS + 1, context.replies_used)


def test_sending_reading_and_cancelling_do_not_end_each_other(session: Session) -> None:
    leases.register("w1")
    thread = Conversation.objects.get()
    last = [_reply(number) for number in range(2 * ROUNDS)][ROUNDS:]

    def deliver(number: int) -> None:
        for claim in outbox.claim_next("w1", limit=1):
            outbox.mark_sent(claim, wire_id=str(number + 1))

    def read(number: int) -> None:
        Conversation.objects.filter(pk=thread.pk).update(unread=1)
        services.mark_read(conversation=thread, up_to=number + 1, user=None)

    def cancel(number: int) -> None:
        services.cancel_message(message=last[number], user=None)

    _race(deliver, read, cancel, _storing(session, "m"))
    assert Message.objects.filter(status="cancelled").count() == ROUNDS


def test_what_two_sessions_bring_at_once_adds_up(session: Session) -> None:
    _race(_storing(session, "a"), _storing(make_session("Shop B"), "b"))
    assert Conversation.objects.get().unread == Message.objects.count() == 2 * ROUNDS + 1


def test_a_stranger_who_writes_to_two_sessions_at_once_is_one_person(session: Session) -> None:
    other = make_session("Shop B")

    def storing(session: Session) -> Job:
        return lambda number: _storing(session, "m", sender=f"new{number}@im.wechat")(number)

    _race(storing(session), storing(other))
    assert Contact.objects.count() == Conversation.objects.count() == ROUNDS + 1
    assert Message.objects.count() == 2 * ROUNDS + 1
