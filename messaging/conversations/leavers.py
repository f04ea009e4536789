"""Where the conversations of a member go who leaves, or can no longer answer in a team.

Whoever leaves, or an administrator, names a colleague, or nobody. A member may also be disabled,
lose the role or leave the team on any other page or by any command. So the worker compares
assignees with those who may answer, unassigns, and nobody needs to notify it.
"""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from messaging.conversations import work
from messaging.models import Conversation, ConversationStatus
from sessions_app.models import User
from sessions_app.people.roles import answerers_of

ANYWAY_EVERY = timedelta(minutes=1)
"""Also check without a change of members, as a transfer or undo may assign a former member."""


class Leavers:
    """`look()` may be called often: while no member changes, it reads three small tables."""

    def __init__(self) -> None:
        self._members = ""
        self._looked_at: datetime | None = None

    def look(self, now: datetime | None = None) -> int:
        """Returns how many conversations were unassigned."""
        now = now or timezone.now()
        members = _fingerprint()
        is_due = self._looked_at is None or now - self._looked_at >= ANYWAY_EVERY
        if members == self._members and not is_due:
            return 0
        released = release_all()
        self._members, self._looked_at = members, now
        return released


def release_all() -> int:
    """Unassign each open or snoozed conversation whose assignee may not answer in its team."""
    at_work = Conversation.objects.exclude(status=ConversationStatus.RESOLVED)
    assigned = at_work.filter(assignee__isnull=False)
    held = set(assigned.values_list("team", "assignee").distinct())
    may = {team: set(answerers_of([team]).values_list("pk", flat=True)) for team, _ in held}
    released = 0
    for team, member in sorted(held):
        if member not in may[team]:
            ids = list(assigned.filter(team=team, assignee=member).values_list("pk", flat=True))
            released += work.in_batches(ids, work.release)
    return released


@dataclass(frozen=True, slots=True)
class HandedOver:
    """How many conversations the colleague got, and how many are unassigned now."""

    given: int
    released: int


def at_work_of(member: User) -> QuerySet[Conversation]:
    """The open and snoozed conversations that are assigned to the member."""
    at_work = Conversation.objects.exclude(status=ConversationStatus.RESOLVED)
    return at_work.filter(assignee=member)


def successors_of(member: User) -> list[User]:
    """Colleagues who may answer in each team of the member's open conversations, by name."""
    teams = list(at_work_of(member).order_by().values_list("team", flat=True).distinct())
    found = list(answerers_of(teams).exclude(pk=member.pk)) if teams else []
    for team in teams:
        there = set(answerers_of([team]).values_list("pk", flat=True))
        found = [one for one in found if one.pk in there]
    return found


def hand_over(
    *, member: User, ids: Collection[int], to: User | None, user: User | None
) -> HandedOver:
    """Give the member's conversations to a colleague. What is left is unassigned.

    `ids`: the member's conversations, as read before the member could lose them.
    """
    given = 0
    if to is not None:
        every = sorted({*ids, *at_work_of(member).values_list("pk", flat=True)})
        given = work.in_batches(
            every, lambda batch: work.pass_on(batch, member=member, to=to, user=user)
        )
    left = sorted(at_work_of(member).values_list("pk", flat=True))
    released = work.in_batches(
        left, lambda batch: work.pass_on(batch, member=member, to=None, user=user)
    )
    return HandedOver(given, released)


def _fingerprint() -> str:
    """A value that changes whenever a member's rights may have changed."""
    parts = [
        User.objects.order_by("pk").values_list("pk", "is_active", "is_superuser"),
        User.groups.through.objects.order_by("pk").values_list("user_id", "group_id"),
        User.teams.through.objects.order_by("pk").values_list("user_id", "team_id"),
    ]
    return hashlib.sha256(repr([list(part) for part in parts]).encode()).hexdigest()
