"""The queue of replies as rows: claim one, commit `sending`, record the result.

`sending` is committed before the first byte leaves. Such a row returns to the queue only if the
connection shows that no byte left. Nothing here calls WeChat.
"""

import logging
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError
from django.db.models import Exists, QuerySet
from django.utils import timezone

from messaging.conversations import rows
from messaging.conversations.standing import show_standing
from messaging.delivering import locking, outcomes, queue, throttle
from messaging.delivering.locking import LockedReply
from messaging.delivering.outgoing import SentFile, sent_file
from messaging.delivering.settling import settle
from messaging.models import Direction, Message, MessageStatus, SendAttempt
from messaging.receiving import doubts
from messaging.reply_window import quota
from messaging.reply_window.pace import hold_back
from messaging.reply_window.reply_route import OVERRIDABLE
from messaging.reply_window.routes import candidate
from sessions_app.database.encryption import DecryptionError, decrypt
from sessions_app.models import WorkerBeat
from sessions_app.realtime.streams import announcing
from sessions_app.sessions import leases
from sessions_app.team_settings.limits import team_settings

logger = logging.getLogger(__name__)

RETRY_S = (2, 2, 30, 30)
"""Seconds to wait after tries in which no byte left. After the last one the message fails."""
AT_ONCE_PER_SESSION = 2
"""Limited, so that a throttled bot does not waste a try in every conversation."""

CLOCK_SKEW = timedelta(seconds=1)
"""How far our clock and WeChat's, which dates the messages, may be apart."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One message to send once, with this client id."""

    message_id: int
    conversation_id: int
    session_id: int
    generation: int
    base_url: str
    bot_token: str
    to_user_id: str
    context_token: str
    client_id: str
    text: str
    file: SentFile | None = None
    trace_id: str = ""
    waits_since: datetime | None = None
    """When it could first have left: its post, or the end of its undo time.

    None for one that a member sends again: nobody measures how long that decision took.
    """


def claim_next(worker_id: str, *, limit: int) -> list[Claim]:
    """Claim messages that may be sent now. Each is committed as `sending` before it is returned."""
    claims: list[Claim] = []
    now = timezone.now()
    sending = queue.under_way(now)
    ready = queue.ready(now).values_list(
        "id", "conversation_id", "session_id", "session__throttled_until"
    )
    for pk, conversation_id, session_id, throttled_until in list(ready[: limit * 4]):
        if len(claims) == limit:
            break
        if sending[session_id] >= AT_ONCE_PER_SESSION:
            continue
        try:
            claim = _claim(
                worker_id, pk, conversation_id, session_id, is_held=throttled_until is not None
            )
        except ObjectDoesNotExist:
            continue  # its person was forgotten meanwhile
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


def _claim(
    worker_id: str, message_id: int, conversation_id: int, session_id: int, *, is_held: bool
) -> Claim | None:
    """`is_held`: WeChat limits the session, and the claim may be the trial."""
    client_id = f"weilink-{uuid.uuid4().hex}"
    with announcing() as change:
        reply = locking.lock(message_id, conversation_id, session_id, writes_session=is_held)
        message, now = reply.message, timezone.now()
        if throttle.hold_back(message, now=now) or hold_back(
            message, now=now, limits=team_settings()
        ):
            rows.touch(change, message.conversation, message)
            return None
        # A worker that was declared dead must not send, since nobody would own its claim.
        if not leases.is_known(worker_id):
            return None
        queued = Message.objects.filter(pk=message_id, status=MessageStatus.QUEUED)
        waits_since = _waits_since(message)
        as_claimed = {
            "status": MessageStatus.SENDING,
            "claimed_by": worker_id,
            "client_id": client_id,
            "error_code": "",
            "error_detail": "",
        }
        if queued.exclude(Exists(queue.on_the_wire())).update(**as_claimed) != 1:
            return None
        for name, value in as_claimed.items():
            setattr(message, name, value)
        claim, problem = _prepare(reply, waits_since)
        if claim is None:
            settle(change, reply, MessageStatus.FAILED, problem, holds=True, give_back=True)
            return None
        SendAttempt.objects.create(message=message, client_id=client_id)
        rows.touch(change, message.conversation, message)
    return claim


def _waits_since(message: Message) -> datetime | None:
    is_sent_again = bool(message.client_id) and message.next_try_at is None
    return None if is_sent_again else message.release_at or message.created_at


