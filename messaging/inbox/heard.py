"""Decides which conversations notify the current user: new messages since the page's numbers.

Independent of the list on the screen, which may show another view. Messages older than `OLD` do
not notify, since after an outage WeChat delivers hours of messages at once. Reads only.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from messaging.conversations.access import conversations_of
from messaging.inbox import presentation
from messaging.models import Conversation, Direction, Message
from sessions_app.people.roles import Visitor
from sessions_app.realtime.numbers import changed_since

OLD = timedelta(minutes=10)
MOST = 50
_UNREAD = ("encrypted_raw", "text", "quote_text")
"""Columns that may be very large; nothing here reads them."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The newest message of one conversation. `text`: its preview, as in the list."""

    message_id: int
    conversation: Conversation
    session_name: str
    text: str

    @property
    def who(self) -> str:
        return self.conversation.contact_name


def heard_since(
    user: Visitor, since: Mapping[str, int], *, now: datetime | None = None
) -> list[Heard]:
    """One per conversation, in order of arrival. Two queries, or one if nothing changed."""
    rows = conversations_of(user).filter(changed_since(user, since), last_direction=Direction.IN)
    changed = rows.select_related("contact", "team_contact", "team").order_by("-version")[:MOST]
    return heard_in({one.pk: one for one in changed}, since, now=now)


def heard_in(
    changed: Mapping[int, Conversation], since: Mapping[str, int], *, now: datetime | None = None
) -> list[Heard]:
    """The same for conversations that were read already, with their contacts, their
    teams and what these call the contacts."""
    by_id = {pk: one for pk, one in changed.items() if one.last_direction == Direction.IN}
    if not by_id:
        return []
    young = Message.objects.filter(
        conversation__in=by_id,
        direction=Direction.IN,
        created_at__gt=(now or timezone.now()) - OLD,
        version__gt=min(since.get(one.team.stream_key, 0) for one in by_id.values()),
    )
    last: dict[int, Message] = {}
    for message in young.select_related("session").defer(*_UNREAD).order_by("id"):
        last[message.conversation_id] = message
    heard = [
        Heard(message.pk, conversation, message.session.name, presentation.preview(conversation))
        for pk, message in last.items()
        if _is_new(message, conversation := by_id[pk], since)
    ]
    return sorted(heard, key=lambda one: one.message_id)


def _is_new(message: Message, conversation: Conversation, since: Mapping[str, int]) -> bool:
    known = since.get(conversation.team.stream_key, 0)
    return message.version > known and message.recalled_at is None
