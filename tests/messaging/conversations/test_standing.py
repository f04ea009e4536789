"""Who needs a reply and what is not sent, whatever happens to replies and in whatever order."""

import contextlib
import importlib
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.conversations import work
from messaging.conversations.errors import ReplyError
from messaging.delivering import outbox
from messaging.delivering.outbox import Claim
from messaging.inbox import list_counts, list_queries
from messaging.inbox.lists import Listing, View
from messaging.models import Conversation, Message
from messaging.replying import parking, sending, services
from sessions_app.models import Context, Session
from sessions_app.sessions import leases
from sessions_app.team_settings.limits import team_settings
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply

pytestmark = pytest.mark.django_db

WORKER = "w1"


@pytest.fixture
def shop(cast: Cast) -> Session:
    leases.register(WORKER)
    return make_session("Shop A")


class Story:
    """One customer and one agent. Each step is skipped where it is not possible."""

    def __init__(self, cast: Cast, shop: Session) -> None:
        self.cast, self.shop = cast, shop
        self.steps = 0
        self.claim: Claim | None = None
        self.writes()

    @property
    def conversation(self) -> Conversation:
        return Conversation.objects.get()

    def do(self, step: str) -> None:
        self.steps += 1
        with contextlib.suppress(ReplyError):  # decided already, or nothing left to send with
            getattr(self, step)()

    def writes(self) -> None:
        receive(self.shop, text_message("a word"), cursor=f"c{self.steps}")

    def replies(self) -> Message:
        key = f"k{self.steps}"
        return send_reply(
            user=self.cast.agent,
            conversation=self.conversation,
            text="hi",
            draft_key=key,
            override=True,
        )

    def goes(self) -> None:
        """The next reply is on its way."""
        if self.claim is None:
            self.claim = next(iter(outbox.claim_next(WORKER, limit=1)), None)

    def accepted(self) -> None:
        self._ends(lambda claim: outbox.mark_sent(claim, wire_id="7"))

    def no_id(self) -> None:
        self._ends(lambda claim: outbox.mark_sent(claim, wire_id=None))

    def refused(self) -> None:
        self._ends(lambda claim: outbox.mark_refused(claim, wire_code=-1, detail="no"))

    def broken(self) -> None:
        self._ends(lambda claim: outbox.mark_broken(claim, detail="cut"))

    def _ends(self, how: Any) -> None:
        self.goes()
        if self.claim is not None:
            how(self.claim)
            self.claim = None

    def not_reached(self) -> None:
        self._ends(lambda claim: outbox.put_back(claim, code="not_reached", detail=""))
        Message.objects.update(next_try_at=None)

    def _open(self) -> Message | None:
        return Message.objects.filter(services.MAY_GO_AGAIN).order_by("-id").first()

    def sends_again(self) -> None:
        if (one := self._open()) is not None:
            services.send_anyway(message=one, user=self.cast.agent)

    def arrived(self) -> None:
        if (one := self._open()) is not None:
            services.mark_arrived(message=one, user=self.cast.agent)

    def discards(self) -> None:
        if (one := self._open()) is not None:
            services.discard_message(message=one, user=self.cast.agent)

    def parks(self) -> None:
        if (one := self._open()) is not None:
            limits = team_settings()
            parking.park_message(message=one, user=self.cast.agent, limits=limits)

    def cancels(self) -> None:
        queued = Message.objects.filter(status="queued").order_by("id").first()
        if queued is not None:
            services.cancel_message(message=queued, user=self.cast.agent)

    def takes_back(self) -> None:
        if (last := Message.objects.filter(direction="out").order_by("-id").first()) is not None:
            sending.take_back(message=last, user=self.cast.agent)

    def resolves(self) -> None:
        work.resolve(ids=[self.conversation.pk], user=self.cast.agent)

    def reopens(self) -> None:
        work.reopen(ids=[self.conversation.pk], user=self.cast.agent)

    def shows(self, view: View) -> bool:
        listing, now = Listing(view), timezone.now()
        page = list_queries.conversation_page(self.cast.agent, listing, now=now)
        assert list_counts.counts(self.cast.agent, now=now).views[view] == len(page.rows)
        return bool(page.rows)


STEPS = [
    name for name in vars(Story) if name[0] != "_" and name not in ("conversation", "do", "shows")
]


def oracle(messages: list[Message], receipts: set[int]) -> SimpleNamespace:
    """Forwards, from the messages alone. `receipts`: those that lack the usual one."""
    waiting: datetime | None = None
    before: datetime | None = None  # what waited when the replies to the last words began
    not_sent, is_held = 0, False
    for one in messages:
        if one.direction == "in":
            waiting = before = waiting or one.stored_at
        if one.direction != "out" or one.status == "cancelled":
            continue
        undecided = one.holds_queue or one.pk in receipts
        if one.status in ("failed", "unconfirmed") and not undecided and one.error_code != "no_id":
            continue  # discarded or parked
        stuck = undecided or (is_held and one.status == "queued")
        not_sent += stuck
        is_held = is_held or one.holds_queue
        waiting = before if stuck else None
    return SimpleNamespace(waiting_since=waiting, not_sent=not_sent)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.sampled_from(STEPS), min_size=1, max_size=16))
def test_needs_reply_and_not_sent_follow_from_the_messages(
    cast: Cast, shop: Session, steps: list[str]
) -> None:
    Message.objects.all().delete()
    Context.objects.all().delete()
    Conversation.objects.all().delete()
    Session.objects.update(gives_receipts=False)
    story = Story(cast, shop)
    lacking: set[int] = set()
    for step in steps:
        usual = Session.objects.get().gives_receipts
        known = set(Message.objects.filter(error_code="no_id").values_list("pk", flat=True))
        story.do(step)
        now = set(Message.objects.filter(error_code="no_id").values_list("pk", flat=True))
        lacking = (lacking & now) | (now - known if usual else set())
        conversation = story.conversation
        expected = oracle(list(Message.objects.order_by("id")), lacking)
        assert conversation.not_sent == expected.not_sent
        assert conversation.waiting_since == expected.waiting_since
        waits = expected.waiting_since is not None
        assert story.shows(View.NEEDS_REPLY) == (waits and conversation.status == "open"), steps
        assert story.shows(View.NOT_SENT) == (expected.not_sent > 0)
        assert (conversation.missed_at is not None) == (waits and conversation.status == "resolved")
    _filled_like(story.conversation)


def _filled_like(conversation: Conversation) -> None:
    """The migration finds the same in what was there before."""
    if not conversation.not_sent:
        return
    Conversation.objects.update(not_sent=0, waiting_since=None)
    migration = importlib.import_module("messaging.migrations.0012_fill_not_sent")
    migration.fill(apps, None)
    again = Conversation.objects.get()
    assert (again.not_sent, again.waiting_since) == (
        conversation.not_sent,
        conversation.waiting_since,
    )
