"""Reads the audit log: filtered, newest first, a page at a time by position."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.utils import timezone

from sessions_app.models import AuditEntry, Team, User
from sessions_app.recording.actions import Kind
from sessions_app.recording.record import name_of

PAGE = 50
BATCH = 1_000
"""Rows of an export in memory at a time."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What to list; empty means all. `until` is included. `about`: "kind:id"."""

    text: str = ""
    person: int | None = None
    action: str = ""
    team: int | None = None
    kind: str = ""
    about: str = ""
    since: date | None = None
    until: date | None = None

    @property
    def values(self) -> dict[str, str]:
        """Those that are set, as the address names them."""
        return {name: str(value) for name, value in asdict(self).items() if value not in (None, "")}

    @property
    def query(self) -> str:
        return urlencode(self.values)


def entries(filters: Filters) -> QuerySet[AuditEntry]:
    """Newest first. Days are those of the reader's time zone."""
    found = AuditEntry.objects.order_by("-pk")
    equal = {
        "actor_id": filters.person,
        "action": filters.action or None,
        "team_id": filters.team,
        "object_kind": filters.kind or None,
    }
    found = found.filter(**{name: value for name, value in equal.items() if value is not None})
    if filters.about:
        kind, _colon, key = filters.about.partition(":")
        found = found.filter(object_kind=kind, object_id=key)
    if filters.since:
        found = found.filter(at__gte=_midnight(filters.since))
    if filters.until:
        found = found.filter(at__lt=_midnight(filters.until + timedelta(days=1)))
    for word in filters.text.split():
        named = Q(actor_name__icontains=word) | Q(object_name__icontains=word)
        found = found.filter(named | Q(token__icontains=word))
    return found


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def one_page(filters: Filters, before: int | None) -> tuple[list[AuditEntry], int | None]:
    """Entries older than the position, and the position of the next page, if there is one."""
    found = entries(filters)
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found[: PAGE + 1])
    return rows[:PAGE], rows[PAGE - 1].pk if len(rows) > PAGE else None


def newest_id() -> int:
    """An export ends here, though rows are added meanwhile."""
    return AuditEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def batch_up_to(filters: Filters, last: int) -> list[AuditEntry]:
    """The next rows of an export, from this key down."""
    return list(entries(filters).filter(pk__lte=last)[:BATCH])


def team_names() -> dict[int, str]:
    """Team id → name; deleted teams by the name that their last entry has."""
    ids = AuditEntry.objects.filter(object_kind=Kind.TEAM).order_by("pk")
    gone = {int(key): name for key, name in ids.values_list("object_id", "object_name")}
    return gone | dict(Team.objects.values_list("pk", "name"))


def people() -> Iterator[tuple[int, str]]:
    """Who can be chosen, by name. Those who are gone are found by a search for their name."""
    for user in User.objects.order_by("username"):
        yield user.pk, name_of(user)


def last_name_of(person: int) -> str:
    """The name of a person who may be gone, as the newest entry has it."""
    mine = AuditEntry.objects.filter(actor_id=person).order_by("-pk")
    return mine.values_list("actor_name", flat=True).first() or ""


def name_of_object(about: str) -> str:
    kind, _colon, key = about.partition(":")
    found = AuditEntry.objects.filter(object_kind=kind, object_id=key).order_by("-pk")
    return found.values_list("object_name", flat=True).first() or key
