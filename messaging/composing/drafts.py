"""Drafts of replies and notes. Only actions of its owner change a draft, never an event.

Two tabs share one draft. A tab that would overwrite a change it has not seen gets a conflict.
"""

import uuid

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from messaging.conversations import rows
from messaging.models import Conversation, Draft, DraftKind, Upload
from sessions_app.models import Session, User
from sessions_app.people.roles import Visitor
from sessions_app.realtime.streams import announcing

MOST_CHARACTERS = 100_000


class DraftChanged(Exception):  # noqa: N818 - a statement
    """Another tab changed the draft meanwhile; `draft` is its current state."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft.number)
        self.draft = draft


class DraftTooLong(Exception):  # noqa: N818 - a statement
    """Too long drafts are refused, not cut, so that no text is lost unnoticed."""


def new_key() -> str:
    return uuid.uuid4().hex


def draft_of(user: Visitor, conversation: Conversation, kind: str = DraftKind.REPLY) -> Draft:
    """The user's draft; an empty, unsaved one if there is none."""
    if isinstance(user, User):
        found = conversation.drafts.filter(user=user, kind=kind).first()
        if found is not None:
            return found
    return Draft(conversation=conversation, kind=kind, key=new_key())


def drafts_of(user: Visitor, conversation: Conversation) -> dict[str, Draft]:
    """The drafts of both kinds, by kind. One query."""
    found = {}
    if isinstance(user, User):
        found = {one.kind: one for one in conversation.drafts.filter(user=user)}
    for kind in DraftKind.values:
        found.setdefault(kind, Draft(conversation=conversation, kind=kind, key=new_key()))
    return found


def begun() -> QuerySet[Draft]:
    """Drafts with text or files."""
    files = Upload.objects.filter(draft=OuterRef("pk"))
    return Draft.objects.filter(~Q(text="") | Exists(files))


def save_draft(
    *,
    user: User,
    conversation: Conversation,
    kind: str,
    text: str,
    key: str,
    number: int,
    account_id: int | None = None,
) -> Draft:
    """Save a draft's text, based on its change `number`.

    `account_id`: the account on the Send button; ignored unless it is one of the home team's.
    Raises DraftChanged if `number` is not the latest, or if the text was posted already: a save
    may arrive after the post. Raises DraftTooLong.
    """
    if _was_posted(conversation, key):
        raise DraftChanged(draft_of(user, conversation, kind))
    if len(text) > MOST_CHARACTERS:
        raise DraftTooLong(len(text))
    with transaction.atomic():
        draft = locked(user, conversation, kind, key)
        if draft.number != number:
            if draft.text == text:
                return draft
            raise DraftChanged(draft)
        begins_or_ends = bool(draft.text) != bool(text)
        draft.account_id = account_of(conversation, account_id) or draft.account_id
        _write(draft, text)
    # The list shows it. A separate transaction: the conversation is locked before its drafts.
    if begins_or_ends:
        with announcing() as change:
            rows.touch(change, conversation)
    return draft


def account_of(conversation: Conversation, wanted: int | None) -> int | None:
    """The account's id if it belongs to the conversation's home team, else None."""
    if wanted is None:
        return None
    rows = Session.objects.filter(pk=wanted, team=conversation.home_team_id)
    return rows.values_list("pk", flat=True).first()


def see_account(*, user: User, conversation: Conversation, account_id: int) -> None:
    """Record that the writer has seen which account the reply will use."""
    if account_of(conversation, account_id) is not None:
        rows = conversation.drafts.filter(user=user, kind=DraftKind.REPLY)
        rows.update(account=account_id)


def put_draft(
    user: User, conversation: Conversation, text: str, *, account_id: int | None = None
) -> Draft:
    """Put a text back into the user's reply, before the text that is there.

    `account_id`: the account from which it was to be sent.
    """
    with transaction.atomic():
        draft = locked(user, conversation, DraftKind.REPLY, new_key())
        rest = draft.text.strip()
        draft.account_id = account_id or draft.account_id
        _write(draft, f"{text}\n{rest}" if rest and rest != text else text)
    return draft


def consume(
    user: User | None, conversation: Conversation, kind: str, key: str, *, next_key: str = ""
) -> None:
    """Delete the draft that was posted with this key. Runs in the caller's transaction.

    `next_key`: the key of the next draft, if the page has started one.
    """
    if user is None:
        return
    rows = Draft.objects.select_for_update().filter(conversation=conversation, user=user, kind=kind)
    draft = rows.filter(key=key).first()
    if draft is not None:
        draft.key, draft.account_id = next_key or new_key(), None
        _write(draft, "")


def _was_posted(conversation: Conversation, key: str) -> bool:
    if not key:
        return False
    posted = conversation.messages.filter(draft_key=key).exists()
    return posted or conversation.parked_replies.filter(draft_key=key).exists()


def files_changed(*draft_ids: int | None) -> None:
    """Count a change of the drafts' files, so that open pages update their list."""
    rows = Draft.objects.filter(pk__in=[one for one in draft_ids if one is not None])
    rows.update(files_number=F("files_number") + 1)


def locked(user: User, conversation: Conversation, kind: str, key: str) -> Draft:
    """Lock the user's draft in the caller's transaction; creates it if it does not exist."""
    Draft.objects.get_or_create(
        conversation=conversation, user=user, kind=kind, defaults={"key": key or new_key()}
    )
    rows = Draft.objects.select_for_update().filter(conversation=conversation)
    return rows.get(user=user, kind=kind)


def _write(draft: Draft, text: str) -> None:
    draft.text, draft.number, draft.updated_at = text, draft.number + 1, timezone.now()
    draft.save(update_fields=["text", "key", "number", "updated_at", "account"])
