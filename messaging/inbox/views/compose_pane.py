"""The template context of the composer: drafts, preferences, parked replies, presence."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from messaging.composing import draft_files, drafts
from messaging.conversations import presence
from messaging.inbox.parting import parting
from messaging.inbox.presentation import Bubble
from messaging.media import reasons, showing
from messaging.models import Conversation, DraftKind, ParkedReply, Upload
from messaging.models import Draft as DraftRow
from messaging.reply_window.pace import pace_with
from messaging.replying import parking
from messaging.replying.queries import PersonContext, ReplyQuota
from sessions_app.people.preferences import preferences_of
from sessions_app.people.roles import Capability, Visitor, may
from sessions_app.sessions import held_replies
from sessions_app.team_settings.limits import team_settings
from sessions_app.text.unseen import visible


@dataclass(frozen=True, slots=True)
class Draft:
    """What the composer contains. The key makes a double click one message.

    `account`: the account from which the draft was to be sent.
    """

    key: str
    text: str = ""
    number: int = 0
    account: int | None = None


@dataclass(frozen=True, slots=True)
class Tray:
    """The files of a draft after change `number`."""

    number: int
    files: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Parked:
    """`is_open`: the contact has written, so the reply can be sent."""

    row: ParkedReply
    is_open: bool


def new_draft() -> Draft:
    return Draft(drafts.new_key())


def fresh_draft(user: Visitor, conversation: Conversation, kind: str = DraftKind.REPLY) -> Draft:
    """The empty draft after sending, with the key of the next message."""
    row = drafts.draft_of(user, conversation, kind)
    return Draft(row.key, row.text, row.number)


def compose_context(
    user: Visitor, conversation: Conversation, bubbles: list[Bubble]
) -> dict[str, Any]:
    """Loaded once, when a conversation is opened, so that typed text is never overwritten."""
    kept = drafts.drafts_of(user, conversation)
    shown = {kind: asdict(Draft(row.key, row.text, row.number)) for kind, row in kept.items()}
    reply = kept[DraftKind.REPLY]
    tray = tray_of(reply)
    return {
        "draft": Draft(
            reply.key, reply.text, reply.number, account=account_of(reply, bool(tray.files))
        ),
        "tray": tray,
        "drafts": json.dumps(shown),
        "preferences": preferences_of(user),
        "seen_up_to": bubbles[-1].message.pk if bubbles else 0,
        "people": json.dumps([asdict(one) for one in presence.present_at(conversation)]),
        "parting": None if may(user, Capability.ANSWER) else parting(user, conversation.pk),
    }


def account_of(draft: DraftRow, has_files: bool) -> int | None:
    """The account that a draft was written for; None for an empty draft."""
    return draft.account_id if draft.text or has_files else None


def tray_of(draft: DraftRow) -> Tray:
    files = [tray_values(one) for one in draft_files.files_of(draft)]
    return Tray(draft.files_number, files)


def tray_values(brought: Upload) -> dict[str, Any]:
    """What the composer's tray shows of a file."""
    return {
        "id": brought.pk,
        "name": visible(brought.file_name),
        "kind": brought.kind,
        "size": brought.size,
        "thumb": reverse("inbox:upload_thumb", args=[brought.pk]) if brought.thumb_name else "",
        "note": showing.note_of(brought),
        "place": brought.place,
        "problem": "" if brought.stored_name else reasons.sentence("unknown_upload"),
    }


def beside_the_text(
    conversation: Conversation, quota: ReplyQuota, spoken: ReplyQuota, *, now: datetime
) -> dict[str, Any]:
    """Rendered again on each change: parked replies, the quota and WeChat's pace near its limit.

    `spoken`: the quota of the account on the Send button.
    """
    parked = [
        Parked(row, is_open=quota.usable) for row in parking.waiting_in(conversation, now=now)
    ]
    pace = None
    if spoken.session is not None:
        pace = pace_with(
            conversation_id=conversation.pk,
            session_id=spoken.session.pk,
            now=now,
            limits=team_settings(),
        )
    return {
        "parked": parked,
        "pace": pace if pace is not None and pace.near else None,
        "limited": held_replies.notice(spoken.session, now=now),
    }


def senders(accounts: list[PersonContext], quota: ReplyQuota) -> list[PersonContext]:
    """Other accounts that can reply now, for the Send button's menu."""
    chosen = quota.session.pk if quota.session else 0
    return [one for one in accounts if one.usable and one.session.pk != chosen]
