"""Parked replies: they wait until the contact writes and an agent reviews and sends them."""

from datetime import datetime

from django.utils import timezone

from messaging.composing import drafts
from messaging.conversations import rows
from messaging.conversations.errors import ReplyError
from messaging.conversations.standing import show_standing
from messaging.models import (
    Conversation,
    DraftKind,
    Message,
    MessageKind,
    MessageStatus,
    ParkedReply,
    ParkedState,
)
from messaging.reply_window.reply_route import text_problem
from messaging.replying import reasons, sending, services
from messaging.replying.sending import TakenBack, Wish
from messaging.transfers import uploads
from sessions_app.models import User
from sessions_app.realtime.streams import Change, announcing, wake_workers
from sessions_app.team_settings.limits import TeamSettings


def park(
    *,
    user: User,
    conversation: Conversation,
    text: str,
    draft_key: str,
    limits: TeamSettings,
    next_key: str = "",
) -> ParkedReply:
    """Park a text until the contact writes. The same draft key again returns the same reply."""
    text = services.clean(text)
    if problem := text_problem(text):
        raise ReplyError(problem, reasons.refusal(problem))
    with announcing() as change:
        locked = rows.lock(conversation.pk)
        known = locked.parked_replies.filter(draft_key=draft_key).first() if draft_key else None
        if known is not None:
            return known
        parked = _keep(change, locked, user, text, limits, draft_key)
        drafts.consume(user, locked, DraftKind.REPLY, draft_key, next_key=next_key)
    return parked


def park_message(*, message: Message, user: User, limits: TeamSettings) -> ParkedReply:
    """Turn a failed reply into a parked one.

    Raises ReplyError if somebody has decided about it, FileProblem unless it is a text.
    """
    with announcing() as change:
        conversation = rows.lock(message.conversation_id)
        if message.kind != MessageKind.TEXT:
            raise uploads.problem("file_parked")
        held = conversation.messages.filter(
            pk=message.pk, holds_queue=True, status=MessageStatus.FAILED
        )
        if not held.update(holds_queue=False):
            raise ReplyError("already_decided", reasons.refusal("already_decided"))
        show_standing(change, conversation)
        rows.touch(change, conversation, message)
        parked = _keep(change, conversation, user, message.text, limits, None)
        wake_workers()
    return parked


def _keep(
    change: Change,
    conversation: Conversation,
    user: User,
    text: str,
    limits: TeamSettings,
    draft_key: str | None,
) -> ParkedReply:
    parked = ParkedReply.objects.create(
        conversation=conversation,
        text=text,
        by=user,
        draft_key=draft_key or None,
        expires_at=timezone.now() + limits.parked_for,
    )
    rows.touch(change, conversation)
    return parked


def waiting_in(conversation: Conversation, *, now: datetime) -> list[ParkedReply]:
    """Parked replies of one conversation, oldest first."""
    waiting = conversation.parked_replies.filter(state=ParkedState.WAITING, expires_at__gt=now)
    return list(waiting.select_related("by"))


def send_parked(
    *,
    parked: ParkedReply,
    user: User,
    seen_up_to: int | None,
    override: bool,
    limits: TeamSettings,
    expected_id: int | None = None,
) -> list[Message]:
    """Send a reviewed reply now. Raises ReplyError; then it stays parked."""
    with announcing() as change:
        conversation = rows.lock(parked.conversation_id)
        _decide(parked, user, ParkedState.SENT)
        wish = Wish(
            parked.text,
            f"parked-{parked.pk}",
            override=override,
            seen_up_to=seen_up_to,
            expected_id=expected_id,
        )
        queued = sending.queue(change, conversation, user=user, wish=wish, limits=limits)
        ParkedReply.objects.filter(pk=parked.pk).update(message=queued.messages[0])
        rows.touch(change, conversation)
    return queued.messages


def edit_parked(*, parked: ParkedReply, user: User) -> TakenBack:
    """Move the text from the tray into the user's composer."""
    with announcing() as change:
        conversation = rows.lock(parked.conversation_id)
        _decide(parked, user, ParkedState.DISCARDED)
        draft = drafts.put_draft(user, conversation, parked.text)
        rows.touch(change, conversation)
    return TakenBack(draft, [])


def discard_parked(*, parked: ParkedReply, user: User) -> None:
    with announcing() as change:
        conversation = rows.lock(parked.conversation_id)
        _decide(parked, user, ParkedState.DISCARDED)
        rows.touch(change, conversation)


def expire_due(now: datetime, *, limit: int = 100) -> int:
    """Expire replies that waited too long. Returns how many. Run by the worker."""
    over = ParkedReply.objects.filter(state=ParkedState.WAITING, expires_at__lte=now)
    due = list(over.order_by("conversation_id", "pk")[:limit])
    for parked in due:
        with announcing() as change:
            conversation = rows.lock(parked.conversation_id)
            if over.filter(pk=parked.pk).update(state=ParkedState.EXPIRED, decided_at=now):
                rows.touch(change, conversation)
    return len(due)


def _decide(parked: ParkedReply, user: User, state: ParkedState) -> None:
    """Decide once, even if two agents click at the same moment. Raises ReplyError."""
    waiting = ParkedReply.objects.filter(pk=parked.pk, state=ParkedState.WAITING)
    if not waiting.update(state=state, decided_by=user, decided_at=timezone.now()):
        raise ReplyError("already_decided", reasons.refusal("already_decided"))
