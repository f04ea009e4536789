"""The only door to conversations and messages for a person: decided by the team alone."""

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404

from messaging.models import Conversation, Message
from sessions_app.access import require
from sessions_app.people.roles import Capability, Visitor, team_ids_of


def conversations_of(user: Visitor) -> QuerySet[Conversation]:
    return Conversation.objects.filter(team__in=team_ids_of(user))


def conversation_or_404(user: Visitor, pk: int) -> Conversation:
    """With contact and session. Raises PermissionDenied without READ_CONVERSATIONS."""
    require(user, Capability.READ_CONVERSATIONS)
    rows = conversations_of(user).select_related("contact", "session", "team", "home_team")
    return get_object_or_404(rows, pk=pk)


def message_or_404(user: Visitor, pk: int) -> Message:
    """A message of a conversation that the user may see."""
    require(user, Capability.READ_CONVERSATIONS)
    rows = Message.objects.filter(conversation__team__in=team_ids_of(user))
    return get_object_or_404(rows.select_related("conversation__contact", "session"), pk=pk)
