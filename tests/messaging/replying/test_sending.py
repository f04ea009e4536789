"""What the composer sends: parts in order, held back, after a last look; and what comes back."""

from datetime import timedelta

import pytest
from django.utils import timezone

from messaging.composing import drafts
from messaging.conversations import events, rows
from messaging.conversations.errors import AnsweredMeanwhile, DraftAlreadyUsed, ReplyError
from messaging.delivering import outbox
from messaging.models import Conversation, Draft, EventCode, Message
from messaging.replying import sending
from messaging.replying.sending import Wish
from sessions_app.models import Context, Session, User
from sessions_app.realtime.streams import announcing
from sessions_app.sessions import leases
from sessions_app.team_settings.limits import TeamSettings
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message

pytestmark = pytest.mark.django_db

LIMITS = TeamSettings(warn_characters=20)
LONG = "first line here\nsecond line here\nthird line here"


@pytest.fixture
def shop(cast: Cast) -> Session:
    return make_session("Shop A")


@pytest.fixture
def conversation(shop: Session) -> Conversation:
    receive(shop, text_message("hi"))
    leases.register("w1")
    return Conversation.objects.get()


def send(
    conversation: Conversation, user: User, text: str = "ok", key: str = "k", **more: object
) -> list[Message]:
    wish = Wish(text, key, **more)  # type: ignore[arg-type]
    return sending.send(user=user, conversation=conversation, wish=wish, limits=LIMITS)


def used() -> int:
    return Context.objects.get().replies_used


# Parts


def test_a_long_text_goes_as_one_unless_asked(cast: Cast, conversation: Conversation) -> None:
    assert [one.text for one in send(conversation, cast.agent, LONG)] == [LONG]


def test_parts_are_queued_in_order_and_each_costs_a_reply(
    cast: Cast, conversation: Conversation
) -> None:
    made = send(conversation, cast.agent, LONG, split=True)
    assert [one.text for one in made] == LONG.split("\n")
    assert used() == 3
    claimed = []
    for _ in made:
        claims = outbox.claim_next("w1", limit=9)
        assert len(claims) == 1  # the next one waits for the one before
        claimed.append(claims[0].text)
        outbox.mark_sent(claims[0], wire_id="7")
    assert claimed == LONG.split("\n")


def test_a_double_click_on_parts_is_the_same_messages(
    cast: Cast, conversation: Conversation
) -> None:
    first = send(conversation, cast.agent, LONG, split=True)
    again = send(conversation, cast.agent, LONG, split=True)
    assert [one.pk for one in first] == [one.pk for one in again]
    with pytest.raises(DraftAlreadyUsed):
        send(conversation, cast.agent, LONG)


def test_more_parts_than_replies_left_queue_nothing(cast: Cast, conversation: Conversation) -> None:
    Context.objects.update(replies_used=8)
    with pytest.raises(ReplyError) as refused:
        send(conversation, cast.agent, LONG, split=True)
    assert refused.value.code == "quota_exhausted"
    assert not Message.objects.filter(direction="out").exists()
    assert used() == 8
    assert len(send(conversation, cast.agent, LONG, split=True, override=True)) == 3


# The last look around


def test_a_colleagues_answer_since_the_draft_was_begun_asks_first(
    cast: Cast, conversation: Conversation
) -> None:
    seen = Message.objects.latest("id").pk
    send(conversation, cast.supervisor, "I know it", key="sue")
    with pytest.raises(AnsweredMeanwhile) as asked:
        send(conversation, cast.agent, seen_up_to=seen)
    assert asked.value.message == "sue answered 0 s ago. Send anyway?"
    assert asked.value.answer_id == Message.objects.latest("id").pk
    assert send(conversation, cast.agent, seen_up_to=asked.value.answer_id)


def test_insisting_sends(cast: Cast, conversation: Conversation) -> None:
    send(conversation, cast.supervisor, "I know it", key="sue")
    assert send(conversation, cast.agent, seen_up_to=None)


def test_own_answers_and_what_never_went_ask_nobody(cast: Cast, conversation: Conversation) -> None:
    seen = Message.objects.latest("id").pk
    send(conversation, cast.agent, "mine", key="other tab")
    gone = send(conversation, cast.supervisor, "taken back", key="sue")[0]
    sending.take_back(message=gone, user=cast.supervisor)
    assert send(conversation, cast.agent, seen_up_to=seen)


def test_another_programs_answer_asks_too(cast: Cast, conversation: Conversation) -> None:
    seen = Message.objects.latest("id").pk
    with announcing() as change:
        locked = rows.lock(conversation.pk)
        events.record_event(change, locked, EventCode.ANSWERED_ELSEWHERE)
    with pytest.raises(AnsweredMeanwhile, match="Another program answered"):
        send(conversation, cast.agent, seen_up_to=seen)


