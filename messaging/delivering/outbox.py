"""The queue of replies as rows: claim one, commit `sending`, record the result.

`sending` is committed before the first byte leaves. Such a row returns to the queue only if the
connection shows that no byte left. Nothing here calls WeChat.
"""

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DatabaseError
from django.db.models import Exists, F, Q
from django.utils import timezone

from messaging.conversations.standing import show_standing
from messaging.delivering import outcomes, queue, throttle
from messaging.delivering.outgoing import SentFile, sent_file
from messaging.models import Conversation, Message, MessageStatus, SendAttempt
from messaging.receiving import doubts
from messaging.reply_window import quota
from messaging.reply_window.pace import hold_back
from messaging.reply_window.reply_route import OVERRIDABLE
from messaging.reply_window.routes import candidate
from sessions_app.database.encryption import DecryptionError, decrypt
from sessions_app.models import Context, Session, WorkerBeat
from sessions_app.realtime.streams import Change, announcing
from sessions_app.sessions import leases
from sessions_app.team_settings.limits import team_settings

logger = logging.getLogger(__name__)

RETRY_S = (2, 2, 30, 30)
"""Seconds to wait after tries in which no byte left. After the last one the message fails."""
AT_ONCE_PER_SESSION = 2
"""Limited, so that a throttled bot does not waste a try in every conversation."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One message to send once, with this client id."""

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
    """Claim messages that may be sent now. Each is committed as `sending` before it is returned."""
    claims: list[Claim] = []
    now = timezone.now()
    sending = queue.under_way(now)
    ready = queue.ready(now).values_list("id", "session_id", "session__throttled_until")
    for pk, session_id, throttled_until in list(ready[: limit * 4]):
        if len(claims) == limit:
            break
        if sending[session_id] >= AT_ONCE_PER_SESSION:
            continue
        try:
            held = {"held_session_id": session_id} if throttled_until else {}
            claim = _claim(worker_id, pk, **held)
        except DatabaseError:
            if not claims:
                raise
            # The messages claimed so far must be sent, as nobody else may.
            logger.exception("message %s could not be claimed", pk)
            break
        if claim is not None:
            claims.append(claim)
            sending[session_id] += 1
    return claims


