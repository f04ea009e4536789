"""Turns the body of a conversation's PATCH into an Edit: names become users, teams and times."""

from datetime import datetime

from messaging.api.errors import ApiError
from messaging.api.schemas import ConversationIn
from messaging.conversations.labelling import LABEL_CHARACTERS, clean_name
from messaging.conversations.work import Edit, Keep, WorkError
from messaging.models import ConversationStatus
from sessions_app.models import Team, User

_NO_AGENT = "assignee: nobody of this name may answer in that team."
"""Also for a name that nobody has: who works in other teams only is not told apart."""
_REFUSALS = {
    "past": ("snoozed_until", "snoozed_until: a time that is still to come."),
    "no_agent": ("assignee", _NO_AGENT),
}


def refused(problem: WorkError) -> ApiError:
    field, words = _REFUSALS[problem.code]
    return invalid(field, words)


def invalid(field: str, words: str) -> ApiError:
    return ApiError(422, "invalid", words, field=field)


def edit_of(body: ConversationIn) -> Edit:
    """Raises ApiError 422 for an unknown status, user or team and for a bad label or time."""
    named, status, until = body.model_fields_set, None, None
    if "status" in named:
        status = _status(body.status)
    if "snoozed_until" in named:
        until = body.snoozed_until
        status = _with_time(status, until)
    if status is ConversationStatus.SNOOZED and until is None:
        raise invalid("snoozed_until", "snoozed_until: until when?")
    return Edit(
        status=status,
        snoozed_until=until,
        assignee=_assignee(body.assignee) if "assignee" in named else Keep.KEEP,
        labels=_labels(body.labels) if "labels" in named else None,
        team=_team(body.team) if "team" in named else None,
    )


def _status(value: str | None) -> ConversationStatus:
    if value is None:
        raise invalid("status", "status: open, snoozed or resolved.")
    return ConversationStatus(value)


def _with_time(status: ConversationStatus | None, until: datetime | None) -> ConversationStatus:
    """The status that a snooze time implies. Raises ApiError 422 if it contradicts `status`."""
    if status is None:
        return ConversationStatus.OPEN if until is None else ConversationStatus.SNOOZED
    if (status is ConversationStatus.SNOOZED) != (until is not None):
        raise invalid("snoozed_until", "snoozed_until: only with the status snoozed.")
    return status


def _assignee(username: str | None) -> User | None:
    if username is None:
        return None
    found = User.objects.filter(username=username, is_active=True).first()
    if found is None:
        raise invalid("assignee", _NO_AGENT)
    return found


def _labels(names: list[str] | None) -> list[str]:
    for name in names or []:
        if not clean_name(name) or len(name) > LABEL_CHARACTERS:
            raise invalid("labels", "labels: 1 to 40 visible characters each.")
    return names or []


def _team(name: str | None) -> Team:
    found = Team.objects.filter(name=name).first() if name else None
    if found is None:
        raise invalid("team", "team: there is none of this name.")
    return found