def _prepare(reply: LockedReply, waits_since: datetime | None) -> tuple[Claim | None, str]:
    """Everything needed for sending, or the code of what prevents it."""
    message, context = reply.message, reply.context
    if context is None or not context.encrypted_token:
        return None, "no_context"
    problem = candidate(context).refusal(timezone.now(), cost=0)
    if problem and not (message.overrides_limits and problem in OVERRIDABLE):
        return None, problem
    session = message.session
    try:
        bot_token, context_token = session.token, decrypt(context.encrypted_token)
        file, problem = sent_file(message, timezone.now())
    except DecryptionError:
        return None, "sealed"
    if problem:
        return None, problem
    claim = Claim(
        message_id=message.pk,
        conversation_id=message.conversation_id,
        session_id=session.pk,
        generation=session.generation,
        base_url=session.base_url,
        bot_token=bot_token,
        to_user_id=context.user_id,
        context_token=context_token,
        client_id=message.client_id,
        text=message.text,
        file=file,
        trace_id=message.trace_id or "",
        waits_since=waits_since,
    )
    return claim, ""


def mark_sent(claim: Claim, *, wire_id: str | None) -> None:
    """WeChat accepted the message. Without an id in the answer it has no receipt."""
    with announcing() as change:
        reply = _lock_claimed(claim, writes_session=True, uses_context=False)
        message, session = reply.message, reply.message.session
        if _is_open(message, claim):
            status = MessageStatus.SENT if wire_id else MessageStatus.UNCONFIRMED
            message.wire_id = (wire_id or "")[:40]
            settle(change, reply, status, "" if wire_id else "no_id")
        elif not _close_attempt(claim, MessageStatus.SENT if wire_id else "no_id"):
            return
        # An echo may have come first, but the answer still says something about the session.
        session.last_sent_at = timezone.now()
        session.gives_receipts = session.gives_receipts or bool(wire_id)
        session.save(update_fields=["last_sent_at", "gives_receipts"])
        if session.throttled_at is not None:
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
        reply = _lock_claimed(claim, writes_session=True)
        message, context = reply.message, reply.context
        if not _is_open(message, claim):
            _close_attempt(claim, "refused")
            return
        is_crossed = _is_crossed(reply, claim)
        code = outcomes.code_of(
            message,
            context,
            claim.generation,
            wire_code=wire_code,
            words=detail,
            is_crossed=is_crossed,
        )
        if code == "refused":  # the file may be the cause: a retry uploads it again
            message.attachments.update(uploaded_at=None)
        settle(change, reply, MessageStatus.FAILED, code, detail, holds=True)
        if code == doubts.IN_DOUBT:
            doubts.begin(change, claim.session_id, claim.generation)
            return
        if context is not None and not is_crossed:
            context.refused_at = timezone.now()
            context.save(update_fields=["refused_at"])
        throttle.judge(
            change,
            message.session,
            code=code,
            words=detail,
            started_at=_started_at(claim),
            limits=team_settings(),
        )


def explain_refusal(claim: Claim) -> None:
    """Look at a refusal again, a moment later: the message that explains it may have come since."""
    with announcing() as change:
        reply = _lock_claimed(claim, writes_session=True)
        message = reply.message
        unexplained = message.attempts.filter(
            client_id=claim.client_id, outcome__in=throttle.UNEXPLAINED
        )
        if not unexplained.exists() or not _is_crossed(reply, claim):
            return
        unexplained.update(outcome=outcomes.TOKEN_REPLACED)
        if message.client_id == claim.client_id and message.status == MessageStatus.FAILED:
            message.error_code = outcomes.TOKEN_REPLACED
            message.save(update_fields=["error_code"])
            rows.touch(change, message.conversation, message)
        throttle.explained(change, message.session)


def mark_broken(claim: Claim, *, detail: str) -> None:
    """Bytes may have left and no readable answer came: an agent decides."""
    with announcing() as change:
        reply = _lock_claimed(claim, uses_context=False)
        if not _is_open(reply.message, claim):
            _close_attempt(claim, "line_broken")
            return
        settle(change, reply, MessageStatus.UNCONFIRMED, "line_broken", detail, holds=True)


