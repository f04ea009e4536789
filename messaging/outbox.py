"""The queue of replies as rows: claim one, commit `sending`, write down what became of it.

`sending` is committed before the first byte leaves; a row in it never goes back to the queue by
itself, unless the wire says that no byte left. Nothing here calls WeChat.
"""

import logging
import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db import DatabaseError
from django.db.models import F, Q
from django.utils import timezone

from messaging import counting, queue
from messaging.media.outgoing import SentFile, sent_file
from messaging.models import Conversation, Message, MessageStatus, SendAttempt
from messaging.pace import hold_back
from messaging.reply_route import OVERRIDABLE, Candidate, likely_cause
from sessions_app import leases
from sessions_app.models import Context, Session, SessionState, WorkerBeat
from sessions_app.realtime import Change, announcing
from sessions_app.sealed import SealedError, unseal
from sessions_app.services import record_state
from sessions_app.team_settings import team_settings

logger = logging.getLogger(__name__)

RETRY_S = (2, 2, 30, 30)
"""Waits after tries from which no byte left; the next one fails the message."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One message to send, once, with this client id."""

    message_id: int
    session_id: int
    generation: int
    base_url: str
    bot_token: str
    to_user_id: str
    context_token: str
    client_id: str
    text: str
    file: SentFile | None = None


def claim_next(worker_id: str, *, limit: int) -> list[Claim]:
    """Claim what may go now; each claim is committed as `sending` before it is returned."""
    claims: list[Claim] = []
    for pk in list(queue.ready(timezone.now()).values_list("id", flat=True)[:limit]):
        try:
            claim = _claim(worker_id, pk)
        except DatabaseError:
            if not claims:
                raise
            # What is claimed already must be sent: nobody else may.
            logger.exception("message %s could not be claimed", pk)
            break
        if claim is not None:
            claims.append(claim)
    return claims


def _claim(worker_id: str, message_id: int) -> Claim | None:
    client_id = f"weilink-{uuid.uuid4().hex}"
    with announcing() as change:
        _lock_around(message_id)
        message = _whole(message_id)
        if hold_back(message, now=timezone.now(), limits=team_settings()):
            _touch(change, message)
            return None
        # A worker that was declared dead must not send: nobody would own its claim.
        if not leases.is_known(worker_id):
            return None
        queued = Message.objects.filter(pk=message_id, status=MessageStatus.QUEUED)
        mine = queued.update(
            status=MessageStatus.SENDING,
            claimed_by=worker_id,
            client_id=client_id,
            error_code="",
            error_detail="",
        )
        if mine != 1:
            return None
        message = _whole(message_id)
        claim, problem = _prepare(message, client_id)
        if claim is None:
            _settle(change, message, MessageStatus.FAILED, problem, holds=True, give_back=True)
            return None
        SendAttempt.objects.create(message=message, client_id=client_id)
        _touch(change, message)
    return claim


def lock_thread(thread_id: int) -> Conversation:
    """The thread, locked: every transaction that writes a message of it starts here."""
    return Conversation.objects.select_for_update(no_key=True).get(pk=thread_id)


def lock_context(message: Message) -> Context | None:
    """The context whose count the message uses, locked after its thread."""
    user_id = message.conversation.contact.user_id
    rows = Context.objects.select_for_update(no_key=True)
    return rows.filter(session=message.session_id, user_id=user_id).first()


def _lock_around(message_id: int, *, session_id: int | None = None) -> None:
    """Session (where it is written too), thread, context: before the message itself."""
    if session_id is not None:
        Session.objects.select_for_update(no_key=True).filter(pk=session_id).first()
    message = _whole(message_id)
    lock_thread(message.conversation_id)
    lock_context(message)


def _whole(message_id: int) -> Message:
    rows = Message.objects.select_related("session", "conversation__contact")
    return rows.get(pk=message_id)


def _prepare(message: Message, client_id: str) -> tuple[Claim | None, str]:
    """Everything the wire needs, or why this message cannot leave now."""
    session, user_id = message.session, message.conversation.contact.user_id
    rows = Context.objects.filter(session=session, user_id=user_id).select_related("session")
    context = rows.first()
    if context is None or not context.sealed_token:
        return None, "no_context"
    problem = candidate(context).refusal(timezone.now(), cost=0)
    if problem and not (message.overrides_limits and problem in OVERRIDABLE):
        return None, problem
    try:
        bot_token, context_token = session.token, unseal(context.sealed_token)
        file, problem = sent_file(message, timezone.now())
    except SealedError:
        return None, "sealed"
    if problem:
        return None, problem
    claim = Claim(
        message_id=message.pk,
        session_id=session.pk,
        generation=session.generation,
        base_url=session.base_url,
        bot_token=bot_token,
        to_user_id=user_id,
        context_token=context_token,
        client_id=client_id,
        text=message.text,
        file=file,
    )
    return claim, ""


