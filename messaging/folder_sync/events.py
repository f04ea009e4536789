"""Updates conversations when another program changes contexts: route, window, quota, event line.

If that program keeps `messages.db`, the texts come from there, so event lines wait a moment for
them and are left out if they came. Works on rows only; reads no file.
"""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F
from django.utils import timezone

from messaging.conversations import rows
from messaging.conversations.events import record_event
from messaging.conversations.standing import show_standing
from messaging.forgotten import replays
from messaging.models import Conversation, Direction, EventCode, Message, MessageStatus
from messaging.receiving import arrivals
from messaging.reply_window import routes
from sessions_app.folder.mirror import ContextChange
from sessions_app.models import Context, Session
from sessions_app.realtime.streams import Change, announcing
from sessions_app.team_settings.limits import team_settings

GRACE_S = 3.0
"""How long, in seconds, an event line waits for a text from messages.db."""
EARLIER = timedelta(seconds=10)
"""How much earlier than the context the text may have been read."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An event line to write unless messages.db brings the text."""

    due_at: float
    seen_at: datetime
    conversation_id: int
    session_id: int
    code: EventCode
    at: datetime
    times: int = 1


class FolderEvents:
    """The mirror's `Threads` protocol. `has_texts` says if a messages.db is followed."""

    def __init__(
        self,
        has_texts: Callable[[], bool],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._has_texts = has_texts
        self._clock = clock
        self._pending: list[Pending] = []

    def lock(
        self, session: Session, user_ids: set[str]
    ) -> Callable[[Change, Sequence[ContextChange]], None]:
        conversations = arrivals.conversations_with(user_ids, session.team_id)

        def follow(change: Change, changes: Sequence[ContextChange]) -> None:
            for one in changes:
                conversation = conversations.get((one.user_id, session.team_id))
                if conversation is not None:
                    self._follow(change, session, conversation, one)

        return follow

    def last_forgotten(self) -> float:
        return replays.last_forgotten()

    def forgotten_until(self, user_ids: Collection[str]) -> dict[str, float]:
        until_ms = replays.forgotten_until(user_ids)
        return {user_id: ms / 1000 for user_id, ms in until_ms.items()}

    def write_due(self) -> None:
        """Write the event lines whose texts did not come."""
        now = self._clock()
        due = [one for one in self._pending if one.due_at <= now]
        self._pending = [one for one in self._pending if one.due_at > now]
        for one in due:
            if not _is_explained(one):
                with announcing() as change:
                    conversation = rows.lock(one.conversation_id)
                    _write(change, conversation, one.code, one.at)

    def _follow(
        self, change: Change, session: Session, conversation: Conversation, one: ContextChange
    ) -> None:
        if one.received_at is not None:
            _count_waiting(session, conversation, one.user_id)
        routes.follow_newest(conversation)
        rows.touch(change, conversation)
        self._tell(change, session, conversation, EventCode.RECEIVED_ELSEWHERE, one.received_at, 1)
        self._tell(
            change,
            session,
            conversation,
            EventCode.ANSWERED_ELSEWHERE,
            one.answered_at,
            one.replies,
        )

    def _tell(
        self,
        change: Change,
        session: Session,
        conversation: Conversation,
        code: EventCode,
        at: datetime | None,
        times: int,
    ) -> None:
        now = timezone.now()
        if at is None or now - at > team_settings().window:
            return
        if not self._has_texts():
            _write(change, conversation, code, at)
            return
        due_at = self._clock() + GRACE_S
        self._pending.append(Pending(due_at, now, conversation.pk, session.pk, code, at, times))


def _write(change: Change, conversation: Conversation, code: EventCode, at: datetime) -> None:
    """Write the event line and the preview; both decide whether the contact waits for a reply."""
    record_event(change, conversation, code, at=at)
    came_in = code is EventCode.RECEIVED_ELSEWHERE
    rows.show_elsewhere(conversation, Direction.IN if came_in else Direction.OUT)
    conversation.save(update_fields=rows.ELSEWHERE_FIELDS)
    show_standing(change, conversation)
    rows.touch(change, conversation)


def _is_explained(one: Pending) -> bool:
    came_in = one.code is EventCode.RECEIVED_ELSEWHERE
    told = Message.objects.filter(
        conversation=one.conversation_id,
        session=one.session_id,
        stored_at__gte=one.seen_at - EARLIER,
    )
    if came_in:
        return told.filter(direction=Direction.IN).exists()
    told = told.filter(direction=Direction.OUT, sent_elsewhere=True)
    return told.count() >= one.times


def _count_waiting(session: Session, conversation: Conversation, user_id: str) -> None:
    """Count replies that still wait against the new token, as they will use it."""
    waiting = conversation.messages.filter(session=session, status=MessageStatus.QUEUED).count()
    if waiting:
        rows = Context.objects.filter(session=session, user_id=user_id)
        rows.update(replies_used=F("replies_used") + waiting, unfiled=True)
