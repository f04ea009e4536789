"""Handles WeChat's limit on a whole bot, which refuses replies to all contacts.

It is recognised by WeChat's words ("rate limited"), or by refusals for several contacts in a short
time without another explanation. The session's queued replies then wait until a given time. One is
sent as a trial; when it is accepted, the others follow. Nothing here calls WeChat.
"""

import re
from datetime import datetime, timedelta

from django.utils import timezone

from messaging.conversations import rows
from messaging.models import Conversation, Message, MessageStatus, SendAttempt
from messaging.reply_window.pace import QUIET
from sessions_app.database.waits import is_over
from sessions_app.models import Session, SessionEvent
from sessions_app.realtime.streams import Change, wake_workers
from sessions_app.sessions.services import touch
from sessions_app.team_settings.limits import TeamSettings

THROTTLED = "throttled"
"""Code of a queued reply that waits for the end of the throttle."""
UNEXPLAINED = ("rate_limited", "wechat_says", "no_reason")
"""Outcomes of refused tries that the contact's own figures do not explain."""
SEVERAL = 2
SHORT_TIME = timedelta(minutes=2)
LONGEST = timedelta(minutes=30)
TRIAL = timedelta(seconds=60)
"""How long to wait for the trial's answer before the next reply may go."""
TOLD = 100
"""Number of conversations whose open pages are updated at once."""

_WORDS = re.compile(
    r"rate.{0,3}limit|limit.{0,12}rate|too (many|frequent|fast|often)|frequen|throttl"
    r"|freq.{0,3}limit|slow down|频繁|頻繁|频率|过快|太快|限流|限频",
    re.IGNORECASE,
)


def says_so(words: str) -> bool:
    """True if WeChat's words mention a rate limit."""
    return bool(_WORDS.search(words))


def judge(
    change: Change,
    session: Session,
    *,
    code: str,
    words: str,
    started_at: datetime,
    limits: TeamSettings,
) -> None:
    """After a refusal, hold the session's replies if the cause is not one contact.

    `started_at`: when the refused reply was sent. The caller holds the session's lock and has
    recorded the outcome.
    """
    now = timezone.now()
    if session.throttled_at is not None and started_at < session.throttled_at:
        return  # it was sent before the hold began
    if code not in UNEXPLAINED:
        if session.throttled_until is not None:  # the trial proved nothing: try the next one
            Session.objects.filter(pk=session.pk).update(throttled_until=now)
            wake_workers()
        return
    is_clear = session.throttled_until is not None or code == "rate_limited"
    if is_clear or _people_refused(session, now) >= SEVERAL:
        _begin_or_go_on(change, session, words, now, limits)


def _people_refused(session: Session, now: datetime) -> int:
    """Number of contacts with refused replies lately and no accepted one since."""
    tries = SendAttempt.objects.filter(
        message__session=session, outcome__in=UNEXPLAINED, finished_at__gt=now - SHORT_TIME
    )
    if session.last_sent_at is not None:
        tries = tries.filter(finished_at__gt=session.last_sent_at)
    return tries.values("message__conversation").distinct().count()


def _begin_or_go_on(
    change: Change, session: Session, words: str, now: datetime, limits: TeamSettings
) -> None:
    wait = min(LONGEST, (limits.pace_span + QUIET) * 2**session.throttle_count)
    begins = session.throttled_until is None
    session.throttled_at = now if begins else session.throttled_at
    session.throttled_until = now + wait
    session.throttle_count = min(session.throttle_count + 1, 10)
    session.throttle_words = words[:400] or session.throttle_words
    session.save(
        update_fields=["throttled_at", "throttled_until", "throttle_count", "throttle_words"]
    )
    if begins:
        _note(session, SessionEvent.Kind.THROTTLED, words)
    _tell(change, session)


def accepted(change: Change, session: Session, started_at: datetime) -> None:
    """A reply sent during the hold was accepted: release the others.

    The caller holds the session's lock.
    """
    if session.throttled_at is not None and started_at >= session.throttled_at:
        _release(change, session)


def explained(change: Change, session: Session) -> None:
    """A refusal got another explanation: release the replies if the hold had no other cause.

    The caller holds the session's lock and has recorded the outcome.
    """
    if session.throttled_at is None:
        return
    tries = SendAttempt.objects.filter(
        message__session=session,
        outcome__in=UNEXPLAINED,
        finished_at__gt=session.throttled_at - SHORT_TIME,
    )
    people = tries.values("message__conversation").distinct().count()
    if people < SEVERAL and not tries.filter(outcome="rate_limited").exists():
        _release(change, session)


def _release(change: Change, session: Session) -> None:
    session.throttled_at = session.throttled_until = None
    session.throttle_words, session.throttle_count = "", 0
    session.save(
        update_fields=["throttled_at", "throttled_until", "throttle_count", "throttle_words"]
    )
    held = Message.objects.filter(
        session=session, status=MessageStatus.QUEUED, error_code=THROTTLED
    )
    held.update(error_code="", error_detail="", next_try_at=None)
    _note(session, SessionEvent.Kind.FLOWING, "")
    _tell(change, session)
    wake_workers()


def _note(session: Session, kind: SessionEvent.Kind, words: str) -> None:
    SessionEvent.objects.create(session=session, kind=kind, detail=words[:400])


def _tell(change: Change, session: Session) -> None:
    """Update the board and the composers of the most recently active conversations."""
    touch(change, session)
    conversations = Conversation.objects.filter(session=session).order_by("-last_at", "-pk")
    for conversation in conversations[:TOLD]:
        rows.touch(change, conversation)


def hold_back(message: Message, *, now: datetime) -> bool:
    """Make a held session's reply wait and show until when. True: it waits.

    When the time has come, the first reply is sent as the trial and the others wait for its
    answer. The caller holds the session's lock. A reply that overrides limits never waits.
    """
    session = message.session
    until = session.throttled_until
    if until is None or message.overrides_limits or message.status != MessageStatus.QUEUED:
        return False
    if is_over(until, now):
        Session.objects.filter(pk=session.pk).update(throttled_until=now + TRIAL)
        return False
    queued = Message.objects.filter(pk=message.pk, status=MessageStatus.QUEUED)
    held = {"error_code": THROTTLED, "error_detail": session.throttle_words, "next_try_at": until}
    return bool(queued.update(**held))
