"""One round after the other through all that is too old, in small steps."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from django.utils import timezone

from messaging.retention import old_messages, old_rows
from messaging.transfers import retention as files
from sessions_app.team_settings.limits import TeamSettings, team_settings

Step = Callable[[], bool]


class Sweep:
    """`step` does one small piece. Call it again at once while it returns True.

    Nothing is kept in memory that a restart would miss: a round simply begins again.
    """

    def __init__(self) -> None:
        self._left: list[Step] = []

    def step(self) -> bool:
        """One transaction of a few hundred rows at most. False: the round is over."""
        if not self._left:
            self._left = list(steps(timezone.now(), team_settings()))
        has_more = False
        try:
            has_more = self._left[0]()
        finally:
            if not has_more:  # a job that fails is tried again in the next round
                del self._left[0]
        return bool(self._left)


def steps(now: datetime, limits: TeamSettings) -> Iterator[Step]:
    """The jobs of one round, by what the team keeps."""

    def before(days: int) -> datetime:
        return now - timedelta(days=days)

    yield lambda: old_rows.empty_raw_messages(before(limits.raw_days))
    yield lambda: old_rows.empty_raw_files(before(limits.raw_days))
    yield lambda: old_rows.empty_raw_answers(before(limits.raw_days))
    if limits.media_days:
        yield lambda: files.clear_older(before(limits.media_days)) > 0
    if limits.message_days:
        yield lambda: old_rows.delete_old_drafts(before(limits.message_days))
        yield lambda: old_rows.delete_decided_replies(before(limits.message_days))
        yield lambda: old_messages.step(before(limits.message_days))
    yield lambda: old_rows.delete_attempts(now)
    yield lambda: old_rows.delete_posted_keys(now)
    yield lambda: old_rows.delete_session_events(now)
    yield lambda: old_rows.delete_small(now)
