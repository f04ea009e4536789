"""One act is announced once: one number and one hint for each stream, whatever it consists of."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.conversations.errors import ReplyError
from messaging.delivering import outbox
from messaging.models import Conversation, Message
from messaging.replying import dismissing, parking, sending, services
from messaging.replying.finishing import Also, send_and
from messaging.replying.sending import Wish
from sessions_app.models import Context, Session
from sessions_app.sessions import leases
from sessions_app.team_settings.limits import TeamSettings
from tests.announced import Announced, announced
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply

pytestmark = pytest.mark.django_db

LIMITS = TeamSettings()


@pytest.fixture
def shop(cast: Cast) -> Session:
    leases.register("w1")
    return make_session("Shop A")


@pytest.fixture
def conversation(shop: Session) -> Conversation:
    receive(shop, text_message("my parcel?"))
    return Conversation.objects.get()


def is_once(seen: Announced, conversation: Conversation) -> bool:
    """The only stream is that of the team, with one number and one hint."""
    once = {f"team:{conversation.team_id}": 1}
    assert (dict(seen.numbers), dict(seen.hints)) == (once, once)
    return seen.topics == {f"conversation:{conversation.pk}"}


def test_sending_a_parked_reply(cast: Cast, conversation: Conversation, shop: Session) -> None:
    parked = parking.park(
        user=cast.agent, conversation=conversation, text="later", draft_key="k", limits=LIMITS
    )
    with announced() as seen:
        [message] = parking.send_parked(
            parked=parked, user=cast.agent, seen_up_to=None, override=False, limits=LIMITS
        )
    assert is_once(seen, conversation)
    conversation.refresh_from_db()
    assert (message.status, message.version) == ("queued", conversation.version)


def test_a_parked_reply_that_may_not_go_announces_nothing(
    cast: Cast, conversation: Conversation
) -> None:
    parked = parking.park(
        user=cast.agent, conversation=conversation, text="later", draft_key="k", limits=LIMITS
    )
    Context.objects.update(received_at=timezone.now() - timedelta(hours=25))
    with announced() as seen, pytest.raises(ReplyError):
        parking.send_parked(
            parked=parked, user=cast.agent, seen_up_to=None, override=False, limits=LIMITS
        )
    assert seen == Announced()


@pytest.mark.parametrize("also", [[], [Also.TAKE], [Also.RESOLVE], [Also.TAKE, Also.RESOLVE]])
def test_sending_with_what_is_done_beside_it(
    cast: Cast, conversation: Conversation, also: list[Also]
) -> None:
    wish = Wish("It comes today", "k1")
    with announced() as seen:
        send_and(user=cast.agent, conversation=conversation, wish=wish, limits=LIMITS, also=also)
    assert is_once(seen, conversation)
    conversation.refresh_from_db()
    assert conversation.status == ("resolved" if Also.RESOLVE in also else "open")
    assert conversation.assignee == (cast.agent if Also.TAKE in also else None)
    versions = set(Message.objects.exclude(direction="in").values_list("version", flat=True))
    assert versions == {conversation.version}


def test_cancelling_a_queued_reply(cast: Cast, conversation: Conversation) -> None:
    message = send_reply(user=cast.agent, conversation=conversation, text="hi", draft_key="k")
    with announced() as seen:
        services.cancel_message(message=message, user=cast.agent)
    assert is_once(seen, conversation)


def test_taking_back_a_reply_of_several_parts(cast: Cast, conversation: Conversation) -> None:
    wish = Wish("word " * 1_000, "k1", split=True)
    first, *others = sending.send(
        user=cast.agent, conversation=conversation, wish=wish, limits=LIMITS
    )
    assert others
    with announced() as seen:
        sending.take_back(message=first, user=cast.agent)
    assert is_once(seen, conversation)


@pytest.mark.parametrize("arrived", [True, False])
def test_dismissing_a_reply(cast: Cast, conversation: Conversation, arrived: bool) -> None:
    message = send_reply(user=cast.agent, conversation=conversation, text="hi", draft_key="k")
    [claim] = outbox.claim_next("w1", limit=1)
    outbox.mark_broken(claim, detail="reset")
    with announced() as seen:
        dismissing.dismiss_message(message=message, user=cast.agent, arrived=arrived)
    assert is_once(seen, conversation)
