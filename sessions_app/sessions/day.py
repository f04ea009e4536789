"""The last 24 hours of a session as a row of bars, and as text.

Takes two queries for any number of sessions. Each tone also has a height of its own, so that colour
is never the only difference, and `words` describes the bars.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from sessions_app.models import QuarterHour, Session, SessionEvent, SessionState
from sessions_app.sessions.quarters import QUARTER, quarter_of

QUARTERS = 96
HEIGHT = 14


class Tone(StrEnum):
    """The state of one bar.

    Where several quarters share a bar, the later tone in this list wins.
    """

    IDLE = "idle"
    OK = "ok"
    WARN = "warn"
    BAD = "bad"


_ORDER = list(Tone)
_HEIGHTS = {Tone.IDLE: 3, Tone.OK: 9, Tone.WARN: 12, Tone.BAD: 14}


@dataclass(frozen=True, slots=True)
class Bar:
    """What polling showed in one stretch of time."""

    began_at: datetime
    ended_at: datetime
    tone: Tone
    errors: int

    @property
    def words(self) -> str:
        """The bar in the reader's time zone and language: “22:00–22:15: 3 errors”."""
        span = {"from": _clock(self.began_at), "to": _clock(self.ended_at), "what": self._what()}
        return _("%(from)s–%(to)s: %(what)s") % span

    def _what(self) -> str:
        errors = ngettext("%(count)d error", "%(count)d errors", self.errors)
        errors = errors % {"count": self.errors}
        match self.tone:
            case Tone.BAD:
                said = _("signed out by WeChat")
                both = _("%(one)s, %(other)s") % {"one": said, "other": errors}
                return both if self.errors else said
            case Tone.WARN:
                return errors
            case Tone.OK:
                return _("receiving")
        return _("not receiving")


@dataclass(frozen=True, slots=True)
class Day:
    """`bars` are sorted oldest first; the last one contains the current time."""

    bars: tuple[Bar, ...]

    @property
    def runs(self) -> list[Bar]:
        """Adjacent bars of the same tone merged into one."""
        groups = groupby(self.bars, key=lambda bar: bar.tone)
        return [_joined(list(bars)) for _tone, bars in groups]

    @property
    def oddities(self) -> list[str]:
        """The stretches in which messages were not simply received, as text, newest first."""
        return [run.words for run in reversed(self.runs) if run.tone is not Tone.OK]

    @property
    def words(self) -> str:
        """All bars in one sentence, for screen readers."""
        runs = self.runs
        if len(runs) == 1:
            return _("Last 24 hours: %(what)s") % {"what": runs[0]._what()}
        said = pgettext("between stretches of time", "; ").join(run.words for run in runs)
        return _("Last 24 hours: %(what)s") % {"what": said}

    def in_pairs(self) -> "Day":
        """A day with half as many bars, for a row of the board.

        Each bar shows the worse of two quarters.
        """
        bars = self.bars
        return Day(tuple(_worst(bars[at : at + 2]) for at in range(0, len(bars), 2)))

    @property
    def width(self) -> int:
        return 4 * len(self.bars) - 1

    @property
    def paths(self) -> Iterator[tuple[str, str]]:
        """(tone, SVG path) for each tone that occurs. One path draws all bars of the tone."""
        for tone, height in _HEIGHTS.items():
            places = [at for at, bar in enumerate(self.bars) if bar.tone is tone]
            strokes = "".join(f"M{4 * at} {HEIGHT - height}h3v{height}h-3z" for at in places)
            if strokes:
                yield tone.value, strokes


def _clock(moment: datetime) -> str:
    return date_format(timezone.localtime(moment), "H:i")


def _joined(bars: Sequence[Bar]) -> Bar:
    errors = sum(bar.errors for bar in bars)
    return Bar(bars[0].began_at, bars[-1].ended_at, bars[0].tone, errors)


def _worst(bars: Sequence[Bar]) -> Bar:
    tone = max((bar.tone for bar in bars), key=_ORDER.index)
    joined = _joined(bars)
    return Bar(joined.began_at, joined.ended_at, tone, joined.errors)


def days_of(sessions: Iterable[Session], *, now: datetime) -> dict[int, Day]:
    """Map each session's primary key to its last 24 hours."""
    sessions = list(sessions)
    start = quarter_of(now) - (QUARTERS - 1) * QUARTER
    ids = [session.pk for session in sessions]
    notes: dict[int, dict[datetime, QuarterHour]] = defaultdict(dict)
    for note in QuarterHour.objects.filter(session__in=ids, began_at__gte=start):
        notes[note.session_id][note.began_at] = note
    signed_out = _signed_out(sessions, start, now)
    return {
        pk: Day(
            tuple(_bar(start + at * QUARTER, notes[pk], signed_out[pk]) for at in range(QUARTERS))
        )
        for pk in ids
    }


Span = tuple[datetime, datetime]


def _signed_out(
    sessions: Sequence[Session], start: datetime, now: datetime
) -> dict[int, list[Span]]:
    """The spans in which each session was signed out, from its events. An open span ends now."""
    changes = SessionEvent.objects.filter(
        session__in=sessions, kind=SessionEvent.Kind.STATE, at__gte=start
    ).order_by("at", "pk")
    spans: dict[int, list[Span]] = defaultdict(list)
    since: dict[int, datetime] = {}
    for pk, at, state in changes.values_list("session_id", "at", "state"):
        if state == SessionState.EXPIRED:
            since.setdefault(pk, at)
        elif pk in since:
            spans[pk].append((since.pop(pk), at))
    for session in sessions:
        if session.state == SessionState.EXPIRED:
            spans[session.pk].append((since.get(session.pk, session.state_since), now))
    return spans


def _bar(began_at: datetime, notes: dict[datetime, QuarterHour], out: Sequence[Span]) -> Bar:
    ended_at = began_at + timedelta(minutes=15)
    note = notes.get(began_at)
    errors = note.errors if note else 0
    if any(since < ended_at and until > began_at for since, until in out):
        tone = Tone.BAD
    elif errors:
        tone = Tone.WARN
    else:
        tone = Tone.OK if note and note.heard else Tone.IDLE
    return Bar(began_at, ended_at, tone, errors)
