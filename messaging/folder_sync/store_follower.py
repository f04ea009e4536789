"""Copies new rows of `messages.db` into the inbox, each once.

Received messages are stored like a poll's answer. Sent ones appear as sent by another program.
"""

import json
import logging
import sqlite3
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from messaging.conversations import rows
from messaging.folder_sync import store_file
from messaging.folder_sync.store_file import StoredRow
from messaging.forgotten.replays import forgotten_until
from messaging.models import (
    MESSAGE_STREAM,
    Conversation,
    Direction,
    Message,
    MessageKind,
    MessageStatus,
)
from messaging.receiving import arrivals, inbound
from messaging.receiving.answers import Conversations, Received
from messaging.receiving.echoes import SAME_WITHIN
from sessions_app.database.batches import update_rows
from sessions_app.folder.mirror import shared
from sessions_app.ilink.wire import parse_updates
from sessions_app.models import Session, SharedFolder
from sessions_app.realtime.streams import Change, advance, announcing
from sessions_app.team_settings.limits import team_settings

logger = logging.getLogger(__name__)

KINDS = {
    1: MessageKind.TEXT,
    2: MessageKind.IMAGE,
    3: MessageKind.VOICE,
    4: MessageKind.FILE,
    5: MessageKind.VIDEO,
}
MAX_ID = 200


class StoreFollower:
    """`look()` reads new rows; `is_behind` then says whether more are waiting."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self._key = ""
        self.is_behind = False

    def is_followed(self) -> bool:
        """True if there was a store at the last look."""
        return bool(self._key)

    def look(self) -> bool:
        """Read new rows. True if there were any."""
        self._key, self.is_behind = store_file.key_of(self.base), False
        if not self._key:
            return False
        row = shared.shared_folder()
        if row._state.adding:
            return False
        try:
            if row.store_key != self._key:
                self._begin(row)
            elif store_file.last_id(self.base) < row.store_position:
                row.store_position = 0  # a different file at the same place
            rows = store_file.rows_after(self.base, row.store_position)
        except sqlite3.Error as error:
            logger.info("messages.db cannot be read now: %s", error)
            return False
        if rows:
            self._take(rows)
        self.is_behind = len(rows) == store_file.AT_ONCE
        return bool(rows)

    def _begin(self, row: SharedFolder) -> None:
        """Start with a store seen for the first time: skip rows older than the reply window."""
        since_s = (timezone.now() - team_settings().window).timestamp()
        row.store_key = self._key
        row.store_position = store_file.start_position(self.base, since_s)
        row.save(update_fields=["store_key", "store_position"])

    def _take(self, rows: Sequence[StoredRow]) -> None:
        """Store messages and position in one transaction, so that each row is read exactly once."""
        bots = {row.bot_id for row in rows}
        known = Session.objects.filter(bot_id__in=bots, deleted_at=None).order_by("bound_at")
        sessions = {session.bot_id: session for session in known}
        usable = [row for row in rows if row.bot_id in sessions and 0 < len(row.user_id) <= MAX_ID]
        usable = _without_forgotten(usable)
        with transaction.atomic():
            for group in groups(usable):
                received = [row for row in group if not row.is_sent]
                if received:
                    inbound.store([_received(sessions[row.bot_id], row) for row in received])
                sent = [(sessions[row.bot_id], row) for row in group if row.is_sent]
                if sent:
                    _take_sent(sent, self._key)
            SharedFolder.objects.filter(pk=1).update(store_position=rows[-1].id)


def _without_forgotten(rows: Sequence[StoredRow]) -> list[StoredRow]:
    """All but what forgotten people and their agents wrote before."""
    until_ms = forgotten_until({row.user_id for row in rows})
    return [row for row in rows if row.timestamp_ms > until_ms.get(row.user_id, -1)]


def groups(rows: Sequence[StoredRow]) -> Iterator[list[StoredRow]]:
    """Split rows into groups to store together, received before sent, in each contact's order."""
    group: list[StoredRow] = []
    answered: set[tuple[str, str]] = set()
    for row in rows:
        who = (row.bot_id, row.user_id)
        if not row.is_sent and who in answered:
            yield group
            group, answered = [], set()
        group.append(row)
        if row.is_sent:
            answered.add(who)
    if group:
        yield group


def _received(session: Session, row: StoredRow) -> Received:
    body = json.dumps({"ret": 0, "msgs": [row.wire]}).encode()
    return Received(
        session_id=session.pk,
        generation=session.generation,
        request_cursor=f"store:{row.id}",
        updates=parse_updates(body),
        received_at=timezone.now(),
    )


def _take_sent(sent: Sequence[tuple[Session, StoredRow]], store_key: str) -> None:
    """Store replies of another program. Its own history says that WeChat accepted them."""
    keys = {f"store:{store_key}:{row.id}"[:80]: (session, row) for session, row in sent}
    known = set(Message.objects.filter(dedupe_key__in=keys).values_list("dedupe_key", flat=True))
    with announcing() as change:
        conversations: Conversations = {}
        for team_id in sorted({session.team_id for session, _row in sent}):
            people = {row.user_id for session, row in sent if session.team_id == team_id}
            conversations.update(arrivals.conversations_with(people, team_id))
        fresh = []
        for key, (session, row) in keys.items():
            conversation = conversations[row.user_id, session.team_id]
            if key not in known and not _mark_echo(conversation, session, row):
                fresh.append(_message(conversation, session, row, key))
        _insert(fresh, change)


def _insert(messages: Sequence[Message], change: Change) -> None:
    if not messages:
        return
    last = advance(MESSAGE_STREAM, len(messages))
    for number, message in enumerate(messages, start=last - len(messages) + 1):
        message.id = number
        rows.show_arrival(message.conversation, message)
    Message.objects.bulk_create(messages)
    conversations = {message.conversation_id: message.conversation for message in messages}
    update_rows(list(conversations.values()), rows.ARRIVAL_FIELDS)
    for message in messages:
        rows.touch(change, message.conversation, message)


def _message(
    conversation: Conversation, session: Session, row: StoredRow, dedupe_key: str
) -> Message:  # fmt: skip
    now = timezone.now()
    return Message(
        conversation=conversation,
        session=session,
        bot_id=session.bot_id,
        direction=Direction.OUT,
        kind=KINDS.get(row.kind, MessageKind.UNSUPPORTED),
        text=row.text.replace("\0", "").encode("utf-8", "ignore").decode(),
        dedupe_key=dedupe_key,
        status=MessageStatus.SENT,
        created_at=min(now, _sent_at(row) or now),
        stored_at=now,
        settled_at=now,
        sent_elsewhere=True,
    )


def _sent_at(row: StoredRow) -> datetime | None:
    try:
        return datetime.fromtimestamp(row.timestamp_ms / 1000, UTC) if row.timestamp_ms else None
    except (OverflowError, ValueError, OSError):
        return None


def _mark_echo(conversation: Conversation, session: Session, row: StoredRow) -> bool:
    """If a poll has already brought the echo of this message, mark that row instead."""
    at = _sent_at(row) or timezone.now()
    echoed = Message.objects.filter(
        Q(created_at__range=(at - SAME_WITHIN, at + SAME_WITHIN)),
        conversation=conversation,
        session=session,
        direction=Direction.OUT,
        dedupe_key__startswith="id:",
        sent_elsewhere=False,
        text=row.text,
    )
    found = echoed.order_by("id").first()
    if found is None:
        return False
    Message.objects.filter(pk=found.pk).update(sent_elsewhere=True)
    return True
