"""Stores answers of getupdates as rows, in one transaction. Storing an answer twice is harmless.

Takes answers of several sessions at once (group commit). Never calls WeChat and never drops data:
what is not a message is kept as bytes and shown.
"""

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from itertools import zip_longest

from django.db import connection, transaction

from messaging.forgotten.replays import KEY_STATEMENT, Seen, replayed
from messaging.models import MESSAGE_STREAM, Attachment, Contact, Message, RawAnswer
from messaging.receiving import arrivals, broken_answers, echoes
from messaging.receiving.answers import Arrival, Conversations, Received
from messaging.receiving.contexts import (
    follow_contexts,
    lock_contexts,
    store_contexts,
    waiting_now,
)
from sessions_app.database.batches import in_parts, insert_rows, pairs, texts, update_rows
from sessions_app.database.encryption import encrypt_bytes
from sessions_app.ilink.wire import MessageType, dedupe_keys
from sessions_app.models import Session, SessionEvent
from sessions_app.monitoring import meters, traces
from sessions_app.monitoring.traces import Trace
from sessions_app.realtime.streams import Change, announcing, wake_workers
from sessions_app.sessions.services import HEARD_TOPIC

MAX_BROKEN_BYTES = 1024 * 1024
"""Bytes kept of an answer that was cut off; its complete messages are stored as rows."""


def store(answers: Sequence[Received]) -> int:
    """Store all answers or none. Returns the number of new messages. Announced on commit."""
    with announcing() as change:
        ids = {answer.session_id for answer in answers}
        rows = Session.objects.select_for_update(no_key=True).order_by("pk")
        sessions = rows.only(*_READ).in_bulk(ids)
        known = [answer for answer in answers if answer.session_id in sessions]
        stored = _store_messages(known, sessions, change)
        for answer in known:
            session = sessions[answer.session_id]
            _keep_strays(answer, session)
            if answer.updates.broke_off:
                _keep_broken(answer, session, change)
            if answer.updates.code == 0:
                move_cursor(answer, session)
        told = {answer.session_id for answer in known if answer.updates.messages}
        _announce([sessions[pk] for pk in sorted(told)], change)
        update_rows(list(sessions.values()), [*_MOVED, "version"])
    return stored


_MOVED = ("last_poll_at", "cursor", "hold_ms", "last_message_at")
_READ = (
    *_MOVED, "team", "bot_id", "generation", "lease_number", "encrypted_token", "label", "version",
)  # fmt: skip


def _announce(sessions: Sequence[Session], change: Change) -> None:
    """Their rows are locked. The caller writes `version`."""
    numbers = change.number({f"team:{one.team_id}" for one in sessions})
    for session in sessions:
        session.version = numbers[f"team:{session.team_id}"]
        change.mention(f"team:{session.team_id}", f"{HEARD_TOPIC}{session.pk}")


def _store_messages(
    answers: Sequence[Received], sessions: dict[int, Session], change: Change
) -> int:
    found = list(_arrivals(answers, sessions))
    if not found:
        return 0
    already, contacts, forgetting_key = _known(found)
    if forgetting_key and not (found := _without_replays(found, forgetting_key)):
        return 0
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
    if any(one.wechat_id not in contacts for one in fresh):
        people = arrivals.contacts_of({one.wechat_id for one in fresh})
        contacts |= {user_id: contact.pk for user_id, contact in people.items()}
    conversations = arrivals.conversations_of(fresh, contacts, {one.wechat_id for one in found})
    known, waiting = lock_contexts(found)
    if own_echoes:  # first: a token that comes with an echo counts what still waits
        echoes.settle(own_echoes, conversations, known, change)
        waiting = waiting_now()
    # Including duplicates, since one may bring a newer token.
    theirs = [one for one in found if one.is_current and not one.is_ours]
    contexts = store_contexts(theirs, known, waiting)
    arrivals.honour_recalls(found, already, change)
    if fresh:
        _insert(fresh, conversations, change)
        arrivals.move_conversations(fresh, conversations, contexts, change)
    else:
        follow_contexts(contexts, conversations, change)
    return len(fresh)


def _arrivals(answers: Sequence[Received], sessions: dict[int, Session]) -> Iterable[Arrival]:
    for answer in answers:
        session = sessions[answer.session_id]
        messages = answer.updates.messages
        keys = dedupe_keys(messages, answer.request_cursor)
        is_current = answer.generation == session.generation
        for key, wire in zip(keys, messages, strict=True):
            ours = wire.message_type is MessageType.BOT
            peer = wire.to_user_id if ours else wire.from_user_id
            if peer:
                yield Arrival(
                    session, wire, key, answer.received_at, peer[:200], ours, is_current,
                    answer.trace_id,
                )  # fmt: skip


