"""Replies through any order of events: in order, one at a time, counted, and nothing twice."""

from collections import Counter
from contextlib import suppress

import pytest
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from messaging.conversations.errors import ReplyError
from messaging.delivering import outbox
from messaging.delivering.outbox import Claim
from messaging.models import Conversation, Message, SendAttempt
from messaging.replying import services
from sessions_app.models import Context, Session
from sessions_app.sessions import leases
from tests import random_seeds
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply

pytestmark = pytest.mark.properties

PEOPLE = ("lina@im.wechat", "mei@im.wechat")
MOST_REPLIES = 8
"""Fewer than WeChat's pace and quota allow, so that only the queue's own rules are at work."""
people = st.sampled_from(PEOPLE)


class Replies(RuleBasedStateMachine):
    """The rows against a model that holds only: which tries WeChat may have seen."""

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.session: Session = make_session()
        leases.register("w1")
        for person in PEOPLE:
            receive(self.session, text_message("hello", sender=person), cursor=person)
        self.claims: list[Claim] = []
        self.may_have_left: Counter[int] = Counter()
        self.decided_again: Counter[int] = Counter()
        self.count = 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)

    # What members and contacts do

    @rule(person=people)
    def reply(self, person: str) -> None:
        self.count += 1
        if self.count > MOST_REPLIES:
            return
        conversation = Conversation.objects.get(contact__user_id=person)
        key = f"reply {self.count}"
        with suppress(ReplyError):  # agents may have sent some again, on the same quota
            send_reply(user=None, conversation=conversation, text=key, draft_key=key)

    @rule(person=people)
    def write(self, person: str) -> None:
        receive(self.session, text_message("more", sender=person), cursor=f"c{self.count}")

    @rule(data=st.data())
    def decide(self, data: st.DataObject) -> None:
        held = list(Message.objects.filter(holds_queue=True).order_by("id"))
        if not held:
            return
        message = data.draw(st.sampled_from(held))
        what = data.draw(st.sampled_from(["arrived", "again", "discard"]))
        if what == "again" or (what == "arrived" and message.status != "unconfirmed"):
            self.decided_again[message.pk] += 1
            services.send_anyway(message=message, user=None)
        elif what == "arrived":
            services.mark_arrived(message=message, user=None)
        else:
            services.discard_message(message=message, user=None)

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        queued = list(Message.objects.filter(status="queued").order_by("id"))
        if queued:
            services.cancel_message(message=data.draw(st.sampled_from(queued)), user=None)

    # What the worker does

    @rule()
    def claim(self) -> None:
        Message.objects.filter(status="queued").update(next_try_at=None)  # time has passed
        for claim in outbox.claim_next("w1", limit=4):
            earlier = Message.objects.filter(
                conversation=claim.conversation_id, direction="out", id__lt=claim.message_id
            )
            assert not earlier.filter(status__in=["queued", "sending"]).exists()
            assert not earlier.filter(holds_queue=True).exists()
            tries = self.may_have_left[claim.message_id]
            assert tries <= self.decided_again[claim.message_id], "sent again by itself"
            self.claims.append(claim)

    @rule(
        data=st.data(),
        what=st.sampled_from(["sent", "no id", "refused", "broken", "not reached", "handed back"]),
    )
    def answer(self, data: st.DataObject, what: str) -> None:
        if not self.claims:
            return
        claim = data.draw(st.sampled_from(self.claims))
        self.claims.remove(claim)
        self.may_have_left[claim.message_id] += what not in ("not reached", "handed back")
        match what:
            case "sent":
                outbox.mark_sent(claim, wire_id="7")
            case "no id":
                outbox.mark_sent(claim, wire_id=None)
            case "refused":
                outbox.mark_refused(claim, wire_code=-1, detail="no")
            case "broken":
                outbox.mark_broken(claim, detail="reset")
            case "not reached":
                outbox.put_back(claim, code="not_reached", detail="no route")
            case "handed back":
                outbox.hand_back(claim)

    @rule()
    def lose_the_worker(self) -> None:
        """The process was killed: what it had claimed may have left."""
        leases.retire("w1")
        self.may_have_left.update(claim.message_id for claim in self.claims)
        self.claims.clear()
        outbox.disown_lost()
        assert not Message.objects.filter(status="sending").exists()
        leases.register("w1")

    # What holds at any time

    @invariant()
    def one_at_a_time(self) -> None:
        sending = Message.objects.filter(status="sending").values_list("conversation", flat=True)
        assert max(Counter(sending).values(), default=0) <= 1
        assert {one.message_id for one in self.claims} == set(
            Message.objects.filter(status="sending").values_list("pk", flat=True)
        )

    @invariant()
    def every_try_is_known(self) -> None:
        open_tries = SendAttempt.objects.filter(finished_at=None).values_list("message", flat=True)
        assert set(open_tries) == {one.message_id for one in self.claims}

    @invariant()
    def counted_rightly(self) -> None:
        for person in PEOPLE:
            context = Context.objects.get(user_id=person)
            conversation = Conversation.objects.get(contact__user_id=person)
            assert conversation.replies_used == context.replies_used
            waits = conversation.messages.filter(direction="out", status="queued").count()
            assert context.replies_used >= waits

    @invariant()
    def a_decision_is_wanted_where_nobody_knows(self) -> None:
        held = Message.objects.filter(holds_queue=True)
        assert set(held.values_list("status", flat=True)) <= {"failed", "unconfirmed"}


@pytest.mark.django_db
def test_replies_keep_their_rules_through_any_events() -> None:
    run_state_machine_as_test(Replies, settings=random_seeds.examples(25))
