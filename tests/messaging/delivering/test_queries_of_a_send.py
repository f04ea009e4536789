"""Each step of a send reads a row once. Statements are counted without a transaction's own."""

from collections.abc import Callable

import pytest

from messaging.delivering import outbox
from messaging.delivering.outbox import Claim
from messaging.models import Conversation
from messaging.replying import sending
from messaging.replying.sending import Wish
from sessions_app.sessions import leases
from sessions_app.team_settings.limits import team_settings
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.queries import Queries, queries

pytestmark = pytest.mark.django_db

LONG = "word " * 1_000
"""Three messages when it is split."""
ONCE = ("sessions_app_session", "messaging_conversation", "messaging_contact")
ONCE_TOO = ("sessions_app_context", "messaging_draft", "messaging_attachment")


@pytest.fixture
def conversation(cast: Cast) -> Conversation:
    leases.register("w1")
    receive(make_session(), text_message("hello"))
    team_settings()  # kept for a while by every process
    return Conversation.objects.get()


def _reads_once(seen: Queries) -> bool:
    """Of each of these tables a step needs one row; of messages it also asks what stands around."""
    return all(seen.tables_read[table] <= 1 for table in (*ONCE, *ONCE_TOO))


def _send(cast: Cast, conversation: Conversation, text: str = "hi") -> Queries:
    wish = Wish(text, "k", split=True)
    with queries() as seen:
        sending.send(user=cast.agent, conversation=conversation, wish=wish, limits=team_settings())
    return seen


def _claim() -> Claim:
    [claim] = outbox.claim_next("w1", limit=5)
    return claim


def test_queueing(cast: Cast, conversation: Conversation) -> None:
    seen = _send(cast, conversation)
    assert len(seen) <= 19, seen
    assert _reads_once(seen), seen.tables_read


def test_queueing_several_parts_takes_no_more_than_one(
    cast: Cast, conversation: Conversation
) -> None:
    seen = _send(cast, conversation, LONG)
    assert Conversation.objects.get().messages.filter(direction="out").count() > 1
    assert len(seen) <= 19, seen


def test_claiming(cast: Cast, conversation: Conversation) -> None:
    _send(cast, conversation)
    with queries() as seen:
        _claim()
    assert len(seen) <= 13, seen
    assert _reads_once(seen), seen.tables_read
    # What is on the wire, what may go, and the message itself.
    assert seen.tables_read["messaging_message"] == 3, seen


STEPS: dict[str, tuple[int, Callable[[Claim], None]]] = {
    "accepted": (13, lambda claim: outbox.mark_sent(claim, wire_id="7")),
    "without a receipt": (15, lambda claim: outbox.mark_sent(claim, wire_id=None)),
    "refused": (22, lambda claim: outbox.mark_refused(claim, wire_code=-2, detail="")),
    "broken": (16, lambda claim: outbox.mark_broken(claim, detail="reset")),
    "put back": (13, lambda claim: outbox.put_back(claim, code="not_reached", detail="")),
    "handed back": (12, outbox.hand_back),
}


@pytest.mark.parametrize("step", STEPS)
def test_finishing(cast: Cast, conversation: Conversation, step: str) -> None:
    most, finish = STEPS[step]
    _send(cast, conversation)
    claim = _claim()
    with queries() as seen:
        finish(claim)
    assert len(seen) <= most, seen
    assert _reads_once(seen), seen.tables_read
    assert sum('"messaging_message"."sealed_raw"' in one for one in seen.statements) == 1, seen
