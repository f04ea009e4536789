"""The team's settings: limits and intervals in one row, edited at `/settings/`.

They are read often, so each process caches them for `KEPT_S`. The process that saves drops its
cache at once; the others follow within that time. Never read them at import or in an event loop,
because reading may query the database. In an event loop use `last_known()`.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import timedelta

from django.db import transaction
from django.utils.asyncio import async_unsafe

from sessions_app.ilink.wire import REPLIES_PER_TOKEN, WINDOW_HOURS
from sessions_app.models.team_settings import SettingChange, TeamSettingsRow
from sessions_app.people.models import User
from sessions_app.recording.actions import Action, Kind
from sessions_app.recording.record import Subject, record

KEPT_S = 3.0
ROW = 1


@dataclass(frozen=True, slots=True)
class TeamSettings:
    """`pace_count` replies to one person per `pace_minutes` are WeChat's limit.

    MB are 2²⁰ bytes. How many days something is kept: 0 is for ever.
    """

    window_hours: int = WINDOW_HOURS
    replies_per_token: int = REPLIES_PER_TOKEN
    pace_count: int = 12
    pace_minutes: int = 5
    warn_characters: int = 2_000
    park_days: int = 7
    qr_minutes: int = 2
    picture_mb: int = 20
    voice_mb: int = 20
    video_mb: int = 100
    file_mb: int = 100
    total_gb: int = 20
    message_days: int = 0
    media_days: int = 0
    raw_days: int = 14
    api_requests_per_minute: int = 6_000

    @property
    def window(self) -> timedelta:
        return timedelta(hours=self.window_hours)

    @property
    def pace_span(self) -> timedelta:
        return timedelta(minutes=self.pace_minutes)

    @property
    def qr_lifetime(self) -> timedelta:
        """Age after which an unscanned QR code is replaced."""
        return timedelta(minutes=self.qr_minutes)

    @property
    def parked_for(self) -> timedelta:
        return timedelta(days=self.park_days)


NAMES = tuple(field.name for field in fields(TeamSettings))

_kept: tuple[float, TeamSettings] | None = None


# checked even if the cache is valid, else a misuse in an event loop would fail only sometimes
@async_unsafe
def team_settings(*, clock: Callable[[], float] = time.monotonic) -> TeamSettings:
    """The current settings, at most `KEPT_S` old. Takes at most one query."""
    global _kept
    now = clock()
    if _kept is not None and now - _kept[0] < KEPT_S:
        return _kept[1]
    found = _read()
    _kept = (now, found)
    return found


def last_known(*, clock: Callable[[], float] = time.monotonic) -> tuple[TeamSettings, bool]:
    """The cached settings, or the defaults, and whether they are still valid. Never queries."""
    if _kept is None:
        return TeamSettings(), False
    return _kept[1], clock() - _kept[0] < KEPT_S


def _read() -> TeamSettings:
    values = TeamSettingsRow.objects.filter(pk=ROW).values(*NAMES).first()
    return TeamSettings(**values) if values else TeamSettings()


def forget() -> None:
    """Drop the cache, so that the next call queries the database."""
    global _kept
    _kept = None


def change_settings(*, user: User | None, wanted: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Save the values that differ and record who changed them. Returns name → (before, after)."""
    with transaction.atomic():
        TeamSettingsRow.objects.get_or_create(pk=ROW)
        row = TeamSettingsRow.objects.select_for_update().get(pk=ROW)
        before = {name: int(getattr(row, name)) for name in NAMES}
        changed = {
            name: (before[name], value) for name, value in wanted.items() if before[name] != value
        }
        for name, (_old, value) in changed.items():
            setattr(row, name, value)
        row.save(update_fields=list(changed))
        SettingChange.objects.bulk_create(
            SettingChange(who=user, name=name, before=str(old), after=str(new))
            for name, (old, new) in changed.items()
        )
        for name, (old, new) in changed.items():
            subject = Subject(Kind.SETTING, name, name)
            record(Action.SETTING_CHANGED, subject, user=user, old=old, new=new)
        transaction.on_commit(forget)
    forget()
    return changed


def as_values(settings: TeamSettings) -> dict[str, int]:
    return asdict(settings)
