"""Counts replies against a context token's quota, and shows the count on the conversation.

Inside the caller's transaction, which has locked the conversation and then the context.
"""

from django.utils import timezone

from messaging.models import Conversation
from sessions_app.models import Context


def lock_context(session_id: int, user_id: str) -> Context | None:
    """The context whose quota a reply uses. Lock its conversation first."""
    contexts = Context.objects.select_for_update(no_key=True)
    return contexts.filter(session=session_id, user_id=user_id).first()


def count(conversation: Conversation, context: Context, replies: int) -> None:
    """So many replies were queued: each counts from now on."""
    context.last_reply_at = timezone.now()
    _add(conversation, context, replies)


def count_again(conversation: Conversation, context: Context | None) -> None:
    """A reply will go out on a newer token, whose count was begun without it."""
    if context is not None:
        _add(conversation, context, 1)


def give_back(conversation: Conversation, context: Context | None) -> None:
    """Take a reply that never left off the count."""
    if context is not None and context.replies_used > 0:
        _add(conversation, context, -1)


def _add(conversation: Conversation, context: Context, replies: int) -> None:
    context.replies_used += replies
    context.unfiled = True
    context.save(update_fields=["replies_used", "last_reply_at", "unfiled"])
    if conversation.session_id == context.session_id:
        conversation.replies_used = context.replies_used
        conversation.save(update_fields=["replies_used"])
