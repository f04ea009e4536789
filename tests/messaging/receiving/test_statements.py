"""What storing costs the database: few statements for one message, no more for many."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from messaging.models import Conversation, Message
from messaging.receiving import inbound
from messaging.receiving.answers import Received
from sessions_app.models import Session, Stream
from sessions_app.team_settings.limits import team_settings
from tests.messaging.builders import answer, make_session, receive, text_message

pytestmark = pytest.mark.django_db

MOST = 10


@pytest.fixture
def session() -> Session:
    return make_session()


def _statements(answers: list[Received]) -> list[str]:
    team_settings()  # kept for seconds, so it is no part of the cost
    with CaptureQueriesContext(connection) as queries:
        inbound.store(answers)
    said = [query["sql"] for query in queries]
    return [one for one in said if not one.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))]


def test_a_lone_message_takes_ten_statements_at_most(session: Session) -> None:
    receive(session, text_message("hello"))
    said = _statements([answer(session, [text_message("again")], cursor="c2")])
    assert len(said) <= MOST, said


def test_many_messages_of_many_sessions_take_no_more(session: Session) -> None:
    sessions = [session, *(make_session(f"Shop {number}") for number in range(5))]

    def answers(words: str) -> list[Received]:
        return [
            answer(one, [text_message(words, sender=f"{n}@im.wechat") for n in range(6)])
            for one in sessions
        ]

    inbound.store(answers("hello"))
    said = _statements(answers("again"))
    assert len(said) <= MOST, said
    assert Message.objects.filter(text="again").count() == 36


def test_numbers_have_no_gaps_and_stand_on_all_rows(session: Session) -> None:
    key = f"team:{session.team_id}"
    receive(session, text_message("hello"))
    before = Stream.objects.get(key=key).last_number
    receive(session, text_message("again"), text_message("and again"))
    number = Stream.objects.get(key=key).last_number
    assert number == before + 1
    assert set(Message.objects.exclude(text="hello").values_list("version", flat=True)) == {number}
    assert Conversation.objects.get().version == Session.objects.get().version == number
