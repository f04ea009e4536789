"""What agents do with conversations: who is given what, what sleeps, what is settled, and when."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.conversations import work
from messaging.conversations.work import WorkError
from messaging.delivering import outbox
from messaging.models import Conversation, Departure, Label, Message
from messaging.replying import services
from messaging.worker import due
from sessions_app.models import Context, Session
from sessions_app.realtime.streams import numbers_of
from sessions_app.sessions import leases
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def shop(cast: Cast) -> Session:
    return make_session("Shop A")


@pytest.fixture
def conversation(shop: Session) -> Conversation:
    receive(shop, text_message("hello"))
    return Conversation.objects.get()


def lines(conversation: Conversation) -> list[tuple[str, str]]:
    """The quiet lines of a thread: code and detail."""
    rows = Message.objects.filter(conversation=conversation, direction="event").order_by("id")
    return list(rows.values_list("event", "event_detail"))


def fresh(conversation: Conversation) -> Conversation:
    return Conversation.objects.get(pk=conversation.pk)


# Assigning


def test_assigning_gives_it_to_somebody_says_so_once_and_takes_it_back(
    cast: Cast, conversation: Conversation
) -> None:
    assert work.assign(ids=[conversation.pk], assignee=cast.agent, user=cast.supervisor) == 1
    assert work.assign(ids=[conversation.pk], assignee=cast.agent, user=cast.supervisor) == 0
    assert fresh(conversation).assignee == cast.agent
    assert work.assign(ids=[conversation.pk], assignee=None, user=cast.agent) == 1
    assert fresh(conversation).assignee is None
    assert lines(conversation) == [("assigned", "wei"), ("unassigned", "")]


@pytest.mark.parametrize("who", ["viewer", "operator", "agent_elsewhere", "outsider"])
def test_nobody_gets_a_conversation_who_may_not_answer_it(
    cast: Cast, conversation: Conversation, who: str
) -> None:
    assert work.assign(ids=[conversation.pk], assignee=getattr(cast, who), user=cast.agent) == 0
    assert fresh(conversation).assignee is None
    assert lines(conversation) == []


def test_an_administrator_gets_it_whatever_their_teams(
    cast: Cast, conversation: Conversation
) -> None:
    cast.administrator.teams.clear()
    assert work.assign(ids=[conversation.pk], assignee=cast.administrator, user=cast.agent) == 1


def test_every_change_is_announced_to_its_team(cast: Cast, conversation: Conversation) -> None:
    before = numbers_of([cast.team.stream_key])[cast.team.stream_key]
    work.assign(ids=[conversation.pk], assignee=cast.agent, user=cast.agent)
    after = numbers_of([cast.team.stream_key])[cast.team.stream_key]
    assert after == before + 1
    assert fresh(conversation).version == after
    assert Message.objects.get(direction="event").version == after


# Snoozing


def test_snoozed_it_wakes_when_due_and_not_before(cast: Cast, conversation: Conversation) -> None:
    now = timezone.now()
    until = now + timedelta(hours=2)
    assert work.snooze(ids=[conversation.pk], until=until, user=cast.agent) == 1
    assert (fresh(conversation).status, fresh(conversation).snoozed_until) == ("snoozed", until)
    assert due.look(now + timedelta(hours=1)) == 0
    assert due.look(until) == 1
    assert (fresh(conversation).status, fresh(conversation).snoozed_until) == ("open", None)
    assert due.look(until) == 0
    assert [code for code, _ in lines(conversation)] == ["snoozed", "woken"]


def test_a_time_that_is_over_wakes_nobody(cast: Cast, conversation: Conversation) -> None:
    with pytest.raises(WorkError, match="past"):
        work.snooze(ids=[conversation.pk], until=timezone.now(), user=cast.agent)
    assert fresh(conversation).status == "open"


@pytest.mark.parametrize("how", ["snoozed", "resolved"])
def test_a_message_of_the_customer_opens_it_again_with_a_line(
    cast: Cast, shop: Session, conversation: Conversation, how: str
) -> None:
    if how == "snoozed":
        until = timezone.now() + timedelta(days=3)
        work.snooze(ids=[conversation.pk], until=until, user=cast.agent)
    else:
        work.resolve(ids=[conversation.pk], user=cast.agent)
    receive(shop, text_message("are you there?"), cursor="c2")
    now = fresh(conversation)
    assert (now.status, now.snoozed_until, now.missed_at) == ("open", None, None)
    assert now.waiting_since is not None
    assert lines(conversation)[-1] == ("reopened", "")


# Resolving, and who was missed


def test_resolving_an_answered_one_misses_nobody(cast: Cast, conversation: Conversation) -> None:
    send_reply(user=cast.agent, conversation=conversation, text="hi", draft_key="1")
    assert work.resolve(ids=[conversation.pk], user=cast.agent) == 1
    now = fresh(conversation)
    assert (now.status, now.missed_at, now.waiting_since) == ("resolved", None, None)
    assert work.resolve(ids=[conversation.pk], user=cast.agent) == 0


def test_resolved_unanswered_it_is_missed_until_opened_again(
    cast: Cast, conversation: Conversation
) -> None:
    work.resolve(ids=[conversation.pk], user=cast.agent)
    now = fresh(conversation)
    assert now.missed_at is not None
    assert now.unread == 0
    work.reopen(ids=[conversation.pk], user=cast.agent)
    now = fresh(conversation)
    assert (now.status, now.missed_at) == ("open", None)
    assert now.waiting_since is not None


def test_missed_until_answered(cast: Cast, conversation: Conversation) -> None:
    work.resolve(ids=[conversation.pk], user=cast.agent)
    send_reply(user=cast.agent, conversation=conversation, text="late", draft_key="1")
    assert (fresh(conversation).missed_at, fresh(conversation).waiting_since) == (None, None)


def test_who_waited_to_the_end_of_the_24_hours_was_missed(
    cast: Cast, conversation: Conversation
) -> None:
    closes_at = fresh(conversation).closes_at
    assert closes_at is not None
    assert due.look(closes_at - timedelta(seconds=1)) == 0
    version = fresh(conversation).version
    assert due.look(closes_at) == 1
    now = fresh(conversation)
    assert (now.missed_at, now.status) == (closes_at, "open")
    assert now.version > version
    assert due.look(closes_at) == 0


def test_opened_again_after_the_24_hours_it_stays_missed(
    cast: Cast, conversation: Conversation
) -> None:
    work.resolve(ids=[conversation.pk], user=cast.agent)
    Conversation.objects.update(closes_at=timezone.now() - timedelta(minutes=1))
    work.reopen(ids=[conversation.pk], user=cast.agent)
    assert fresh(conversation).missed_at is not None


def test_a_reply_that_never_left_answers_nobody(cast: Cast, conversation: Conversation) -> None:
    since = fresh(conversation).waiting_since
    message = send_reply(user=cast.agent, conversation=conversation, text="hi", draft_key="1")
    assert fresh(conversation).waiting_since is None
    services.cancel_message(message=message, user=cast.agent)
    assert fresh(conversation).waiting_since == since


def test_a_refused_reply_answers_nobody_until_it_goes_again(
    cast: Cast, conversation: Conversation
) -> None:
    since = fresh(conversation).waiting_since
    message = send_reply(user=cast.agent, conversation=conversation, text="hi", draft_key="1")
    leases.register("w1")
    (claim,) = outbox.claim_next("w1", limit=1)
    outbox.mark_refused(claim, wire_code=-2, detail="no")
    assert fresh(conversation).waiting_since == since
    message.refresh_from_db()
    services.retry_message(message=message, user=cast.agent)
    assert fresh(conversation).waiting_since is None


def test_it_waits_since_the_first_word_that_nobody_answered(
    cast: Cast, shop: Session, conversation: Conversation
) -> None:
    send_reply(user=cast.agent, conversation=conversation, text="hi", draft_key="1")
    receive(shop, text_message("one"), cursor="c2")
    since = fresh(conversation).waiting_since
    assert since == Message.objects.get(text="one").stored_at
    receive(shop, text_message("two"), cursor="c3")
    assert fresh(conversation).waiting_since == since


# Labels


def test_labels_are_the_teams_own_each_once_and_in_colours(
    cast: Cast, conversation: Conversation
) -> None:
    assert work.label(ids=[conversation.pk], add=[" VIP ", "VIP", "退货"], user=cast.agent) == 1
    assert work.label(ids=[conversation.pk], add=["VIP"], user=cast.agent) == 0
    assert [one.name for one in fresh(conversation).labels.all()] == ["VIP", "退货"]
    assert list(Label.objects.values_list("team", "colour")) == [
        (cast.team.pk, 0),
        (cast.team.pk, 1),
    ]
    assert work.label(ids=[conversation.pk], remove=["VIP", "unknown"], user=cast.agent) == 1
    assert lines(conversation) == [("labelled", "VIP, 退货"), ("unlabelled", "VIP")]


@pytest.mark.parametrize("name", ["", "  ", "\0", "\u202e", "\n\t"])
def test_what_nobody_can_see_is_no_label(cast: Cast, conversation: Conversation, name: str) -> None:
    assert work.label(ids=[conversation.pk], add=[name], user=cast.agent) == 0
    assert Label.objects.count() == 0


def test_a_long_label_is_cut(cast: Cast, conversation: Conversation) -> None:
    work.label(ids=[conversation.pk], add=["x" * 60], user=cast.agent)
    assert Label.objects.get().name == "x" * 40


# Transfer


def test_a_transfer_takes_along_what_the_other_team_knows(
    cast: Cast, conversation: Conversation
) -> None:
    Label.objects.create(team=cast.other_team, name="VIP", colour=5)
    work.label(ids=[conversation.pk], add=["VIP", "ours alone"], user=cast.agent)
    work.assign(ids=[conversation.pk], assignee=cast.agent, user=cast.agent)
    assert work.transfer(ids=[conversation.pk], team=cast.other_team, user=cast.supervisor) == 1
    now = fresh(conversation)
    assert (now.team, now.home_team, now.assignee) == (cast.other_team, cast.team, None)
    assert [(one.name, one.team) for one in now.labels.all()] == [("VIP", cast.other_team)]
    assert lines(conversation)[-1] == ("transferred", "Other team")


def test_the_old_teams_pages_learn_that_it_left(cast: Cast, conversation: Conversation) -> None:
    work.transfer(ids=[conversation.pk], team=cast.other_team, user=cast.supervisor)
    left = Departure.objects.get()
    assert left.team == cast.team
    assert left.version == numbers_of([cast.team.stream_key])[cast.team.stream_key]
    work.transfer(ids=[conversation.pk], team=cast.team, user=cast.administrator)
    work.transfer(ids=[conversation.pk], team=cast.other_team, user=cast.supervisor)
    assert Departure.objects.filter(team=cast.team).get().version > left.version


# Many at once


def test_many_are_done_in_bounded_transactions(
    cast: Cast, shop: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "BATCH", 2)
    for number in range(5):
        receive(shop, text_message("hi", sender=f"p{number}@im.wechat"), cursor=f"c{number}")
    ids = list(Conversation.objects.order_by("pk").values_list("pk", flat=True))
    sizes: list[int] = []

    def act(batch: list[int]) -> int:
        sizes.append(len(batch))
        return work.resolve(ids=batch, user=cast.agent)

    assert work.in_batches(ids, act) == 5
    assert sizes == [2, 2, 1]
    assert Conversation.objects.filter(status="resolved").count() == 5


def test_a_batch_takes_the_same_number_of_statements_at_any_size(cast: Cast, shop: Session) -> None:
    for number in range(12):
        receive(shop, text_message("hi", sender=f"p{number}@im.wechat"), cursor=f"c{number}")
    ids = list(Conversation.objects.order_by("pk").values_list("pk", flat=True))
    taken = []
    for part in (ids[:2], ids[2:]):
        with CaptureQueriesContext(connection) as seen:
            work.resolve(ids=part, user=cast.agent)
        taken.append(len(seen))
    assert taken[0] == taken[1]


def test_a_context_that_closes_moves_what_can_be_missed(
    cast: Cast, shop: Session, conversation: Conversation
) -> None:
    """A newer token opens the window anew, so the end of the older one misses nobody."""
    first = fresh(conversation).closes_at
    Context.objects.update(received_at=timezone.now() - timedelta(hours=1))
    receive(shop, text_message("once more"), cursor="c2")
    assert first is not None
    assert due.look(first) == 0
