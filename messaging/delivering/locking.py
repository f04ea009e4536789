"""Locks what one step of a send reads and writes, so that each row is read once."""

from dataclasses import dataclass

from messaging.conversations import rows
from messaging.models import Message
from messaging.reply_window import quota
from sessions_app.models import Context, Session


@dataclass(frozen=True, slots=True)
class LockedReply:
    """A message with its session and its conversation, and the context whose quota it uses.

    `context`: None where there is none, or where the step did not ask for it.
    """

    message: Message
    context: Context | None


def lock(
    message_id: int,
    conversation_id: int,
    session_id: int,
    *,
    writes_session: bool = False,
    uses_context: bool = True,
) -> LockedReply:
    """Lock in the order of `realtime.LOCK_ORDER`: session, conversation, context, message.

    The session is locked only where the step writes it; without `uses_context` no context is read.
    """
    session = None
    if writes_session:
        session = Session.objects.select_for_update(no_key=True).get(pk=session_id)
    conversation = rows.lock(conversation_id)
    context = None
    if uses_context:
        context = quota.lock_context(session_id, conversation.contact.user_id)
    messages = Message.objects.select_for_update(of=("self",), no_key=True)
    if session is None:
        messages = messages.select_related("session")
    message = messages.get(pk=message_id)
    message.conversation = conversation
    if session is not None:
        message.session = session
    if context is not None:
        context.session = message.session
    return LockedReply(message, context)
