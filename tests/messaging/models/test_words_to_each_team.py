"""The migration that gives each team its own names and notes: nothing is lost, either way."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from messaging.conversations.finding import folded_contact, folded_name
from messaging.models import Contact, Conversation, TeamContact

pytestmark = pytest.mark.django_db(transaction=True)

BEFORE, AFTER = "0024_numbers_and_traces", "0027_contacts_without_words"


def migrate_to(name: str) -> Any:
    """The models as they were then."""
    executor = MigrationExecutor(connection)
    executor.migrate([("messaging", name)])
    return executor.loader.project_state([("messaging", name)]).apps


@pytest.fixture
def before() -> Iterator[Any]:
    yield migrate_to(BEFORE)
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def make(apps: Any, number: int, *teams: tuple[str, str], name: str = "", note: str = "") -> None:
    """A contact, with a conversation for each pair of home team and team."""
    team = apps.get_model("sessions_app", "Team").objects
    contact = apps.get_model("messaging", "Contact").objects.create(
        user_id=f"p{number}@im.wechat", number=number, name=name, note=note, folded=f"old {name}"
    )
    for home, now in teams:
        apps.get_model("messaging", "Conversation").objects.create(
            contact=contact,
            home_team=team.get_or_create(name=home)[0],
            team=team.get_or_create(name=now)[0],
        )


def words() -> dict[tuple[str, str], tuple[str, str]]:
    rows = TeamContact.objects.select_related("contact", "team")
    return {(one.contact.user_id[:2], one.team.name): (one.name, one.note) for one in rows}


def test_each_team_that_knows_somebody_keeps_what_they_were_called(before: Any) -> None:
    make(before, 1, ("A", "A"), ("B", "B"), name="李娜", note="VIP")
    make(before, 2, ("A", "B"), name="Tom")  # was transferred
    make(before, 3, ("A", "A"), note="only a note")
    make(before, 4, ("A", "A"))  # nobody wrote anything
    make(before, 5, name="wrote to nobody yet")
    migrate_to(AFTER)
    every = {one.name for one in before.get_model("sessions_app", "Team").objects.all()}
    assert words() == {
        ("p1", "A"): ("李娜", "VIP"),
        ("p1", "B"): ("李娜", "VIP"),
        ("p2", "A"): ("Tom", ""),
        ("p2", "B"): ("Tom", ""),
        ("p3", "A"): ("", "only a note"),
        **{("p5", team): ("wrote to nobody yet", "") for team in every},
    }
    assert all(one.folded == folded_name(one.name) for one in TeamContact.objects.all())
    named = Contact.objects.filter(number__in=(1, 2, 3, 5))
    assert all(one.folded == folded_contact(one) for one in named)
    assert {one.contact_name for one in Conversation.objects.filter(contact__number=1)} == {"李娜"}


def test_many_contacts_are_copied_in_steps(before: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    copying = importlib.import_module("messaging.migrations.0026_words_to_each_team")
    monkeypatch.setattr(copying, "STEP", 3)
    for number in range(1, 9):
        make(before, number, ("A", "A"), name=f"n{number}")
    migrate_to(AFTER)
    assert sorted(one.name for one in TeamContact.objects.all()) == [f"n{n}" for n in range(1, 9)]


def test_the_way_back_keeps_every_note(before: Any) -> None:
    make(before, 1, ("A", "A"), ("B", "B"), name="李娜", note="VIP")
    migrate_to(AFTER)
    TeamContact.objects.filter(team__name="B").update(name="Mrs Li", note="pays late")
    then = migrate_to(BEFORE).get_model("messaging", "Contact").objects.get()
    assert (then.name, then.note) == ("李娜", "VIP\n\npays late")
    assert then.folded == "李娜 0001 p1@"
