"""Which streams a user follows, and which rows changed after given numbers. Read-only."""

from collections.abc import Mapping, Sequence

from django.db.models import Q

from sessions_app.people.models import User
from sessions_app.people.roles import Visitor, team_ids_of
from sessions_app.realtime.streams import numbers_of


def stream_keys_of(user: Visitor) -> list[str]:
    keys = [f"team:{pk}" for pk in team_ids_of(user)]
    return [*keys, user.stream_key] if isinstance(user, User) else keys


def live_numbers(user: Visitor, *, besides: Sequence[str] = ()) -> dict[str, int]:
    """Stream key → last number. Read this BEFORE the rows that a page shows."""
    return numbers_of([*stream_keys_of(user), *besides])


def changed_since(user: Visitor, since: Mapping[str, int]) -> Q:
    """A condition for rows with `team` and `version` that changed after these numbers."""
    changed = Q(pk__in=[])
    for team_id in team_ids_of(user):
        changed |= Q(team_id=team_id, version__gt=since.get(f"team:{team_id}", 0))
    return changed
