"""What a row of the audit log shows: a sentence, where it came from, and links that filter."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sessions_app.audit import sentences
from sessions_app.recording.actions import Door
from sessions_app.recording.models import AuditEntry
from sessions_app.team_settings.forms import TeamSettingsForm
from sessions_app.text.unseen import visible


@dataclass(frozen=True, slots=True)
class EntryRow:
    """`person`, `about`: values of the filters that list more of the same; may be empty."""

    at: datetime
    sentence: str
    label: str
    door: str
    address: str
    token: str
    team: str
    person: str
    about: str


def settings_labels() -> dict[str, str]:
    fields: dict[str, Any] = TeamSettingsForm.base_fields
    return {name: str(field.label) for name, field in fields.items()}


def entry_rows(found: Iterable[AuditEntry], teams: dict[int, str]) -> list[EntryRow]:
    """`teams`: team id → name."""
    labels = settings_labels()
    return [_row(entry, teams, labels) for entry in found]


def _row(entry: AuditEntry, teams: dict[int, str], labels: dict[str, str]) -> EntryRow:
    team = teams.get(entry.team_id, f"#{entry.team_id}") if entry.team_id is not None else ""
    return EntryRow(
        at=entry.at,
        sentence=sentences.sentence(entry, labels),
        label=label(entry),
        door=door(entry),
        address=visible(entry.address),
        token=visible(entry.token),
        team=visible(team),
        person="" if entry.actor_id is None else str(entry.actor_id),
        about=f"{entry.object_kind}:{entry.object_id}" if entry.object_id else "",
    )


def label(entry: AuditEntry) -> str:
    found = {action.value: words for action, words in sentences.LABELS.items()}
    return str(found.get(entry.action, entry.action))


def door(entry: AuditEntry) -> str:
    known = entry.door in set(Door)
    return str(sentences.DOORS[Door(entry.door)]) if known else entry.door
