"""Answers to polls, and their messages before they become rows."""

import hashlib
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from messaging.models import Attachment, Conversation, Message
from sessions_app.ilink.wire import IncomingMessage, Updates
from sessions_app.models import Context, Session

Conversations = dict[tuple[str, int], Conversation]
"""(WeChat id, home team id) → conversation."""

Contexts = dict[tuple[int, str], Context]
"""(session id, WeChat id) → context."""


@dataclass(frozen=True, slots=True)
class Received:
    """One answer to one poll. `request_cursor`: the cursor that the poll sent.

    `trace_id`: follows its messages to the pages.
    `lease_number`: of the poll; its messages are stored under any lease, its cursor only under the
    session's newest. None: there was no lease.
    """

    session_id: int
    generation: int
    request_cursor: str
    updates: Updates
    received_at: datetime
    trace_id: str = ""
    lease_number: int | None = None

    def moves(self, session: Session) -> bool:
        """Whether its cursor is the newest: no other worker has claimed the session since."""
        is_leased = self.lease_number in (None, session.lease_number)
        is_bound = self.generation == session.generation and bool(session.encrypted_token)
        return is_leased and is_bound


@dataclass(slots=True)
class Arrival:
    """A message from WeChat that is being stored. `wechat_id`: the contact's WeChat id."""

    session: Session
    wire: IncomingMessage
    dedupe_key: str
    received_at: datetime
    wechat_id: str
    is_ours: bool
    # False if the session was bound again or logged out while this answer was under way.
    is_current: bool
    trace_id: str = ""
    message: Message | None = None
    attachments: list[Attachment] = field(default_factory=list)

    @property
    def written_at(self) -> datetime:
        return moment(self.wire.create_time_ms) or self.received_at


class RecentMessages:
    """Knows a session's last messages again: by WeChat's id, or without one by all they hold."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._seen: OrderedDict[str | bytes, None] = OrderedDict()

    def brings_news(self, messages: Iterable[IncomingMessage]) -> bool:
        """Whether any of these was not seen lately. Remembers all of them."""
        is_news = False
        for message in messages:
            key = message.message_id or hashlib.sha256(message.raw).digest()
            is_news |= key not in self._seen
            self._seen[key] = None
            self._seen.move_to_end(key)
        while len(self._seen) > self._most:
            self._seen.popitem(last=False)
        return is_news


def moment(epoch_ms: int | None) -> datetime | None:
    return None if epoch_ms is None else datetime.fromtimestamp(epoch_ms / 1000, UTC)
