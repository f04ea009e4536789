"""Writes rows of the audit log, in the transaction of what they record.

Services call `record` once for what somebody did, whichever door it came through. It takes one
INSERT. Details are facts for the row's sentence: never a secret, never what a customer wrote.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import AbstractUser

from sessions_app.recording.actions import Action, Kind
from sessions_app.recording.models import AuditEntry
from sessions_app.recording.origin import current_origin

Detail = str | int | bool | None
LONGEST_DETAIL = 400


@dataclass(frozen=True, slots=True)
class Subject:
    """What an action was done to. `name` stays when the thing is gone."""

    kind: Kind
    pk: object = ""
    name: str = ""
    team_id: int | None = None


def record(
    action: Action, subject: Subject, *, user: AbstractUser | None = None, **details: Detail
) -> None:
    """Write one row. `user`: who did it, if that is not who is signed in."""
    _row(action, subject, user, details).save(force_insert=True)


def record_all(
    action: Action,
    subjects: Iterable[Subject],
    *,
    user: AbstractUser | None = None,
    **details: Detail,
) -> None:
    """As `record`, for several things in one statement."""
    AuditEntry.objects.bulk_create(_row(action, one, user, details) for one in subjects)


def _row(
    action: Action, subject: Subject, user: AbstractUser | None, details: dict[str, Detail]
) -> AuditEntry:
    where = current_origin()
    person = user or where.person
    return AuditEntry(
        actor_id=person.pk if person is not None else None,
        actor_name=_cut(name_of(person) if person is not None else where.name),
        token=_cut(where.token, 100),
        door=where.door,
        address=_cut(where.address, 64),
        action=action,
        object_kind=subject.kind,
        object_id=_cut(str(subject.pk), 64),
        object_name=_cut(subject.name),
        team_id=subject.team_id,
        details={
            key: _cut(value, LONGEST_DETAIL) if isinstance(value, str) else value
            for key, value in details.items()
        },
    )


def name_of(person: AbstractUser) -> str:
    """Full name and username: the former is what colleagues know, the latter is unique."""
    full, name = person.get_full_name(), person.get_username()
    return f"{full} ({name})" if full and full != name else name


def person_subject(person: AbstractUser) -> Subject:
    return Subject(Kind.PERSON, person.pk, name_of(person))


def _cut(text: str, most: int = 330) -> str:
    """What every database can hold: not too long, and without NUL."""
    return text.replace("\0", "")[:most]
