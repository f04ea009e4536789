"""Stores the context tokens that come with messages, and shows the quota of a newer one."""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from messaging.conversations import rows
from messaging.models import Contact, Conversation, Message
from messaging.receiving.answers import Arrival, Contexts, Conversations
from sessions_app.database.batches import in_parts, pairs, plain_rows, update_rows
from sessions_app.database.encryption import DecryptionError
from sessions_app.models import Context
from sessions_app.realtime.streams import Change

Waiting = dict[tuple[int, str], int]
"""(session id, WeChat id) → replies that wait in the queue."""


def lock_contexts(found: Sequence[Arrival]) -> tuple[Contexts, Waiting]:
    """The contexts of these contacts with these sessions, locked until the commit.

    Their conversations are locked, so the number of replies that wait does not change either.
    """
    contexts, waiting = Contexts(), Waiting()
    with connection.cursor() as cursor:
        for part in in_parts({(one.session.pk, one.wechat_id) for one in found}):
            statement, values = _locking(part)
            cursor.execute(statement, values)
            for *columns, queued in cursor.fetchall():
                row = plain_rows(Context).read(columns)
                contexts[row.session_id, row.user_id] = row
                waiting[row.session_id, row.user_id] = queued
    return contexts, waiting


def _locking(keys: Sequence[tuple[int, str]]) -> tuple[str, list[Any]]:
    quote = connection.ops.quote_name
    table, (wanted, values) = quote(Context._meta.db_table), pairs(keys)
    lock = f" FOR NO KEY UPDATE OF {table}" if connection.features.has_select_for_update else ""
    return (
        f"SELECT {plain_rows(Context).columns}, COALESCE(queued.number, 0) "  # noqa: S608
        f"FROM {table} LEFT JOIN ({_QUEUED}) AS queued "
        f"ON queued.session_id = {table}.session_id AND queued.user_id = {table}.user_id "
        f"WHERE ({table}.session_id, {table}.user_id) IN {wanted} ORDER BY {table}.id{lock}",
        values,
    )


# The first condition is that of the index `message_outbox`: SQLite does not derive it.
_QUEUED = f"""
SELECT message.session_id, contact.user_id, COUNT(*) AS number
FROM {Message._meta.db_table} AS message
JOIN {Conversation._meta.db_table} AS conversation ON conversation.id = message.conversation_id
JOIN {Contact._meta.db_table} AS contact ON contact.id = conversation.contact_id
WHERE message.status IN ('queued', 'sending') AND message.status = 'queued'
GROUP BY message.session_id, contact.user_id
"""  # noqa: S608


def store_contexts(found: Sequence[Arrival], contexts: Contexts, waiting: Waiting) -> Contexts:
    """Newest token per person and session. An older message never replaces a newer token.

    `contexts`: theirs, locked; new ones are added to it. Returns those that changed.
    """
    changed: Contexts = {}
    tokens: dict[tuple[int, str], str] = {}
    for arrival in found:
        key = (arrival.session.pk, arrival.wechat_id)
        # A clock of WeChat's that runs ahead must not extend the window.
        at = min(arrival.written_at, arrival.received_at)
        context = contexts.get(key)
        if context is None:
            context = Context(session_id=key[0], user_id=key[1], received_at=at)
            contexts[key] = context
        elif arrival.written_at < context.received_at:
            continue
        # Our own clock may have been set back: WeChat's says that the message is newer.
        context.received_at = max(at, context.received_at)
        if arrival.wire.context_token:
            tokens[key] = arrival.wire.context_token
        context.unfiled = True
        changed[key] = context
    if any(context.pk is None for context in changed.values()):
        waiting = waiting_now()  # some may wait without a context: it went with a log-out
    for key, token in tokens.items():
        if not _same_token(contexts[key], token):
            # Replies that still wait will use the new token, so they count against it.
            contexts[key].begin_token(token, waiting=waiting.get(key, 0))
    _save_contexts(list(changed.values()))
    return changed


def waiting_now() -> Waiting:
    """The number of replies that wait, of all contacts."""
    with connection.cursor() as cursor:
        cursor.execute(_QUEUED)
        rows = cursor.fetchall()
    return {(session_id, user_id): number for session_id, user_id, number in rows}


def _same_token(context: Context, token: str) -> bool:
    try:
        return context.token == token
    except DecryptionError:
        return False


def _save_contexts(contexts: list[Context]) -> None:
    fresh = [one for one in contexts if one.pk is None]
    known = [one for one in contexts if one.pk is not None]
    Context.objects.bulk_create(fresh)
    update_rows(
        known,
        [
            "received_at", "encrypted_token", "replies_used", "refused_at", "unfiled",
            "filed_count", "stale_count",
        ],
    )  # fmt: skip


def follow_contexts(contexts: Contexts, conversations: Conversations, change: Change) -> None:
    """Show the quota of a newer token that came with duplicates only."""
    for conversation in conversations.values():
        context = contexts.get((conversation.session_id or 0, conversation.contact.user_id))
        if context is not None:
            rows.show_route(conversation, context)
            conversation.save(update_fields=rows.ROUTE_FIELDS)
            rows.touch(change, conversation)
