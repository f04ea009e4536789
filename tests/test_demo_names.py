"""The demo names its people once in each team; what members do to a name later stays."""

import pytest

from messaging.models import Contact, TeamContact
from messaging.replying import services
from sessions_app.models import Team
from sessions_app.simulator.state.people import SCRIPTED_NAMES
from tests.conftest import Cast
from weilink_site.demo import name_the_people

pytestmark = pytest.mark.django_db


def names(team: Team) -> dict[str, str]:
    rows = TeamContact.objects.filter(team=team)
    return dict(rows.values_list("contact__user_id", "name"))


def test_names_are_given_once_in_each_team(cast: Cast) -> None:
    name_the_people()
    assert names(cast.team) == names(cast.other_team) == dict(SCRIPTED_NAMES)
    renamed, removed = Contact.objects.order_by("pk")[:2]
    for contact, name in ((renamed, "Somebody"), (removed, "")):
        services.rename_contact(contact=contact, team_id=cast.team.pk, name=name, user=None)
    name_the_people()
    ours = {renamed.user_id: "Somebody", removed.user_id: ""}
    assert names(cast.team) == {**SCRIPTED_NAMES, **ours}
    assert names(cast.other_team) == dict(SCRIPTED_NAMES)