def _without_replays(found: Sequence[Arrival], forgetting_key: str) -> list[Arrival]:
    """All but what WeChat repeats of people who were forgotten."""
    seen = [
        Seen(
            one.session.pk, one.dedupe_key, one.wechat_id, one.wire.client_id,
            one.wire.create_time_ms,
        )
        for one in found
    ]  # fmt: skip
    dropped = replayed(seen, forgetting_key)
    return [one for place, one in enumerate(found) if place not in dropped]


def _known(found: Sequence[Arrival]) -> tuple[set[tuple[int, str]], dict[str, int], str]:
    """What is stored already: (session id, dedupe key) of messages, and WeChat id → contact id.

    And the key of forgotten people's hashes, encrypted; "" if nobody was forgotten.
    """
    quote = connection.ops.quote_name
    messages, contacts = quote(Message._meta.db_table), quote(Contact._meta.db_table)
    keys = in_parts({(one.session.pk, one.dedupe_key) for one in found})
    people = in_parts({one.wechat_id for one in found})
    rows: list[tuple[int, int, str]] = []
    with connection.cursor() as cursor:
        for some_keys, some_people in zip_longest(keys, people, fillvalue=()):
            pair, pair_values = pairs(some_keys)
            text, text_values = texts(some_people)
            cursor.execute(
                f"SELECT 1, session_id, dedupe_key FROM {messages} "  # noqa: S608
                f"WHERE (session_id, dedupe_key) IN {pair} UNION ALL "
                f"SELECT 0, id, user_id FROM {contacts} WHERE user_id IN {text} UNION ALL "
                f"{KEY_STATEMENT}",
                [*pair_values, *text_values],
            )
            rows += cursor.fetchall()
    already = {(number, key) for what, number, key in rows if what == 1}
    known = {key: number for what, number, key in rows if what == 0}
    return already, known, next((key for what, _number, key in rows if what == 2), "")


def _insert(fresh: Sequence[Arrival], conversations: Conversations, change: Change) -> None:
    """Insert messages. The stream that numbers them stays locked, so ids follow commit order.

    Everything is locked that this transaction writes, so the teams' streams are advanced, too.
    """
    teams = {conversation.team_id for conversation in conversations.values()}
    teams |= {one.session.team_id for one in fresh}
    keys = [f"team:{team_id}" for team_id in teams]
    last = change.number(keys, besides={MESSAGE_STREAM: len(fresh)})[MESSAGE_STREAM]
    numbers = change.number(keys)
    quoted = arrivals.find_quoted(fresh)
    for number, arrival in enumerate(fresh, start=last - len(fresh) + 1):
        conversation = conversations[arrival.wechat_id, arrival.session.team_id]
        if arrival.trace_id:
            trace = Trace(arrival.trace_id, arrival.received_at.timestamp())
            change.trace(f"team:{conversation.team_id}", trace)
        arrivals.build(
            arrival, number, conversation, quoted, numbers[f"team:{conversation.team_id}"]
        )
    insert_rows([one.message for one in fresh if one.message is not None])
    transaction.on_commit(partial(_say_stored, fresh))
    if Attachment.objects.bulk_create([each for one in fresh for each in one.attachments]):
        wake_workers()  # download at once: WeChat's links expire


def _say_stored(fresh: Sequence[Arrival]) -> None:
    """Count what was stored, and write a line of its way for each message. After the commit."""
    is_written = traces.is_written()
    for one in fresh:
        message = one.message
        if message is None or one.is_ours:
            continue
        meters.MESSAGES_RECEIVED.labels(message.kind).inc()
        if one.wire.create_time_ms is not None:
            delay_s = (one.received_at - one.written_at).total_seconds()
            meters.WECHAT_DELAY.observe(max(0.0, delay_s))
        if is_written:
            traces.step(
                "message stored",
                trace_id=one.trace_id,
                message_id=message.pk,
                conversation_id=message.conversation_id,
                session_id=message.session_id,
                kind=message.kind,
            )


def move_cursor(answer: Received, session: Session) -> None:
    """Update cursor, hold and times in memory, unless the session was bound again or logged out.

    Nor if another worker has claimed the session: its polls have moved the cursor on. An answer
    that broke off or is unusable, such as a gateway's page, is no good poll.
    """
    if not answer.moves(session):
        return
    if not (answer.updates.broke_off or answer.updates.is_unusable):
        session.last_poll_at = answer.received_at
    session.cursor = session.cursor if answer.updates.cursor is None else answer.updates.cursor
    session.hold_ms = answer.updates.longpoll_timeout_ms or session.hold_ms
    if answer.updates.messages:
        session.last_message_at = answer.received_at


def save_cursors(sessions: Sequence[Session]) -> None:
    """The caller must hold the rows' locks since it read them."""
    update_rows(sessions, _MOVED)


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
