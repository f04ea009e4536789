"""What programs wrote into `messages.db` since the last look, into the inbox, each once.

Received messages take the way of a poll's answer; what they sent stands in the thread as theirs.
"""

import json
import logging
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from messaging import arrivals, inbound
from messaging.echoes import SAME_WITHIN
from messaging.folder import store_file
from messaging.folder.store_file import StoredRow
from messaging.inbound import Received
from messaging.models import Conversation, Direction, Message, MessageKind, MessageStatus
from sessions_app.ilink.wire import parse_updates
from sessions_app.mirror import shared
from sessions_app.models import Session, SharedFolder
from sessions_app.realtime import advance, announcing
from sessions_app.routing import WINDOW

logger = logging.getLogger(__name__)

KINDS = {
    1: MessageKind.TEXT,
    2: MessageKind.IMAGE,
    3: MessageKind.VOICE,
    4: MessageKind.FILE,
    5: MessageKind.VIDEO,
}


class StoreFollower:
    """`look()` reads what is new and returns whether there was anything."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self._key = ""

    def is_followed(self) -> bool:
        """Whether there was a store at the last look."""
        return bool(self._key)

    def look(self) -> bool:
        self._key = store_file.key_of(self.base)
        if not self._key:
            return False
        row = shared.shared_folder()
        if row._state.adding:
            return False
        try:
            if row.store_key != self._key:
                self._begin(row)
            rows = store_file.rows_after(self.base, row.store_position)
        except sqlite3.Error as error:
            logger.info("messages.db cannot be read now: %s", error)
            return False
        if rows:
            self._take(rows)
        return bool(rows)

    def _begin(self, row: SharedFolder) -> None:
        """A store seen for the first time: what is older than a reply may be stays where it is."""
        since_s = (timezone.now() - WINDOW).timestamp()
        row.store_key = self._key
        row.store_position = store_file.start_position(self.base, since_s)
        row.save(update_fields=["store_key", "store_position"])

    def _take(self, rows: Sequence[StoredRow]) -> None:
        """Messages and position in one transaction: nothing is read twice, nothing skipped."""
        bots = {row.bot_id for row in rows}
        known = Session.objects.filter(bot_id__in=bots, deleted_at=None).order_by("bound_at")
        sessions = {session.bot_id: session for session in known}
        with transaction.atomic():
            for row in rows:  # in the order of the store
                session = sessions.get(row.bot_id)
                if session is None or not row.user_id or len(row.user_id) > 200:
                    continue
                if row.is_sent:
                    _take_sent(session, row, f"store:{self._key}:{row.id}"[:80])
                else:
                    inbound.store([_received(session, row)])
            SharedFolder.objects.filter(pk=1).update(store_position=rows[-1].id)


def _received(session: Session, row: StoredRow) -> Received:
    body = json.dumps({"ret": 0, "msgs": [row.wire]}).encode()
    return Received(
        session_id=session.pk,
        generation=session.generation,
        request_cursor=f"store:{row.id}",
        updates=parse_updates(body),
        received_at=timezone.now(),
    )


def _take_sent(session: Session, row: StoredRow, dedupe_key: str) -> None:
    """Another program's reply, as its own store says: it was taken by WeChat."""
    if Message.objects.filter(session=session, dedupe_key=dedupe_key).exists():
        return
    with announcing() as change:
        threads = arrivals.threads_with({row.user_id}, session.team_id)
        thread = threads[row.user_id, session.team_id]
        if _mark_echo(thread, session, row):
            return
        message = _message(thread, session, row, dedupe_key)
        message.save(force_insert=True)
        arrivals.show_last(thread, message)
        thread.save(update_fields=list(arrivals.LAST_FIELDS))
        topic = f"conversation:{thread.pk}"
        change.touch(message, f"team:{thread.team_id}", topic)
        change.touch(thread, f"team:{thread.team_id}", topic)


def _message(
    thread: Conversation, session: Session, row: StoredRow, dedupe_key: str
) -> Message:  # fmt: skip
    now = timezone.now()
    return Message(
        id=advance(inbound.MESSAGE_STREAM),
        conversation=thread,
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


def _mark_echo(thread: Conversation, session: Session, row: StoredRow) -> bool:
    """WeChat echoed it in a poll of ours already: then it is that message."""
    at = _sent_at(row) or timezone.now()
    echoed = Message.objects.filter(
        Q(created_at__range=(at - SAME_WITHIN, at + SAME_WITHIN)),
        conversation=thread,
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
