"""A conversation's row: locks it, shows on it what happened, and announces it.

Everything here runs inside the caller's transaction. Functions that begin with `show` change the
locked object in memory only; the caller saves the fields named beside them.
"""

from collections.abc import Sequence

from django.db.models import QuerySet
from django.utils import timezone

from messaging.models import (
    ELSEWHERE,
    SPOKEN,
    Attachment,
    Conversation,
    ConversationStatus,
    Direction,
    Message,
    MessageKind,
    MessageStatus,
)
from sessions_app.models import Context
from sessions_app.realtime.streams import Change
from sessions_app.recording.actions import Kind
from sessions_app.recording.record import Subject
from sessions_app.team_settings.limits import team_settings

PREVIEW_CHARACTERS = 200

CONVERSATION_TOPIC = "conversation:"
"""Followed by a conversation's key: its row or its messages changed, or it is gone."""

QUEUE_TOPIC = "queue:"
"""Followed by a member's id: a conversation left their queue."""

LAST_MESSAGE_FIELDS = ("last_at", "last_direction", "last_kind", "last_text")
"""What `show_last_message` changes."""

ARRIVAL_FIELDS = (*LAST_MESSAGE_FIELDS, "waiting_since", "missed_at")
"""What `show_arrival` changes."""

ELSEWHERE_FIELDS = (*LAST_MESSAGE_FIELDS, "missed_at", "status", "snoozed_until")
"""What `show_elsewhere` changes."""

ROUTE_FIELDS = ("session", "closes_at", "replies_used")
"""What `show_route` changes."""


def lock(conversation_id: int) -> Conversation:
    """One conversation with its contact, locked.

    Every transaction that writes a message of it starts here.
    """
    return _locking(Conversation.objects.select_related("contact")).get(pk=conversation_id)


def lock_many(conversations: QuerySet[Conversation]) -> list[Conversation]:
    """All of them, locked in the order of their keys: two callers never wait for each other."""
    return list(_locking(conversations).order_by("pk"))


def _locking(conversations: QuerySet[Conversation]) -> QuerySet[Conversation]:
    return conversations.select_for_update(of=("self",), no_key=True)


def subject_of(conversation: Conversation) -> Subject:
    """The conversation as the audit log names it: without the customer's name."""
    return Subject(Kind.CONVERSATION, conversation.pk, team_id=conversation.team_id)


def touch(change: Change, conversation: Conversation, *messages: Message) -> None:
    """Announce the conversation, and these messages of it, to its team."""
    touch_messages(change, conversation, *messages)
    change.touch(conversation, *_where(conversation))


def touch_messages(change: Change, conversation: Conversation, *messages: Message) -> None:
    """Announce messages whose conversation's row did not change."""
    for message in messages:
        change.touch(message, *_where(conversation))


def mention(change: Change, conversation: Conversation) -> None:
    """Announce the conversation and messages that have their numbers already."""
    change.mention(*_where(conversation))


def stream_of(conversation: Conversation) -> str:
    return f"team:{conversation.team_id}"


def _where(conversation: Conversation) -> tuple[str, str]:
    """The stream and the topic."""
    return stream_of(conversation), f"{CONVERSATION_TOPIC}{conversation.pk}"


def show_assignee(change: Change, conversation: Conversation, assignee_id: int | None) -> None:
    """Assign in memory; the caller saves `assignee`. Announces whose queue it leaves.

    The numbers of a member's own queue are counted anew only when something says so.
    """
    if conversation.assignee_id not in (None, assignee_id):
        topic = f"{QUEUE_TOPIC}{conversation.assignee_id}"
        change.mention(f"team:{conversation.team_id}", topic)
    conversation.assignee_id = assignee_id


def show_last_message(conversation: Conversation, message: Message, detail: str = "") -> None:
    """The last message as lists show it; the caller saves `LAST_MESSAGE_FIELDS`.

    `detail`: a file's name, a voice's length.
    """
    conversation.last_at = message.stored_at
    conversation.last_direction = message.direction
    conversation.last_kind = message.kind
    conversation.last_text = (message.text or detail)[:PREVIEW_CHARACTERS]


def show_arrival(conversation: Conversation, message: Message, detail: str = "") -> None:
    """A message that WeChat brought, and who waits now; the caller saves `ARRIVAL_FIELDS`.

    The rule of `standing`, without a look at the messages before: a word of the customer waits
    since the first that does, and what another program sent is an answer.
    """
    show_last_message(conversation, message, detail)
    conversation.missed_at = None
    if message.direction == Direction.OUT:
        conversation.waiting_since = None
    elif conversation.waiting_since is None:
        conversation.waiting_since = message.stored_at


def show_elsewhere(conversation: Conversation, direction: Direction) -> None:
    """Another program received or answered; its text is unknown. Save `ELSEWHERE_FIELDS`.

    Its quiet line is written already: `standing` counts it as a word or an answer.
    """
    conversation.last_at = timezone.now()
    conversation.last_direction = direction
    conversation.last_kind, conversation.last_text = ELSEWHERE, ""
    if direction == Direction.IN:
        conversation.missed_at = None
        show_open(conversation)


def show_last_before(conversation: Conversation, taken: Message) -> bool:
    """After `taken` was taken back, the newest message that stands is the last one.

    True: the caller saves `LAST_MESSAGE_FIELDS`. False: a later message is shown already.
    """
    said = Message.objects.filter(conversation=conversation.pk, direction__in=SPOKEN)
    last = said.exclude(status=MessageStatus.CANCELLED).order_by("-id").first()
    if last is None or last.pk > taken.pk:
        return False
    show_last_message(conversation, last, detail_of(list(last.attachments.all())))
    return True


def detail_of(attachments: Sequence[Attachment]) -> str:
    """What a list shows of a message without a text: a voice's length, a file's name."""
    for each in attachments:
        if each.kind == MessageKind.VOICE and each.duration_ms is not None:
            minutes, seconds = divmod(round(each.duration_ms / 1000), 60)
            return f"{minutes}:{seconds:02d}"
        if each.file_name:
            return each.file_name
    return ""


def show_open(conversation: Conversation) -> bool:
    """Open, whatever it was; returns whether that is news. Save `status` and `snoozed_until`."""
    was_closed = conversation.status != ConversationStatus.OPEN
    conversation.status, conversation.snoozed_until = ConversationStatus.OPEN, None
    return was_closed


def show_route(conversation: Conversation, context: Context) -> None:
    """The session of this context answers, so long and so often; save `ROUTE_FIELDS`."""
    conversation.session_id = context.session_id
    conversation.closes_at = context.received_at + team_settings().window
    conversation.replies_used = context.replies_used
