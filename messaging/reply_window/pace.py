"""WeChat's third limit: the number of messages to one contact in some minutes, then a pause.

Refused calls count, too. `pace_of` runs no queries; `pace_with` reads what it needs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from messaging.models import Message, MessageStatus, SendAttempt
from sessions_app.team_settings.limits import TeamSettings

NEAR = 3
QUIET = timedelta(minutes=1)
"""After WeChat refuses for pace, it accepts again 5 to 7 minutes later: the span plus this."""

# No byte left in these cases, so WeChat counted nothing.
_NEVER_LEFT = ("not_reached", "unsafe_host")


@dataclass(frozen=True, slots=True)
class Pace:
    """`opens_at`: when the next message may go; None: now. `near`: the limit is near."""

    sent: int
    limit: int
    opens_at: datetime | None

    @property
    def near(self) -> bool:
        return self.opens_at is not None or self.sent >= max(1, self.limit - NEAR)


def pace_of(
    sends: Sequence[datetime],
    *,
    refused_at: datetime | None,
    now: datetime,
    count: int,
    span: timedelta,
) -> Pace:
    """Computes the pace from all attempts to one contact and the last refusal for pace.

    What is far in the future was sent before this host's clock was set back, so it does not count.
    """
    recent = sorted(at for at in sends if now - span < at < now + span)
    opens_at = recent[-count] + span if len(recent) >= count else None
    if refused_at is not None and now - span - QUIET < refused_at < now + span:
        opens_at = max(opens_at or now, refused_at + span + QUIET)
    return Pace(len(recent), count, opens_at)


def pace_with(
    *, conversation_id: int, session_id: int, now: datetime, limits: TeamSettings
) -> Pace:
    """The pace of one session towards one conversation's contact. One query."""
    tries = SendAttempt.objects.filter(
        message__conversation=conversation_id,
        message__session=session_id,
        started_at__gt=now - limits.pace_span - QUIET,
    ).exclude(outcome__in=_NEVER_LEFT)
    found = list(tries.values_list("started_at", "outcome"))
    refusals = [at for at, outcome in found if outcome == "too_fast"]
    return pace_of(
        [at for at, _outcome in found],
        refused_at=max(refusals, default=None),
        now=now,
        count=limits.pace_count,
        span=limits.pace_span,
    )


def hold_back(message: Message, *, now: datetime, limits: TeamSettings) -> bool:
    """True if the message must wait for the pace; it then says when it will be sent."""
    if message.status != MessageStatus.QUEUED or message.overrides_limits:
        return False
    pace = pace_with(
        conversation_id=message.conversation_id,
        session_id=message.session_id,
        now=now,
        limits=limits,
    )
    if pace.opens_at is None or pace.opens_at <= now:
        return False
    queued = Message.objects.filter(pk=message.pk, status=MessageStatus.QUEUED)
    return bool(queued.update(error_code="pace", next_try_at=pace.opens_at))
