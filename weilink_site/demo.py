"""The demo: the simulated WeChat beside the console, and names for its scripted people.

The wire has no names, so the demo sets them as an agent would.
"""

from typing import Any

from django.conf import settings
from django.db import transaction

from messaging.conversations.finding import folded_name
from messaging.models import TeamContact
from messaging.receiving.arrivals import contacts_of
from sessions_app.models import Team
from sessions_app.simulator.app import create_app
from sessions_app.simulator.state.people import SCRIPTED_NAMES
from sessions_app.simulator.state.wechat import SimulatedWeChat


def name_the_people() -> None:
    """Name the contacts once in each team. Names that agents changed or removed are kept."""
    with transaction.atomic():
        people, teams = contacts_of(set(SCRIPTED_NAMES)), list(Team.objects.all())
        named = [
            TeamContact(contact=contact, team=team, name=name, folded=folded_name(name))
            for user_id, contact in people.items()
            for team in teams
            for name in [SCRIPTED_NAMES[user_id]]
        ]
        TeamContact.objects.bulk_create(named, ignore_conflicts=True)


def simulated_wechat(port: int) -> Any:
    """The simulator as an ASGI application. Its state is kept in the data folder."""
    wechat = SimulatedWeChat(state_file=settings.DATA_DIR / "simulator.json", scripted=True)
    return create_app(wechat, public_url=f"http://127.0.0.1:{port}/simulator")
