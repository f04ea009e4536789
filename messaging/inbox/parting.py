"""Why a member can no longer see or answer a conversation, and the draft that they had there.

The draft stays in the database. The member can copy it, and it returns to the composer with the
right to answer. Members who never saw the conversation are told nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from messaging.conversations import presence
from messaging.models import Conversation, Departure, Draft, DraftKind, EventCode, Upload
from sessions_app.models import User
from sessions_app.people.roles import Capability, Role, Visitor, may, roles_of, team_ids_of
from sessions_app.text.unseen import apart, visible

READ = Capability.READ_CONVERSATIONS
_ROLES: dict[Role, Callable[[], str]] = {
    Role.ADMINISTRATOR: lambda: _("administrator"),
    Role.OPERATOR: lambda: _("operator"),
    Role.SUPERVISOR: lambda: _("supervisor"),
    Role.AGENT: lambda: _("agent"),
    Role.VIEWER: lambda: _("viewer"),
}


@dataclass(frozen=True, slots=True)
class Parting:
    """`conversation`: its key. `reason`: a sentence; "" if the member may not be told one.

    `texts`: the member's drafts by kind; "" if there is none. `files`: names of the files in the
    member's draft reply.
    """

    conversation: int
    reason: str
    texts: dict[str, str]
    files: list[str]

    @property
    def has_begun(self) -> bool:
        return bool(self.files) or any(self.texts.values())


def parting(user: Visitor, pk: int) -> Parting:
    """No reason is given if the member may still answer or never saw the conversation."""
    unknown = Parting(pk, "", dict.fromkeys(DraftKind.values, ""), [])
    if not isinstance(user, User) or not user.is_active or pk > 2**62:
        return unknown
    found = Conversation.objects.select_related("team").filter(pk=pk).first()
    if found is None:
        return unknown
    texts, files = _texts(user, found), _files(user, found)
    was_there = bool(files) or any(texts.values()) or _looked(user, found)
    if found.team_id in team_ids_of(user):
        reason = _role_reason(user) if was_there or may(user, READ) else ""
    else:
        reason = _team_reason(user, found, was_there=was_there)
    return Parting(pk, reason, texts, files)


def _looked(user: User, conversation: Conversation) -> bool:
    """True if a page of theirs had it open until a moment ago."""
    return any(one.user_id == user.pk for one in presence.present_at(conversation))


def _texts(user: User, conversation: Conversation) -> dict[str, str]:
    begun = dict(
        Draft.objects.filter(user=user, conversation=conversation).values_list("kind", "text")
    )
    return {kind: begun.get(kind, "") for kind in DraftKind.values}


def _files(user: User, conversation: Conversation) -> list[str]:
    kept = Upload.objects.filter(owner=user, draft__conversation=conversation).exclude(
        stored_name=""
    )
    return [visible(one.file_name) or _("file") for one in kept.order_by("place", "pk")]


def _role_reason(user: User) -> str:
    roles = ", ".join(_ROLES[role]() for role in sorted(roles_of(user)))
    if not roles:
        return _("You no longer have a role here. An administrator can give you one.")
    if not may(user, READ):
        return _("Your role is now %(role)s, which does not include reading conversations.") % {
            "role": roles
        }
    if not may(user, Capability.ANSWER):
        return _(
            "Your role is now %(role)s: you can read this conversation, but not answer it."
        ) % {"role": roles}
    return ""


def _team_reason(user: User, conversation: Conversation, *, was_there: bool) -> str:
    """Says only how it left the member's team; they may not know where it went later."""
    left = Departure.objects.filter(conversation=conversation, team__in=team_ids_of(user))
    departure = left.order_by("left_at").last()
    if departure is None:
        team = apart(visible(conversation.team.name))
        words = _("You are no longer a member of the team %(team)s.") % {"team": team}
        return words if was_there else ""
    if not was_there:
        moved = _("This conversation was transferred to another team.")
        return moved if may(user, READ) else ""
    moves = conversation.messages.filter(
        event=EventCode.TRANSFERRED, created_at__gte=departure.left_at
    )
    move = moves.select_related("sent_by").order_by("created_at", "pk").first()
    if move is None:
        return _("This conversation was transferred to another team.")
    values = {"team": apart(visible(move.event_detail))}
    if move.sent_by is None:
        return _("This conversation was transferred to the team %(team)s.") % values
    values["who"] = apart(move.sent_by.display_name)
    return _("%(who)s transferred this conversation to the team %(team)s.") % values
