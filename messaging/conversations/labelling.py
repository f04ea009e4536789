"""Adds labels to conversations and removes them, by name. Each team has labels of its own.

Used by `work` inside its transaction, on conversations that it has locked.
"""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from messaging.conversations import rows
from messaging.conversations.events import record_events
from messaging.models import Conversation, Label
from sessions_app.models import ACCOUNT_COLOURS, Team, User
from sessions_app.realtime.streams import Change

LABEL_CHARACTERS = 40

Carried = Conversation.labels.through


def clean_name(name: str) -> str:
    """The name as stored: one line, no invisible characters, at most 40 characters; "" is
    invalid."""
    plain = unicodedata.normalize("NFC", name)
    plain = "".join(" " if sign.isspace() else sign for sign in plain)
    plain = "".join(sign for sign in plain if unicodedata.category(sign) not in _UNSEEN)
    return " ".join(plain.split())[:LABEL_CHARACTERS].strip()


_UNSEEN = ("Cc", "Cf", "Cs", "Cn")


def clean_names(names: Iterable[str]) -> list[str]:
    """Cleaned names without duplicates, in the given order."""
    return list(dict.fromkeys(clean for name in names if (clean := clean_name(name))))


def add(
    change: Change, conversations: Sequence[Conversation], names: Sequence[str], user: User | None
) -> set[int]:
    """Returns keys of the conversations that got at least one of the labels."""
    wanted, there = clean_names(names), carried(conversations)
    fresh: dict[Conversation, list[str]] = {}
    for conversation in conversations:
        if missing := [name for name in wanted if name not in there[conversation.pk]]:
            fresh[conversation] = missing
    labels = {
        team: _labels(team, wanted) for team in {conversation.team_id for conversation in fresh}
    }
    Carried.objects.bulk_create(
        [
            Carried(conversation_id=conversation.pk, label_id=labels[conversation.team_id][name].pk)
            for conversation, missing in fresh.items()
            for name in missing
        ],
        ignore_conflicts=True,
    )
    return _tell(change, fresh, "labelled", user)


def remove(
    change: Change, conversations: Sequence[Conversation], names: Sequence[str], user: User | None
) -> set[int]:
    """Returns keys of the conversations that lost at least one of the labels."""
    unwanted, there = clean_names(names), carried(conversations)
    lost: dict[Conversation, list[str]] = {}
    for conversation in conversations:
        if on_it := [name for name in unwanted if name in there[conversation.pk]]:
            lost[conversation] = on_it
    rows = Carried.objects.filter(conversation__in=[conversation.pk for conversation in lost])
    rows.filter(label__name__in=unwanted).delete()
    return _tell(change, lost, "unlabelled", user)


def set_to(
    change: Change, conversation: Conversation, names: Sequence[str], user: User | None
) -> None:
    """Set exactly these labels."""
    wanted, there = clean_names(names), carried([conversation])[conversation.pk]
    add(change, [conversation], wanted, user)
    remove(change, [conversation], [name for name in there if name not in wanted], user)


def follow(conversations: Sequence[Conversation], team: Team) -> None:
    """For a transfer: replace labels by the new team's of the same names, remove the others."""
    known = dict(Label.objects.filter(team=team).values_list("name", "pk"))
    there = carried(conversations)
    Carried.objects.filter(conversation__in=list(there)).delete()
    Carried.objects.bulk_create(
        [
            Carried(conversation_id=key, label_id=known[name])
            for key, names in there.items()
            for name in names
            if name in known
        ]
    )


def put_back(names: Mapping[Conversation, Sequence[str]]) -> None:
    """Set exactly these labels again. Writes no event lines; undoing writes its own."""
    Carried.objects.filter(conversation__in=[conversation.pk for conversation in names]).delete()
    teams: dict[int, set[str]] = defaultdict(set)
    for conversation, wanted in names.items():
        teams[conversation.team_id].update(wanted)
    labels = {team: _labels(team, sorted(wanted)) for team, wanted in teams.items()}
    Carried.objects.bulk_create(
        [
            Carried(conversation_id=conversation.pk, label_id=labels[conversation.team_id][name].pk)
            for conversation, wanted in names.items()
            for name in wanted
        ],
        ignore_conflicts=True,
    )


def carried(conversations: Iterable[Conversation]) -> dict[int, list[str]]:
    """Conversation id → names of its labels."""
    names: dict[int, list[str]] = defaultdict(list)
    rows = Carried.objects.filter(
        conversation__in=[conversation.pk for conversation in conversations]
    )
    for key, name in rows.order_by("label__name").values_list("conversation", "label__name"):
        names[key].append(name)
    return names


def _labels(team_id: int, names: Sequence[str]) -> dict[str, Label]:
    """The team's labels of these names; missing ones are created, each in the next colour."""
    rows = Label.objects.filter(team=team_id, name__in=names)
    known = {label.name for label in rows}
    count = Label.objects.filter(team=team_id).count()
    missing = [name for name in names if name not in known]
    Label.objects.bulk_create(
        [
            Label(team_id=team_id, name=name, colour=(count + number) % ACCOUNT_COLOURS)
            for number, name in enumerate(missing)
        ],
        ignore_conflicts=True,
    )
    return {label.name: label for label in rows.all()}


def _tell(
    change: Change, conversations: dict[Conversation, list[str]], code: str, user: User | None
) -> set[int]:
    details = {conversation: ", ".join(names) for conversation, names in conversations.items()}
    record_events(change, details, code, who=user)
    for conversation in conversations:
        rows.touch(change, conversation)
    return {conversation.pk for conversation in conversations}
