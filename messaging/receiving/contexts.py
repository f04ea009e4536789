"""Stores the context tokens that come with messages, and shows the quota of a newer one."""

from collections import Counter
from collections.abc import Sequence

from messaging.conversations import rows
from messaging.models import Message, MessageStatus
from messaging.receiving.answers import Arrival, Contexts, Conversations
from sessions_app.database.batches import update_rows
from sessions_app.database.encryption import DecryptionError
from sessions_app.models import Context
from sessions_app.realtime.streams import Change


def lock_contexts(found: Sequence[Arrival]) -> Contexts:
    """All contexts of these contacts with these sessions, locked until the commit."""
    sessions, people = {one.session.pk for one in found}, {one.wechat_id for one in found}
    locked = Context.objects.select_for_update(no_key=True)
    rows = locked.filter(session__in=sessions, user_id__in=people).order_by("pk")
    return {(row.session_id, row.user_id): row for row in rows}


def store_contexts(found: Sequence[Arrival], contexts: Contexts) -> Contexts:
    """Newest token per person and session. An older message never replaces a newer token.

    `contexts`: theirs, locked; new ones are added to it. Returns those that changed.
    """
    if not found:
        return {}
    sessions, people = {one.session.pk for one in found}, {one.wechat_id for one in found}
    queued = _queued_counts(sessions, people)
    changed: Contexts = {}
    for arrival in found:
        key = (arrival.session.pk, arrival.wechat_id)
        # A clock that runs ahead must not extend the window.
        at = min(arrival.written_at, arrival.received_at)
        context = contexts.get(key)
        if context is None:
            context = Context(session_id=key[0], user_id=key[1], received_at=at)
            contexts[key] = context
        elif at < context.received_at:
            continue
        context.received_at = at
        if arrival.wire.context_token and not _same_token(context, arrival.wire.context_token):
            # Replies that still wait will use the new token, so they count against it.
            context.begin_token(arrival.wire.context_token, waiting=queued[key])
        context.unfiled = True
        changed[key] = context
    _save_contexts(list(changed.values()))
    return changed


def _queued_counts(sessions: set[int], people: set[str]) -> Counter[tuple[int, str]]:
    waiting = Message.objects.filter(
        session__in=sessions,
        conversation__contact__user_id__in=people,
        status=MessageStatus.QUEUED,
    )
    return Counter(waiting.values_list("session_id", "conversation__contact__user_id"))


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