def candidate(context: Context) -> Candidate:
    """A context row as `reply_route` sees it."""
    limits = team_settings()
    return Candidate(
        session_id=context.session_id,
        name=context.session.name,
        may_send=context.session.may_send,
        has_token=bool(context.sealed_token),
        received_at=context.received_at,
        replies_used=context.replies_used,
        window=limits.window,
        limit=limits.replies_per_token,
    )


def mark_sent(claim: Claim, *, wire_id: str | None) -> None:
    """WeChat answered: with an id it is taken, without one it is taken with no receipt."""
    with announcing() as change:
        message = _claimed(claim, writes_session=True)
        if message is None:
            return
        status = MessageStatus.SENT if wire_id else MessageStatus.UNCONFIRMED
        message.wire_id = (wire_id or "")[:40]
        _settle(change, message, status, "" if wire_id else "no_id")
        now = timezone.now()
        columns: dict[str, object] = {"last_sent_at": now}
        if wire_id:
            columns["gives_receipts"] = True
        Session.objects.filter(pk=claim.session_id).update(**columns)


def mark_refused(claim: Claim, *, wire_code: int, detail: str) -> None:
    """WeChat said no. The reply stays counted; our display learns, the settings do not."""
    with announcing() as change:
        message = _claimed(claim, writes_session=True)
        if message is None:
            return
        code = _cause(message) if wire_code == -2 else "refused"
        if wire_code == -14:
            code, detail = "session_offline", message.session.name
        if code == "refused":  # perhaps it was the file: a retry uploads it again
            message.attachments.update(uploaded_at=None)
        _settle(change, message, MessageStatus.FAILED, code, detail, holds=True)
        Context.objects.filter(session=claim.session_id, user_id=claim.to_user_id).update(
            refused_at=timezone.now()
        )
        if wire_code == -14:
            expire(change, claim.session_id, claim.generation)


def expire(change: Change, session_id: int, generation: int) -> None:
    """The token of this binding is dead. A newer binding is not touched."""
    rows = Session.objects.select_for_update(no_key=True)
    session = rows.filter(pk=session_id, generation=generation).first()
    if session is None or session.state == SessionState.EXPIRED or not session.sealed_token:
        return
    record_state(change, session, SessionState.EXPIRED, code="signed_out")


def mark_broken(claim: Claim, *, detail: str) -> None:
    """Bytes may have left and no readable answer came: an agent decides."""
    with announcing() as change:
        message = _claimed(claim)
        if message is not None:
            _settle(change, message, MessageStatus.UNCONFIRMED, "line_broken", detail, holds=True)


def put_back(claim: Claim, *, code: str, detail: str) -> None:
    """No byte left: queue it again for a while, then fail it and give the count back."""
    with announcing() as change:
        message = _claimed(claim)
        if message is None:
            return
        tries = message.attempts.count()
        counts = _counts_on_claim(message, claim)
        message.attempts.filter(client_id=claim.client_id).update(
            finished_at=timezone.now(), outcome=code
        )
        # Shown as unconfirmed already, it never goes again by itself.
        if tries > len(RETRY_S) or message.status == MessageStatus.UNCONFIRMED:
            _settle(
                change, message, MessageStatus.FAILED, code, detail, holds=True, give_back=counts
            )
            return
        if not counts:
            _count_again(message)
        Message.objects.filter(pk=message.pk).update(
            status=MessageStatus.QUEUED,
            claimed_by="",
            error_code=code,
            error_detail=detail[:400],
            next_try_at=timezone.now() + timedelta(seconds=RETRY_S[tries - 1]),
        )
        _touch(change, message)


def fail_queued(message_id: int, *, code: str, detail: str) -> bool:
    """A queued message whose file cannot be uploaded: an agent decides. False: not queued now."""
    with announcing() as change:
        _lock_around(message_id)
        message = _whole(message_id)
        if message.status != MessageStatus.QUEUED:
            return False
        _settle(change, message, MessageStatus.FAILED, code, detail, holds=True, give_back=True)
    return True


