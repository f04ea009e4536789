"""Copies route, window and count from contexts to conversations, where lists and filters read them.

Call it after a session was bound again or logged out; storing and sending update them otherwise.
"""

from messaging.conversations import rows
from messaging.models import Conversation
from messaging.reply_window.reply_route import Candidate
from sessions_app.database.batches import update_rows
from sessions_app.models import Context
from sessions_app.realtime.streams import announcing
from sessions_app.team_settings.limits import team_settings


def refresh_routes(session_id: int) -> int:
    """Recompute the conversations routed through this session. Returns how many changed."""
    with announcing() as change:
        conversations = rows.lock_many(
            Conversation.objects.filter(session_id=session_id).select_related("contact")
        )
        people = {conversation.contact.user_id for conversation in conversations}
        newest: dict[tuple[int, str], Context] = {}
        contexts = Context.objects.filter(user_id__in=people).select_related("session")
        for context in contexts.order_by("received_at"):
            newest[context.session.team_id, context.user_id] = context
        changed = []
        for conversation in conversations:
            context_now = newest.get((conversation.home_team_id, conversation.contact.user_id))
            if _follow(conversation, context_now):
                changed.append(conversation)
                rows.touch(change, conversation)
        update_rows(changed, rows.ROUTE_FIELDS)
    return len(changed)


def follow_newest(conversation: Conversation) -> None:
    """Update one locked conversation after a context of its contact has changed; saves it."""
    contexts = Context.objects.filter(
        user_id=conversation.contact.user_id, session__team=conversation.home_team_id
    )
    _follow(conversation, contexts.order_by("-received_at").first())
    conversation.save(update_fields=rows.ROUTE_FIELDS)


def _follow(conversation: Conversation, context: Context | None) -> bool:
    """Without a context it keeps its session but is closed until the next message."""
    before = (conversation.session_id, conversation.closes_at, conversation.replies_used)
    if context is None:
        conversation.closes_at, conversation.replies_used = None, 0
    else:
        rows.show_route(conversation, context)
    return before != (conversation.session_id, conversation.closes_at, conversation.replies_used)


def candidate(context: Context) -> Candidate:
    """Convert a context row for `reply_route`."""
    limits = team_settings()
    return Candidate(
        session_id=context.session_id,
        name=context.session.name,
        may_send=context.session.may_send,
        has_token=bool(context.encrypted_token),
        received_at=context.received_at,
        replies_used=context.replies_used,
        window=limits.window,
        limit=limits.replies_per_token,
    )
