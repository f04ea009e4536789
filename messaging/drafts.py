"""What agents have begun to write. Only its owner's pages and actions change a draft, no event.

Two tabs share one draft; whoever saves over a change not seen is told of it instead.
"""

import uuid
from collections.abc import Iterable

from django.db import transaction
from django.utils import timezone

from messaging.models import Conversation, Draft, DraftKind
from sessions_app.models import User
from sessions_app.people.roles import Visitor
from sessions_app.realtime import announcing

MOST_CHARACTERS = 100_000


class DraftChanged(Exception):  # noqa: N818 - a statement
    """Another tab changed it meanwhile; `draft` is how it stands."""

    def __init__(self, draft: Draft) -> None:
        super().__init__(draft.number)
        self.draft = draft


def new_key() -> str:
    return uuid.uuid4().hex


def draft_of(user: Visitor, conversation: Conversation, kind: str = DraftKind.REPLY) -> Draft:
    """The person's draft; an empty one, not saved, where there is none."""
    if isinstance(user, User):
        found = conversation.drafts.filter(user=user, kind=kind).first()
        if found is not None:
            return found
    return Draft(conversation=conversation, kind=kind, key=new_key())


def drafts_of(user: Visitor, conversation: Conversation) -> dict[str, Draft]:
    """Both kinds, by kind. One query."""
    found = {}
    if isinstance(user, User):
        found = {one.kind: one for one in conversation.drafts.filter(user=user)}
    for kind in DraftKind.values:
        found.setdefault(kind, Draft(conversation=conversation, kind=kind, key=new_key()))
    return found


def drafted_in(user: Visitor, conversations: Iterable[Conversation]) -> set[int]:
    """Keys of those conversations in which the person has begun to write. One query."""
    if not isinstance(user, User):
        return set()
    begun = Draft.objects.filter(user=user, conversation__in=list(conversations))
    return set(begun.exclude(text="").values_list("conversation", flat=True))


def save_draft(
    *, user: User, conversation: Conversation, kind: str, text: str, key: str, number: int
) -> Draft:
    """Keep the text typed since change `number`. Raises DraftChanged where that is not the last."""
    with transaction.atomic():
        draft = _locked(user, conversation, kind, key)
        if draft.number != number:
            if draft.text == text:
                return draft
            raise DraftChanged(draft)
        begins_or_ends = bool(draft.text) != bool(text)
        _write(draft, text[:MOST_CHARACTERS])
    if begins_or_ends:  # seen on the list's row; apart, since a thread is locked before its drafts
        with announcing() as change:
            topic = f"conversation:{conversation.pk}"
            change.touch(conversation, f"team:{conversation.team_id}", topic)
    return draft


def put_draft(user: User, conversation: Conversation, text: str) -> Draft:
    """Bring a text back into the person's reply, before what stands there already."""
    with transaction.atomic():
        draft = _locked(user, conversation, DraftKind.REPLY, new_key())
        rest = draft.text.strip()
        _write(draft, f"{text}\n{rest}" if rest and rest != text else text)
    return draft


def consume(user: User | None, conversation: Conversation, kind: str, key: str) -> None:
    """The message posted with this key takes the draft along. In the caller's transaction."""
    if user is None:
        return
    rows = Draft.objects.select_for_update().filter(conversation=conversation, user=user, kind=kind)
    draft = rows.filter(key=key).first()
    if draft is not None:
        draft.key = new_key()
        _write(draft, "")


def _locked(user: User, conversation: Conversation, kind: str, key: str) -> Draft:
    Draft.objects.get_or_create(
        conversation=conversation, user=user, kind=kind, defaults={"key": key or new_key()}
    )
    rows = Draft.objects.select_for_update().filter(conversation=conversation)
    return rows.get(user=user, kind=kind)


def _write(draft: Draft, text: str) -> None:
    draft.text, draft.number, draft.updated_at = text, draft.number + 1, timezone.now()
    draft.save(update_fields=["text", "key", "number", "updated_at"])
