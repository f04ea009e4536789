"""Copies today's names and notes to each team that knows the contact.

In bounded steps, each a transaction of its own: nothing is locked for long, and a migration that
was interrupted can be run again.
"""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from django.db import migrations, transaction

from sessions_app.folding import fold

STEP = 500


def copy_to_teams(apps: Any, schema_editor: Any) -> None:
    contacts = apps.get_model("messaging", "Contact").objects
    rows = apps.get_model("messaging", "TeamContact").objects
    conversations = apps.get_model("messaging", "Conversation").objects
    every_team = list(apps.get_model("sessions_app", "Team").objects.values_list("pk", flat=True))
    for step in _steps(contacts.exclude(name="", note="")):
        with transaction.atomic():
            teams = _teams_of(conversations, [one.pk for one in step])
            rows.bulk_create(
                [
                    rows.model(
                        contact_id=one.pk,
                        team_id=team_id,
                        name=one.name,
                        note=one.note,
                        folded=fold(one.name)[:700],
                    )
                    for one in step
                    # The demo and `/admin/` could name somebody who has written to no team yet.
                    for team_id in sorted(teams[one.pk] or every_team)
                ],
                ignore_conflicts=True,
            )
            for one in step:
                one.folded = _folded(one, "")
            contacts.bulk_update(step, ["folded"])


def copy_back(apps: Any, schema_editor: Any) -> None:
    """A contact has room for one name and one note: the first team's name, and all notes."""
    contacts = apps.get_model("messaging", "Contact").objects
    rows = apps.get_model("messaging", "TeamContact").objects
    for step in _steps(contacts.filter(pk__in=rows.values("contact"))):
        with transaction.atomic():
            words = defaultdict(list)
            for row in rows.filter(contact__in=[one.pk for one in step]).order_by("team"):
                words[row.contact_id].append(row)
            for one in step:
                one.name = next((row.name for row in words[one.pk] if row.name), "")
                one.note = "\n\n".join(dict.fromkeys(row.note for row in words[one.pk] if row.note))
                one.folded = _folded(one, one.name)
            contacts.bulk_update(step, ["name", "note", "folded"])


def _steps(rows: Any) -> Iterator[list[Any]]:
    last = 0
    while step := list(rows.filter(pk__gt=last).order_by("pk")[:STEP]):
        yield step
        last = step[-1].pk


def _teams_of(conversations: Any, contacts: list[int]) -> dict[int, set[int]]:
    """A conversation may have been transferred; both teams knew the name."""
    found: dict[int, set[int]] = defaultdict(set)
    known = conversations.filter(contact__in=contacts)
    for contact, home, team in known.values_list("contact", "home_team", "team"):
        found[contact] |= {home, team}
    return found


def _folded(contact: Any, name: str) -> str:
    wechat_id = contact.user_id.removesuffix("im.wechat")
    return fold(f"{name} {contact.number:04d} {wechat_id}")[:700]


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("messaging", "0025_team_contacts")]

    operations = [migrations.RunPython(copy_to_teams, copy_back)]