def test_an_api_program_counts_as_somebody_else(cast: Cast, conversation: Conversation) -> None:
    seen = Message.objects.latest("id").pk
    sent = send(conversation, cast.supervisor, "by program", key="p")[0]
    Message.objects.filter(pk=sent.pk).update(sent_by=None, sent_elsewhere=True)
    with pytest.raises(AnsweredMeanwhile, match="Another program answered"):
        send(conversation, cast.agent, seen_up_to=seen)


# Held back


def test_a_held_reply_is_not_claimed_before_its_time(
    cast: Cast, conversation: Conversation
) -> None:
    held = send(conversation, cast.agent, hold_s=10)[0]
    assert held.release_at is not None
    assert outbox.claim_next("w1", limit=5) == []
    Message.objects.update(release_at=timezone.now())
    Message.objects.filter(direction="in").update(release_at=None)
    assert len(outbox.claim_next("w1", limit=5)) == 1


def test_a_held_reply_holds_the_ones_behind_it(cast: Cast, conversation: Conversation) -> None:
    send(conversation, cast.agent, "one", key="1", hold_s=10)
    send(conversation, cast.agent, "two", key="2")
    assert outbox.claim_next("w1", limit=5) == []


def test_the_window_is_checked_again_at_release(cast: Cast, conversation: Conversation) -> None:
    held = send(conversation, cast.agent, hold_s=10)[0]
    Context.objects.update(received_at=timezone.now() - timedelta(hours=25))
    Message.objects.filter(pk=held.pk).update(release_at=timezone.now())
    assert outbox.claim_next("w1", limit=5) == []
    held.refresh_from_db()
    assert (held.status, held.error_code, used()) == ("failed", "window_closed", 0)


def test_undo_brings_the_text_back_and_gives_the_replies_back(
    cast: Cast, conversation: Conversation
) -> None:
    made = send(conversation, cast.agent, LONG, split=True, hold_s=10)
    draft = sending.take_back(message=made[1], user=cast.agent).draft
    assert draft.text == LONG
    assert used() == 0
    states = Message.objects.filter(direction="out").values_list("status", flat=True)
    assert set(states) == {"cancelled"}
    with pytest.raises(ReplyError):
        sending.take_back(message=made[1], user=cast.agent)


def test_a_row_forgets_what_was_taken_back(cast: Cast, conversation: Conversation) -> None:
    before = Conversation.objects.values("last_text", "last_direction", "waiting_since").get()
    made = send(conversation, cast.agent, "oops", hold_s=10)[0]
    assert Conversation.objects.get().last_text == "oops"
    sending.take_back(message=made, user=cast.agent)
    after = Conversation.objects.values("last_text", "last_direction", "waiting_since").get()
    assert after == before


def test_what_is_on_its_way_cannot_be_undone(cast: Cast, conversation: Conversation) -> None:
    made = send(conversation, cast.agent)
    outbox.claim_next("w1", limit=1)
    with pytest.raises(ReplyError) as late:
        sending.take_back(message=made[0], user=cast.agent)
    assert late.value.code == "already_sent"
    assert not Draft.objects.exclude(text="").exists()


def test_a_failed_reply_comes_back_before_what_was_typed_since(
    cast: Cast, conversation: Conversation
) -> None:
    failed = send(conversation, cast.agent, "failed one")[0]
    Message.objects.filter(pk=failed.pk).update(status="failed", holds_queue=True)
    draft = drafts.draft_of(cast.agent, conversation)
    drafts.save_draft(
        user=cast.agent,
        conversation=conversation,
        kind="reply",
        text="typed",
        key="n",
        number=draft.number,
    )
    assert sending.take_back(message=failed, user=cast.agent).draft.text == "failed one\ntyped"
    failed.refresh_from_db()
    assert (failed.status, failed.holds_queue) == ("failed", False)


# The draft


def test_the_message_consumes_its_draft_and_no_other(
    cast: Cast, conversation: Conversation
) -> None:
    for user, kind in ((cast.agent, "reply"), (cast.agent, "note"), (cast.supervisor, "reply")):
        drafts.save_draft(
            user=user, conversation=conversation, kind=kind, text="so far", key="k", number=0
        )
    send(conversation, cast.agent, "so far")
    left = Draft.objects.exclude(text="").values_list("user__username", "kind")
    assert set(left) == {("wei", "note"), ("sue", "reply")}
    assert drafts.draft_of(cast.agent, conversation).key != "k"


def test_a_refused_reply_leaves_the_draft(cast: Cast, conversation: Conversation) -> None:
    Context.objects.update(replies_used=10)
    drafts.save_draft(
        user=cast.agent, conversation=conversation, kind="reply", text="so far", key="k", number=0
    )
    with pytest.raises(ReplyError):
        send(conversation, cast.agent, "so far")
    assert drafts.draft_of(cast.agent, conversation).text == "so far"
