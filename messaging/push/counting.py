"""The numbers in the navigation for all open pages: counted once per team, and own ones if moved.

Called at most once a second (`sessions_app/realtime/hub.py`).
"""

from collections.abc import Collection

from django.utils import timezone

from messaging.inbox import list_counts
from messaging.inbox.list_counts import Counts, OwnCounts, TeamCounts
from sessions_app.models import User


class Counting:
    """Keeps counts until something says that they moved."""

    def __init__(self) -> None:
        self._of_teams: dict[frozenset[int], TeamCounts] = {}
        self._own: dict[int, OwnCounts] = {}

    def team_moved(self, team_id: int) -> None:
        """Something in the team changed: its shared numbers are counted anew."""
        for teams in [teams for teams in self._of_teams if team_id in teams]:
            del self._of_teams[teams]

    def own_moved(self, user_ids: Collection[int]) -> None:
        """Something in these members' own lists changed."""
        for pk in user_ids:
            self._own.pop(pk, None)

    def forget(self) -> None:
        """Anything may have changed."""
        self._of_teams.clear()
        self._own.clear()

    def counts(self, user: User, teams: frozenset[int]) -> Counts:
        now = timezone.now()
        if teams not in self._of_teams:
            self._of_teams[teams] = list_counts.team_counts(user, now=now)
        if user.pk not in self._own:
            self._own[user.pk] = list_counts.own_counts(user, now=now)
        return list_counts.joined(self._of_teams[teams], self._own[user.pk])
