"""Stores answers of getupdates as rows, in one transaction. Storing an answer twice is harmless.

Takes answers of several sessions at once (group commit). Never calls WeChat and never drops data:
what is not a message is kept as bytes and shown.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import Q

from messaging.models import MESSAGE_STREAM, Attachment, Message, RawAnswer
from messaging.receiving import arrivals, broken_answers, echoes
from messaging.receiving.answers import Arrival, Conversations, Received
from messaging.receiving.contexts import follow_contexts, lock_contexts, store_contexts
from sessions_app.database.batches import update_rows
from sessions_app.database.encryption import encrypt_bytes
from sessions_app.ilink.wire import MessageType, dedupe_keys
from sessions_app.models import Session, SessionEvent
from sessions_app.realtime.streams import Change, advance, announcing, wake_workers
from sessions_app.sessions.services import touch

MAX_BROKEN_BYTES = 1024 * 1024
"""Bytes kept of an answer that was cut off; its complete messages are stored as rows."""


def store(answers: Sequence[Received]) -> int:
    """Store all answers or none. Returns the number of new messages. Announced on commit."""
    with announcing() as change:
        ids = {answer.session_id for answer in answers}
        rows = Session.objects.select_for_update(no_key=True).order_by("pk")
        sessions = rows.in_bulk(ids)
        known = [answer for answer in answers if answer.session_id in sessions]
        stored = _store_messages(known, sessions, change)
        for answer in known:
            session = sessions[answer.session_id]
            _keep_strays(answer, session)
            if answer.updates.broke_off:
                _keep_broken(answer, session, change)
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
    # From here on, lock in the order of `realtime.LOCK_ORDER`.
    contacts = arrivals.contacts_of({one.wechat_id for one in fresh})
    conversations = arrivals.conversations_of(fresh, contacts, {one.wechat_id for one in found})
    known = lock_contexts(found)
    # First: a token that comes with an echo counts what still waits.
    echoes.settle(own_echoes, conversations, known, change)
    # Including duplicates, since one may bring a newer token.
    theirs = [one for one in found if one.is_current and not one.is_ours]
    contexts = store_contexts(theirs, known)
    arrivals.honour_recalls(found, already, change)
    if fresh:
        _insert(fresh, conversations)
        arrivals.move_conversations(fresh, conversations, contexts, change)
    else:
        follow_contexts(contexts, conversations, change)
    return len(fresh)


def _arrivals(answers: Sequence[Received], sessions: dict[int, Session]) -> Iterable[Arrival]:
    for answer in answers:
        session = sessions[answer.session_id]
        messages = answer.updates.messages
        keys = dedupe_keys(messages, answer.request_cursor)
        for key, wire in zip(keys, messages, strict=True):
            ours = wire.message_type is MessageType.BOT
            peer = wire.to_user_id if ours else wire.from_user_id
            if peer:
                yield Arrival(
                    session=session,
                    wire=wire,
                    dedupe_key=key,
                    received_at=answer.received_at,
                    wechat_id=peer[:200],
                    is_ours=ours,
                    is_current=answer.generation == session.generation,
                )


def _already_stored(found: Sequence[Arrival]) -> set[tuple[int, str]]:
    wanted = Q(pk__in=[])
    by_session: dict[int, list[str]] = {}
    for arrival in found:
        by_session.setdefault(arrival.session.pk, []).append(arrival.dedupe_key)
    for session_id, keys in by_session.items():
        wanted |= Q(session_id=session_id, dedupe_key__in=keys)
    return set(Message.objects.filter(wanted).values_list("session_id", "dedupe_key"))


def _insert(fresh: Sequence[Arrival], conversations: Conversations) -> None:
    """Insert messages. The stream that numbers them stays locked, so ids follow commit order."""
    last = advance(MESSAGE_STREAM, len(fresh))
    quoted = arrivals.find_quoted(fresh)
    for number, arrival in enumerate(fresh, start=last - len(fresh) + 1):
        arrivals.build(arrival, number, conversations, quoted)
    Message.objects.bulk_create([one.message for one in fresh if one.message is not None])
    if Attachment.objects.bulk_create([each for one in fresh for each in one.attachments]):
        wake_workers()  # download at once: WeChat's links expire


def move_cursor(answer: Received, session: Session) -> None:
    """Update cursor, hold and times in memory, unless the session was bound again or logged out."""
    if answer.generation != session.generation or not session.encrypted_token:
        return
    session.last_poll_at = answer.received_at
    session.cursor = session.cursor if answer.updates.cursor is None else answer.updates.cursor
    session.hold_ms = answer.updates.longpoll_timeout_ms or session.hold_ms
    if answer.updates.messages:
        session.last_message_at = answer.received_at


def save_cursors(sessions: Sequence[Session]) -> None:
    """The caller must hold the rows' locks since it read them."""
    update_rows(sessions, ["last_poll_at", "cursor", "hold_ms", "last_message_at"])


def _keep_strays(answer: Received, session: Session) -> None:
    """Keep elements that are not messages, and messages without a sender, and show them."""
    strays = list(answer.updates.strays)
    strays += [
        wire.raw
        for wire in answer.updates.messages
        if not (wire.to_user_id if wire.message_type is MessageType.BOT else wire.from_user_id)
    ]
    for body in strays:
        keep_raw(session, body, reason="no message could be made of it", at=answer.received_at)


def _keep_broken(answer: Received, session: Session, change: Change) -> None:
    """Keep the bytes of an answer that was cut off, and report where messages may be missing."""
    updates, at = answer.updates, answer.received_at
    if broken_answers.has_room(session, at=at):
        body = updates.raw[:MAX_BROKEN_BYTES]
        keep_raw(session, body, reason=updates.broke_off, at=at, is_told=not updates.may_have_lost)
    if updates.may_have_lost:
        broken_answers.tell(session, updates, at=at, change=change)


def keep_raw(
    session: Session, body: bytes, *, reason: str, at: datetime, is_told: bool = True
) -> None:
    """Keep unusable bytes, once. `is_told`: also write an event on the session's page."""
    digest = hashlib.sha256(body).hexdigest()
    row, is_new = RawAnswer.objects.get_or_create(
        session=session,
        digest=digest,
        defaults={"encrypted_body": encrypt_bytes(body), "reason": reason[:200], "received_at": at},
    )
    if is_new and is_told:
        SessionEvent.objects.create(
            session=session, kind=SessionEvent.Kind.STRAY, at=at, detail=row.reason
        )