def hand_back(claim: Claim) -> None:
    """The worker stops before the first byte: queued, as if it had never been claimed."""
    with announcing() as change:
        message = _claimed(claim)
        if message is None or message.status != MessageStatus.SENDING:
            return
        if not _counts_on_claim(message, claim):
            _count_again(message)
        message.attempts.filter(client_id=claim.client_id).delete()
        Message.objects.filter(pk=message.pk).update(
            status=MessageStatus.QUEUED, claimed_by="", client_id=""
        )
        _touch(change, message)


def disown_lost() -> int:
    """`sending` rows of workers that are gone: unconfirmed, never queued again."""
    alive = WorkerBeat.objects.values("pk")
    lost = Message.objects.filter(status=MessageStatus.SENDING).exclude(claimed_by__in=alive)
    ids = list(lost.values_list("pk", flat=True))
    for pk in ids:
        with announcing() as change:
            _lock_around(pk)
            # Its worker may live after all and write its answer down in this moment.
            if lost.select_for_update(of=("self",), no_key=True).filter(pk=pk).exists():
                message = _whole(pk)
                _settle(change, message, MessageStatus.UNCONFIRMED, "worker_lost", holds=True)
    return len(ids)


def _claimed(claim: Claim, *, writes_session: bool = False) -> Message | None:
    """The row, locked, if its fate is still open: an echo or an agent may have settled it.

    Disowned while its worker lived after all, it is open until an agent decides.
    """
    _lock_around(claim.message_id, session_id=claim.session_id if writes_session else None)
    disowned = Q(status=MessageStatus.UNCONFIRMED, error_code="worker_lost", holds_queue=True)
    rows = Message.objects.select_for_update(no_key=True).filter(
        Q(status=MessageStatus.SENDING) | disowned, pk=claim.message_id, client_id=claim.client_id
    )
    return _whole(claim.message_id) if rows.exists() else None


def _counts_on_claim(message: Message, claim: Claim) -> bool:
    """Whether the reply is counted on the token it was claimed with: a newer counts anew."""
    context = lock_context(message)
    try:
        return context is not None and context.token == claim.context_token
    except SealedError:
        return False


def _count_again(message: Message) -> None:
    """It will go out on the newer token, whose count was begun without it."""
    context = lock_context(message)
    if context is not None:
        rows = Context.objects.filter(pk=context.pk)
        rows.update(replies_used=F("replies_used") + 1, unfiled=True)
        counting.show_count(message.conversation, message.session_id)


def _cause(message: Message) -> str:
    context = (
        Context.objects.filter(
            session=message.session, user_id=message.conversation.contact.user_id
        )
        .select_related("session")
        .first()
    )
    now, limits = timezone.now(), team_settings()
    recent = SendAttempt.objects.filter(
        message__conversation=message.conversation, started_at__gt=now - limits.pace_span
    )
    return likely_cause(
        text=message.text,
        used_before=max(0, context.replies_used - 1) if context else 0,
        closes_at=candidate(context).closes_at() if context else None,
        recent_sends=recent.count(),
        now=now,
        limits=limits,
    )


def _settle(
    change: Change,
    message: Message,
    status: MessageStatus,
    code: str = "",
    detail: str = "",
    *,
    holds: bool = False,
    give_back: bool = False,
) -> None:
    now = timezone.now()
    message.status = status
    message.error_code, message.error_detail = code, detail[:400]
    message.holds_queue, message.settled_at = holds, now
    message.claimed_by, message.next_try_at = "", None
    message.save(
        update_fields=[
            "status", "error_code", "error_detail", "holds_queue", "settled_at",
            "claimed_by", "next_try_at", "wire_id",
        ]
    )  # fmt: skip
    SendAttempt.objects.filter(message=message, client_id=message.client_id).update(
        finished_at=now, outcome=code or status
    )
    if give_back:
        counting.give_count_back(message)
    if status == MessageStatus.FAILED:
        counting.show_waiting(message.conversation)
    _touch(change, message)


def _touch(change: Change, message: Message) -> None:
    thread = message.conversation
    topic = f"conversation:{thread.pk}"
    change.touch(message, f"team:{thread.team_id}", topic)
    change.touch(thread, f"team:{thread.team_id}", topic)
