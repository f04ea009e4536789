"""Internal notes and the members mentioned in them (“@name”)."""

import re
from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.utils import timezone

from messaging.composing import drafts
from messaging.conversations import events, rows
from messaging.conversations.errors import DraftAlreadyUsed, ReplyError
from messaging.models import Conversation, Direction, DraftKind, Mention, Message
from messaging.replying import reasons, services
from sessions_app.models import Team, User
from sessions_app.people.roles import Capability, may
from sessions_app.realtime.streams import announcing

MOST_CHARACTERS = 20_000
NAME = re.compile(r"@([\w.+\-@]+)")


def readers_of(team: Team) -> list[User]:
    """Members who may read this team's conversations, by name: those a note can mention."""
    everywhere = Q(is_superuser=True) | Q(groups__name="administrator")
    people: QuerySet[User] = User.objects.filter(Q(teams=team) | everywhere, is_active=True)
    found = people.distinct().prefetch_related("groups").order_by("username")
    return [one for one in found if may(one, Capability.READ_CONVERSATIONS)]


def write_note(
    *, user: User, conversation: Conversation, text: str, draft_key: str, next_key: str = ""
) -> Message:
    """Save a note. The same draft key again returns the same note. Raises ReplyError."""
    text = services.clean(text)[:MOST_CHARACTERS]
    if not text.strip():
        raise ReplyError("empty", reasons.refusal("empty"))
    named = named_in(text, readers_of(conversation.team)) if "@" in text else []
    with announcing() as change:
        locked = rows.lock(conversation.pk)
        if draft_key and (posted := locked.messages.filter(draft_key=draft_key).first()):
            if posted.text != text or posted.direction != Direction.NOTE:
                raise DraftAlreadyUsed("key_reused", reasons.refusal("key_reused"))
            return posted
        note = events.record_note(change, locked, text=text, who=user, draft_key=draft_key or None)
        Mention.objects.bulk_create(
            Mention(conversation=locked, message=note, user=one) for one in named if one != user
        )
        for one in named:
            change.mention(one.stream_key, f"mention:{conversation.pk}")
        drafts.consume(user, locked, DraftKind.NOTE, draft_key, next_key=next_key)
        rows.touch(change, locked)
    return note


def named_in(text: str, people: Iterable[User]) -> list[User]:
    """Members whose username is in the text after “@”; a full stop may follow it."""
    words = set()
    for word in NAME.findall(text):
        words |= {word.casefold(), word.rstrip(".-+@").casefold()}
    return [one for one in people if one.username.casefold() in words]


def see_mentions(*, user: User, conversation: Conversation) -> None:
    """Mark the user's mentions in this conversation as seen."""
    unseen = Mention.objects.filter(user=user, conversation=conversation, seen_at=None)
    if not unseen.exists():
        return
    with announcing() as change:
        if unseen.update(seen_at=timezone.now()):
            change.mention(user.stream_key, f"mention:{conversation.pk}")
