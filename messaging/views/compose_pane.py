"""What the composer is drawn from: drafts and preferences, what waits, who is there."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from messaging import drafts, parking, presence
from messaging.models import Conversation, DraftKind, ParkedReply
from messaging.pace import pace_with
from messaging.presentation import Bubble
from messaging.queries import PersonContext, ReplyBudget
from sessions_app.people.preferences import preferences_of
from sessions_app.people.roles import Visitor
from sessions_app.team_settings import team_settings


@dataclass(frozen=True, slots=True)
class Draft:
    """What the composer holds. The key makes a double click one message.

    `files`: JSON of those that come back with the text.
    """

    key: str
    text: str = ""
    number: int = 0
    files: str = "[]"


@dataclass(frozen=True, slots=True)
class Parked:
    """`is_open`: the person wrote, so it may go."""

    row: ParkedReply
    is_open: bool


def new_draft() -> Draft:
    return Draft(drafts.new_key())


def fresh_draft(user: Visitor, conversation: Conversation, kind: str = DraftKind.REPLY) -> Draft:
    """The draft after its text was sent: empty, with the key of the next one."""
    row = drafts.draft_of(user, conversation, kind)
    return Draft(row.key, row.text, row.number)


def compose_context(
    user: Visitor, conversation: Conversation, bubbles: list[Bubble]
) -> dict[str, Any]:
    """Read once, when a conversation is opened; what the person types is never drawn over."""
    kept = drafts.drafts_of(user, conversation)
    shown = {kind: asdict(Draft(row.key, row.text, row.number)) for kind, row in kept.items()}
    reply = kept[DraftKind.REPLY]
    return {
        "draft": Draft(reply.key, reply.text, reply.number),
        "drafts": json.dumps(shown),
        "preferences": preferences_of(user),
        "limits": team_settings(),
        "seen_up_to": bubbles[-1].message.pk if bubbles else 0,
        "people": json.dumps([asdict(one) for one in presence.present_at(conversation)]),
    }


def beside_the_text(
    conversation: Conversation, budget: ReplyBudget, *, now: datetime
) -> dict[str, Any]:
    """Drawn anew with every change: parked replies, and WeChat's pace when it is near."""
    parked = [
        Parked(row, is_open=budget.usable) for row in parking.waiting_in(conversation, now=now)
    ]
    pace = None
    if budget.session is not None:
        pace = pace_with(
            conversation_id=conversation.pk,
            session_id=budget.session.pk,
            now=now,
            limits=team_settings(),
        )
    return {"parked": parked, "pace": pace if pace is not None and pace.near else None}


def senders(accounts: list[PersonContext], budget: ReplyBudget) -> list[PersonContext]:
    """The other accounts that could answer now, for the menu of the Send button."""
    chosen = budget.session.pk if budget.session else 0
    return [one for one in accounts if one.usable and one.session.pk != chosen]