def put_back(claim: Claim, *, code: str, detail: str) -> None:
    """No byte left: queue it again. After the last retry, fail it and give the count back."""
    with announcing() as change:
        reply = _lock_claimed(claim)
        message = reply.message
        if not _is_open(message, claim):
            return
        tries = message.attempts.count()
        counts = _counts_on_claim(reply, claim)
        # If it is already shown as unconfirmed, it is never sent again automatically.
        if tries > len(RETRY_S) or message.status == MessageStatus.UNCONFIRMED:
            settle(change, reply, MessageStatus.FAILED, code, detail, holds=True, give_back=counts)
            return
        message.attempts.filter(client_id=claim.client_id).update(
            finished_at=timezone.now(), outcome=code
        )
        if not counts:
            quota.count_again(message.conversation, reply.context)
        message.status, message.claimed_by = MessageStatus.QUEUED, ""
        message.error_code, message.error_detail = code, detail[:400]
        message.next_try_at = timezone.now() + timedelta(seconds=RETRY_S[tries - 1])
        message.save(
            update_fields=["status", "claimed_by", "error_code", "error_detail", "next_try_at"]
        )
        show_standing(change, message.conversation)
        rows.touch(change, message.conversation, message)


def fail_queued(message_id: int, *, code: str, detail: str) -> bool:
    """Fail a message whose file cannot be uploaded; an agent decides. False: it is not queued."""
    with announcing() as change:
        around = Message.objects.filter(pk=message_id).values_list("conversation_id", "session_id")
        reply = locking.lock(message_id, *around.get())
        if reply.message.status != MessageStatus.QUEUED:
            return False
        settle(change, reply, MessageStatus.FAILED, code, detail, holds=True, give_back=True)
    return True


def hand_back(claim: Claim) -> None:
    """Return a claim to the queue unchanged, as the worker stops before the first byte."""
    with announcing() as change:
        reply = _lock_claimed(claim)
        message = reply.message
        if not _is_open(message, claim) or message.status != MessageStatus.SENDING:
            return
        if not _counts_on_claim(reply, claim):
            quota.count_again(message.conversation, reply.context)
        message.attempts.filter(client_id=claim.client_id).delete()
        message.status, message.claimed_by, message.client_id = MessageStatus.QUEUED, "", ""
        message.save(update_fields=["status", "claimed_by", "client_id"])
        show_standing(change, message.conversation)
        rows.touch(change, message.conversation, message)


def disown_lost() -> int:
    """Mark `sending` rows of dead workers as unconfirmed; they are never queued again."""
    alive = WorkerBeat.objects.values("pk")
    sending = Message.objects.filter(queue.UNDER_WAY, status=MessageStatus.SENDING)
    return disown(sending.exclude(claimed_by__in=alive), code="worker_lost")


def disown(lost: QuerySet[Message], *, code: str) -> int:
    """Mark replies that may have been sent as unconfirmed, for this reason. How many were found."""
    found = list(lost.order_by("id").values_list("pk", "conversation_id", "session_id"))
    for pk, conversation_id, session_id in found:
        with announcing() as change:
            reply = locking.lock(pk, conversation_id, session_id, uses_context=False)
            # Its worker may live after all and have written its answer down in this moment.
            if lost.filter(pk=pk).exists():
                settle(change, reply, MessageStatus.UNCONFIRMED, code, holds=True)
    return len(found)


def _lock_claimed(
    claim: Claim, *, writes_session: bool = False, uses_context: bool = True
) -> LockedReply:
    return locking.lock(
        claim.message_id,
        claim.conversation_id,
        claim.session_id,
        writes_session=writes_session,
        uses_context=uses_context,
    )


def _is_open(message: Message, claim: Claim) -> bool:
    """Whether the fate of this try is still open: an echo or an agent may have settled it.

    Disowned while its worker lived after all, it is open until an agent decides.
    """
    disowned = (MessageStatus.UNCONFIRMED, "worker_lost", True)
    state = (message.status, message.error_code, message.holds_queue)
    is_open = message.status == MessageStatus.SENDING or state == disowned
    return is_open and message.client_id == claim.client_id


def _is_crossed(reply: LockedReply, claim: Claim) -> bool:
    """Whether the contact wrote before WeChat's answer, and we heard of it after the claim.

    The token that the reply was sent with was then no longer the newest.
    """
    if reply.context is None or _counts_on_claim(reply, claim):
        return False
    [tried] = reply.message.attempts.filter(client_id=claim.client_id)
    heard = Message.objects.filter(
        conversation=reply.message.conversation,
        direction=Direction.IN,
        stored_at__gte=tried.started_at - CLOCK_SKEW,
        created_at__lte=(tried.finished_at or timezone.now()) + CLOCK_SKEW,
    )
    return heard.exists()


def _counts_on_claim(reply: LockedReply, claim: Claim) -> bool:
    """True if the reply counts against the token it was claimed with, not a newer one."""
    try:
        return reply.context is not None and reply.context.token == claim.context_token
    except DecryptionError:
        return False
