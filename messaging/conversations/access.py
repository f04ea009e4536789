"""The only access to conversations and messages on behalf of a user. The team alone decides."""

from django.db.models import Exists, OuterRef, QuerySet
from django.shortcuts import get_object_or_404

from messaging.models import Attachment, Conversation, Message
from sessions_app.people.roles import Capability, Visitor, team_ids_of
from sessions_app.sessions.access import require


def conversations_of(user: Visitor) -> QuerySet[Conversation]:
    return Conversation.objects.filter(team__in=team_ids_of(user))


def conversation_or_404(user: Visitor, pk: int) -> Conversation:
    """The conversation with its contact and session.

    PermissionDenied without READ_CONVERSATIONS.
    """
    require(user, Capability.READ_CONVERSATIONS)
    rows = conversations_of(user).select_related(
        "contact", "team_contact", "session", "team", "home_team", "assignee"
    )
    return get_object_or_404(rows, pk=pk)


def messages_of(user: Visitor) -> QuerySet[Message]:
    return Message.objects.filter(conversation__team__in=team_ids_of(user))


def messages_by_id_of(user: Visitor) -> QuerySet[Message]:
    """The same, for reading in the order of ids.

    SQLite would read all messages of the teams and sort them to find the next few; a condition
    that finds no rows by itself leaves it the order.
    """
    mine = conversations_of(user).filter(pk=OuterRef("conversation_id"))
    return Message.objects.filter(Exists(mine))


def message_or_404(user: Visitor, pk: int) -> Message:
    """A message of a conversation that the user may see."""
    require(user, Capability.READ_CONVERSATIONS)
    rows = messages_of(user).select_related(
        "conversation__contact", "conversation__team_contact", "session"
    )
    return get_object_or_404(rows, pk=pk)


def newest_with_or_404(user: Visitor, user_id: str, *, team_name: str = "") -> Conversation:
    """The newest conversation with this contact that the user may see, in this team or in any.

    Its team is the one whose name and note for the contact are meant.
    """
    require(user, Capability.READ_CONVERSATIONS)
    mine = conversations_of(user).filter(contact__user_id=user_id)
    if team_name:
        mine = mine.filter(team__name=team_name)
    newest = mine.select_related("contact", "team_contact", "team").order_by("-last_at", "-id")
    return get_object_or_404(newest[:1])


def attachment_or_404(user: Visitor, pk: int) -> Attachment:
    """A file of a message that the user may see."""
    require(user, Capability.READ_CONVERSATIONS)
    return get_object_or_404(Attachment, pk=pk, message__in=messages_of(user))
