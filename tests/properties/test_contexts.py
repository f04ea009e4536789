"""Messages in any order, in any answers and more than once: stored once, and the newest token."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from messaging.models import Conversation, Message
from sessions_app.models import Context, Session
from tests import random_seeds
from tests.messaging.builders import make_session, receive, text_message

pytestmark = pytest.mark.properties

LINA, MEI = "lina@im.wechat", "mei@im.wechat"


@st.composite
def answers(draw: st.DrawFn) -> list[list[tuple[str, int]]]:
    """Answers of (person, number) in any order; a higher number was written later."""
    written = draw(st.lists(st.tuples(st.sampled_from([LINA, MEI]), st.integers(0, 5)), max_size=8))
    cuts = sorted(draw(st.lists(st.integers(0, len(written)), max_size=3)))
    return [written[a:b] for a, b in zip([0, *cuts], [*cuts, len(written)], strict=True)]


@pytest.mark.django_db
def test_each_is_stored_once_and_the_newest_token_counts() -> None:
    session, began = make_session(), timezone.now() - timedelta(hours=1)

    @random_seeds.examples(40)
    @given(answers())
    def holds(story: list[list[tuple[str, int]]]) -> None:
        with transaction.atomic():
            _receive_and_check(session, began, story)
            transaction.set_rollback(True)

    holds()


def _wire(person: str, number: int, began: datetime) -> dict[str, Any]:
    at = began + timedelta(seconds=number)
    return text_message(
        f"{number}",
        sender=person,
        message_id=7_500_000_000 + number * 2 + (person == MEI),
        create_time_ms=int(at.timestamp() * 1000),
        context_token=f"token {number} of {person}",
    )


def _receive_and_check(
    session: Session, began: datetime, story: list[list[tuple[str, int]]]
) -> None:
    for turn, listed in enumerate(story):
        receive(session, *(_wire(*one, began) for one in listed), cursor=f"c{turn}")
    came = {one for listed in story for one in listed}
    assert Message.objects.count() == len(came)
    for person in {person for person, _ in came}:
        newest = max(number for who, number in came if who == person)
        context = Context.objects.get(user_id=person)
        assert context.token == f"token {newest} of {person}"
        conversation = Conversation.objects.get(contact__user_id=person)
        assert conversation.session_id == session.pk
        assert conversation.closes_at is not None
