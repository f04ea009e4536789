"""Teams: made and renamed by administrators. Nobody deletes one, as conversations belong to it."""

from django.db import IntegrityError, transaction
from django.db.models import Count, Q, QuerySet

from sessions_app.people.directory.errors import TeamNameTaken, TeamStays
from sessions_app.people.directory.services import changing
from sessions_app.people.models import EVERYONE, Team, User


def teams_with_members() -> QuerySet[Team]:
    """All teams, each with `member_count`: its active members, without administrators of all."""
    active = Count("members", filter=Q(members__is_active=True))
    return Team.objects.annotate(member_count=active).order_by("name")


def add_team(*, by: User, name: str) -> Team:
    """Raises TeamNameTaken."""
    with changing(by):
        return _saved(Team(), name)


def rename_team(*, team_id: int, by: User, name: str) -> Team:
    """Raises TeamNameTaken, TeamStays."""
    with changing(by):
        team = Team.objects.select_for_update(no_key=True).get(pk=team_id)
        if team.name == EVERYONE:
            raise TeamStays
        return _saved(team, name)


def _saved(team: Team, name: str) -> Team:
    if Team.objects.filter(name__iexact=name).exclude(pk=team.pk).exists():
        raise TeamNameTaken
    team.name = name
    try:
        with transaction.atomic():
            team.save()
    except IntegrityError:
        raise TeamNameTaken from None
    return team