def _claim(worker_id: str, message_id: int, *, held_session_id: int | None = None) -> Claim | None:
    """`held_session_id`: the session, where WeChat limits it and the claim may be the trial."""
    client_id = f"weilink-{uuid.uuid4().hex}"
    with announcing() as change:
        _lock_around(message_id, session_id=held_session_id)
        message = _whole(message_id)
        now = timezone.now()
        if throttle.hold_back(message, now=now) or hold_back(
            message, now=now, limits=team_settings()
        ):
            _touch(change, message)
            return None
        # A worker that was declared dead must not send, since nobody would own its claim.
        if not leases.is_known(worker_id):
            return None
        queued = Message.objects.filter(pk=message_id, status=MessageStatus.QUEUED)
        mine = queued.exclude(Exists(queue.on_the_wire())).update(
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


def lock_conversation(thread_id: int) -> Conversation:
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
    lock_conversation(message.conversation_id)
    lock_context(message)


def _whole(message_id: int) -> Message:
    rows = Message.objects.select_related("session", "conversation__contact")
    return rows.get(pk=message_id)


def _prepare(message: Message, client_id: str) -> tuple[Claim | None, str]:
    """Everything the wire needs, or why this message cannot leave now."""
    session, user_id = message.session, message.conversation.contact.user_id
    rows = Context.objects.filter(session=session, user_id=user_id).select_related("session")
    context = rows.first()
    if context is None or not context.encrypted_token:
        return None, "no_context"
    problem = candidate(context).refusal(timezone.now(), cost=0)
    if problem and not (message.overrides_limits and problem in OVERRIDABLE):
        return None, problem
    try:
        bot_token, context_token = session.token, decrypt(context.encrypted_token)
        file, problem = sent_file(message, timezone.now())
    except DecryptionError:
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


def mark_sent(claim: Claim, *, wire_id: str | None) -> None:
    """WeChat accepted the message. Without an id in the answer it has no receipt."""
    with announcing() as change:
        message = _claimed(claim, writes_session=True)
        if message is not None:
            status = MessageStatus.SENT if wire_id else MessageStatus.UNCONFIRMED
            message.wire_id = (wire_id or "")[:40]
            _settle(change, message, status, "" if wire_id else "no_id")
        elif not _close_attempt(claim, MessageStatus.SENT if wire_id else "no_id"):
            return
        # An echo may have come first: what the answer says of the session is news all the same.
        session = Session.objects.get(pk=claim.session_id)
        session.last_sent_at = timezone.now()
        session.gives_receipts = session.gives_receipts or bool(wire_id)
        session.save(update_fields=["last_sent_at", "gives_receipts"])
        throttle.accepted(change, session, _started_at(claim))


def _close_attempt(claim: Claim, outcome: str) -> bool:
    """Record the answer of an attempt whose message was settled otherwise meanwhile."""
    tries = SendAttempt.objects.filter(client_id=claim.client_id, finished_at=None)
    return bool(tries.update(finished_at=timezone.now(), outcome=outcome))


def _started_at(claim: Claim) -> datetime:
    tries = SendAttempt.objects.filter(client_id=claim.client_id)
    return tries.values_list("started_at", flat=True).first() or timezone.now()


def mark_refused(claim: Claim, *, wire_code: int, detail: str) -> None:
    """WeChat refused the message. It still counts against the quota.

    `detail`: WeChat's own words, "" if there are none.
    """
    with announcing() as change:
        message = _claimed(claim, writes_session=True)
        if message is None:
            _close_attempt(claim, "refused")
            return
        code = outcomes.code_of(message, claim.generation, wire_code=wire_code, words=detail)
        if code == "refused":  # perhaps it was the file: a retry uploads it again
            message.attachments.update(uploaded_at=None)
        _settle(change, message, MessageStatus.FAILED, code, detail, holds=True)
        if code == doubts.IN_DOUBT:
            doubts.begin(change, claim.session_id, claim.generation)
            return
        Context.objects.filter(session=claim.session_id, user_id=claim.to_user_id).update(
            refused_at=timezone.now()
        )
        throttle.judge(
            change,
            Session.objects.get(pk=claim.session_id),
            code=code,
            words=detail,
            started_at=_started_at(claim),
            limits=team_settings(),
        )


def mark_broken(claim: Claim, *, detail: str) -> None:
    """Bytes may have left and no readable answer came: an agent decides."""
    with announcing() as change:
        message = _claimed(claim)
        if message is None:
            _close_attempt(claim, "line_broken")
            return
        _settle(change, message, MessageStatus.UNCONFIRMED, "line_broken", detail, holds=True)


def put_back(claim: Claim, *, code: str, detail: str) -> None:
    """No byte left: queue it again. After the last retry, fail it and give the count back."""
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
        show_standing(change, message.conversation)
        _touch(change, message)


def fail_queued(message_id: int, *, code: str, detail: str) -> bool:
    """Fail a message whose file cannot be uploaded; an agent decides. False: it is not queued."""
    with announcing() as change:
        _lock_around(message_id)
        message = _whole(message_id)
        if message.status != MessageStatus.QUEUED:
            return False
        _settle(change, message, MessageStatus.FAILED, code, detail, holds=True, give_back=True)
    return True


def hand_back(claim: Claim) -> None:
    """Return a claim to the queue unchanged, as the worker stops before the first byte."""
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
        show_standing(change, message.conversation)
        _touch(change, message)


def disown_lost() -> int:
    """Mark `sending` rows of dead workers as unconfirmed; they are never queued again."""
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
    except DecryptionError:
        return False


def _count_again(message: Message) -> None:
    """It will go out on the newer token, whose count was begun without it."""
    context = lock_context(message)
    if context is not None:
        rows = Context.objects.filter(pk=context.pk)
        rows.update(replies_used=F("replies_used") + 1, unfiled=True)
        quota.show_count(message.conversation, message.session_id)


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
    message.missing_receipt = code == "no_id" and message.session.gives_receipts
    message.claimed_by, message.next_try_at = "", None
    message.save(
        update_fields=[
            "status", "error_code", "error_detail", "holds_queue", "settled_at",
            "claimed_by", "next_try_at", "wire_id", "missing_receipt",
        ]
    )  # fmt: skip
    SendAttempt.objects.filter(message=message, client_id=message.client_id).update(
        finished_at=now, outcome=code or status
    )
    if give_back:
        quota.give_count_back(message)
    show_standing(change, message.conversation)
    _touch(change, message)


def _touch(change: Change, message: Message) -> None:
    conversation = message.conversation
    topic = f"conversation:{conversation.pk}"
    change.touch(message, f"team:{conversation.team_id}", topic)
    change.touch(conversation, f"team:{conversation.team_id}", topic)
