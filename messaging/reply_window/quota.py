"""What a reply uses of its context token, given back and shown.

Inside the caller's transaction, which holds the thread's lock.
"""

from django.db.models import F

from messaging.models import Conversation, Message
from sessions_app.models import Context


def give_count_back(message: Message) -> None:
    """The reply never left: it does not count."""
    user_id = message.conversation.contact.user_id
    used = Context.objects.filter(session=message.session_id, user_id=user_id, replies_used__gt=0)
    used.update(replies_used=F("replies_used") - 1, unfiled=True)
    show_count(message.conversation, message.session_id)


def show_count(conversation: Conversation, session_id: int) -> None:
    """Copy the context's count to the locked thread, if that session is the thread's route."""
    if conversation.session_id != session_id:
        return
    user_id = conversation.contact.user_id
    used = Context.objects.filter(session=session_id, user_id=user_id)
    count = used.values_list("replies_used", flat=True).first()
    if count is not None:
        conversation.replies_used = count
        Conversation.objects.filter(pk=conversation.pk).update(replies_used=count)
