"""Answers of getupdates → rows, in one transaction, idempotent.

Takes any number of answers of any sessions at once (group commit). Never calls WeChat, never
drops anything: what cannot be a message is kept as bytes and shown.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.db.models import Q

from messaging import arrivals, echoes
from messaging.models import MESSAGE_STREAM as MESSAGE_STREAM
from messaging.models import Attachment, Message, RawAnswer
from sessions_app.batches import update_rows
from sessions_app.ilink.wire import IncomingMessage, MessageType, Updates
from sessions_app.models import Session, SessionEvent
from sessions_app.realtime import Change, advance, announcing, wake_workers
from sessions_app.sealed import seal_bytes
from sessions_app.services import touch


@dataclass(frozen=True, slots=True)
class Received:
    """One answer to one poll. `request_cursor`: the cursor it was asked with."""

    session_id: int
    generation: int
    request_cursor: str
    updates: Updates
    received_at: datetime


@dataclass(slots=True)
class Arrival:
    """One wire message on its way to a row."""

    session: Session
    wire: IncomingMessage
    dedupe_key: str
    received_at: datetime
    peer_id: str
    is_ours: bool
    # False: the session was bound anew or logged out while this answer was on its way.
    is_current: bool
    message: Message | None = None
    attachments: list[Attachment] = field(default_factory=list)

    @property
    def written_at(self) -> datetime:
        return moment(self.wire.create_time_ms) or self.received_at


def moment(epoch_ms: int | None) -> datetime | None:
    return None if epoch_ms is None else datetime.fromtimestamp(epoch_ms / 1000, UTC)


def store(answers: Sequence[Received]) -> int:
    """Store all answers or none; returns how many messages are new. Announced on commit."""
    with announcing() as change:
        ids = {answer.session_id for answer in answers}
        rows = Session.objects.select_for_update(no_key=True).order_by("pk")
        sessions = rows.in_bulk(ids)
        known = [answer for answer in answers if answer.session_id in sessions]
        stored = _store_messages(known, sessions, change)
        for answer in known:
            session = sessions[answer.session_id]
            _keep_strays(answer, session)
            if answer.updates.code == 0:
                move_cursor(answer, session)
        save_cursors(list(sessions.values()))
        for session in sessions.values():
            if any(a.session_id == session.pk and a.updates.messages for a in known):
                touch(change, session)
    return stored


def _store_messages(
    answers: Sequence[Received], sessions: dict[int, Session], change: Change
) -> int:
    found = list(_arrivals(answers, sessions))
    if not found:
        return 0
    already = _already_stored(found)
    fresh: list[Arrival] = []
    seen: set[tuple[int, str]] = set()
    for arrival in found:
        key = (arrival.session.pk, arrival.dedupe_key)
        if key in already or key in seen:
            continue
        seen.add(key)
        fresh.append(arrival)
    own_echoes = echoes.find(fresh)
    others = [one for one in fresh if (one.session.pk, one.dedupe_key) not in own_echoes]
    told = echoes.known_elsewhere(others)
    fresh = [one for one in others if (one.session.pk, one.dedupe_key) not in told]
    # From here on in the order of `realtime.LOCK_ORDER`.
    contacts = arrivals.contacts_of({one.peer_id for one in fresh})
    threads = arrivals.threads_of(fresh, contacts, {one.peer_id for one in found})
    if own_echoes:
        # First: a token that comes with it counts what still waits.
        arrivals.lock_contexts(found)
        echoes.settle(own_echoes, threads, change)
    # Duplicates too: one may bring the newer token.
    contexts = arrivals.take_contexts([one for one in found if one.is_current and not one.is_ours])
    arrivals.honour_recalls(found, already, change)
    if fresh:
        _insert(fresh, threads)
        arrivals.move_threads(fresh, threads, contexts, change)
    else:
        arrivals.follow_contexts(contexts, threads, change)
    return len(fresh)


def _arrivals(answers: Sequence[Received], sessions: dict[int, Session]) -> Iterable[Arrival]:
    for answer in answers:
        session = sessions[answer.session_id]
        for position, wire in enumerate(answer.updates.messages):
            ours = wire.message_type is MessageType.BOT
            peer = wire.to_user_id if ours else wire.from_user_id
            if peer:
                key = dedupe_key(wire, answer.request_cursor, position)
                yield Arrival(
                    session=session,
                    wire=wire,
                    dedupe_key=key,
                    received_at=answer.received_at,
                    peer_id=peer[:200],
                    is_ours=ours,
                    is_current=answer.generation == session.generation,
                )


def dedupe_key(wire: IncomingMessage, request_cursor: str, position: int) -> str:
    """The wire's id, or a hash of content and position where the id is missing; never the token.

    Position is the message's own (seq, time) where it has one, else its place in the answer.
    """
    if wire.message_id and len(wire.message_id) <= 40:
        return f"id:{wire.message_id}"
    place = f"{wire.seq}/{wire.create_time_ms}"
    if not wire.seq and wire.create_time_ms is None:
        place = f"{request_cursor}#{position}"
    content = b"\0".join(item.raw for item in wire.items)
    head = f"{wire.message_id}|{wire.client_id}|{wire.from_user_id}|{wire.to_user_id}|{place}|"
    digest = hashlib.sha256(head.encode("utf-8", "replace") + content).hexdigest()
    return f"hash:{digest}"


def _already_stored(found: Sequence[Arrival]) -> set[tuple[int, str]]:
    wanted = Q(pk__in=[])
    by_session: dict[int, list[str]] = {}
    for arrival in found:
        by_session.setdefault(arrival.session.pk, []).append(arrival.dedupe_key)
    for session_id, keys in by_session.items():
        wanted |= Q(session_id=session_id, dedupe_key__in=keys)
    return set(Message.objects.filter(wanted).values_list("session_id", "dedupe_key"))


def _insert(fresh: Sequence[Arrival], threads: arrivals.Threads) -> None:
    """Ids from the stream, whose lock lasts until the commit: no smaller id appears later."""
    last = advance(MESSAGE_STREAM, len(fresh))
    quoted = arrivals.find_quoted(fresh)
    for number, arrival in enumerate(fresh, start=last - len(fresh) + 1):
        arrivals.build(arrival, number, threads, quoted)
    Message.objects.bulk_create([one.message for one in fresh if one.message is not None])
    if Attachment.objects.bulk_create([each for one in fresh for each in one.attachments]):
        wake_workers()  # links at WeChat die


def move_cursor(answer: Received, session: Session) -> None:
    """Cursor, hold and times in memory, unless the session was bound anew or logged out."""
    if answer.generation != session.generation or not session.sealed_token:
        return
    session.last_poll_at = answer.received_at
    session.cursor = session.cursor if answer.updates.cursor is None else answer.updates.cursor
    session.hold_ms = answer.updates.longpoll_timeout_ms or session.hold_ms
    if answer.updates.messages:
        session.last_message_at = answer.received_at


def save_cursors(sessions: Sequence[Session]) -> None:
    """The rows must be locked by the caller since they were read."""
    update_rows(sessions, ["last_poll_at", "cursor", "hold_ms", "last_message_at"])


def _keep_strays(answer: Received, session: Session) -> None:
    """Elements that are no messages, and messages that name nobody: kept and shown."""
    strays = list(answer.updates.strays)
    strays += [
        wire.raw
        for wire in answer.updates.messages
        if not (wire.to_user_id if wire.message_type is MessageType.BOT else wire.from_user_id)
    ]
    for body in strays:
        keep_raw(session, body, reason="no message could be made of it", at=answer.received_at)


def keep_raw(session: Session, body: bytes, *, reason: str, at: datetime) -> None:
    """Keep bytes that nothing could be made of, once, with an event on the session's page."""
    digest = hashlib.sha256(body).hexdigest()
    row, is_new = RawAnswer.objects.get_or_create(
        session=session,
        digest=digest,
        defaults={"sealed_body": seal_bytes(body), "reason": reason[:200], "received_at": at},
    )
    if is_new:
        SessionEvent.objects.create(
            session=session, kind=SessionEvent.Kind.STRAY, at=at, detail=row.reason
        )
