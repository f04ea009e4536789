"""Files of a draft: on the server from the moment they came, in the order they will be sent.

They live as long as their draft is changed from time to time, and until a day after its owner may
not answer there any more. Whose bytes are gone stays in the draft without them: the page says so,
and sending refuses it.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from messaging.composing import drafts
from messaging.conversations.access import conversations_of
from messaging.conversations.errors import FileProblem
from messaging.delivering import outbox
from messaging.media import reasons, storing
from messaging.media.limits import limits
from messaging.models import Conversation, Draft, DraftKind, Upload
from sessions_app.models import User
from sessions_app.people.roles import answerers_of
from sessions_app.realtime.streams import Change, announcing

MOST_PLACE = 30_000
MOST_NAMED = 3


class NoSuchFile(Exception):  # noqa: N818 - a statement
    """The person's draft of this conversation has no such file."""


def files_of(draft: Draft) -> list[Upload]:
    """In the order they will be sent."""
    if draft.pk is None:
        return []
    return list(draft.files.order_by("place", "created_at", "pk"))


def add(
    *,
    user: User,
    conversation: Conversation,
    upload: Upload,
    key: str,
    place: int | None = None,
    account_id: int | None = None,
) -> Draft:
    """Put what the person brought into their reply. `place`: where its page shows it; None: last.

    `key`: of the draft as the page knows it; `account_id`: the account on its Send button.
    Raises FileProblem `too_many_files`.
    """
    with announcing() as change:
        draft = _locked(conversation, user, key)
        if draft.files.filter(pk=upload.pk).exists():  # its first answer was lost
            return draft
        if draft.files.count() >= limits().most_files_per_draft:
            raise FileProblem("too_many_files", reasons.sentence("too_many_files"))
        if place is None:
            last = draft.files.aggregate(last=Max("place"))["last"]
            place = 0 if last is None else last + 1
        mine = Upload.objects.filter(pk=upload.pk, owner=user, draft=None)
        mine.update(draft=draft, place=min(max(place, 0), MOST_PLACE))
        if draft.account_id is None:  # a slow file was begun before what its writer saw since
            account = drafts.account_of(conversation, account_id)
            Draft.objects.filter(pk=draft.pk).update(account=account)
        return _changed(change, draft)


def remove(*, user: User, conversation: Conversation, upload_id: str) -> None:
    """Raises NoSuchFile."""
    with announcing() as change:
        draft = _locked(conversation, user)
        row = draft.files.filter(pk=upload_id, owner=user).first()
        if row is None:
            raise NoSuchFile(upload_id)
        row.delete()
        _changed(change, draft)
    storing.remove(row.stored_names())


def put_in_order(*, user: User, conversation: Conversation, ids: Sequence[str]) -> None:
    """The files named, in this order; those that the page did not know come after them.

    One that is not here yet keeps its place.
    """
    with announcing() as change:
        draft = _locked(conversation, user)
        _place(draft, ids)
        _changed(change, draft)


def put_first(draft: Draft, files: Sequence[Upload]) -> None:
    """What came back from a message stands before what was added since. In a transaction."""
    Upload.objects.filter(pk__in=[one.pk for one in files]).update(draft=draft)
    _place(draft, [one.pk for one in files])
    drafts.files_changed(draft.pk)
    draft.refresh_from_db(fields=["files_number"])


def _place(draft: Draft, ids: Sequence[str]) -> None:
    wanted = {pk: place for place, pk in enumerate(ids)}
    rows = files_of(draft)
    others = (row.pk for row in rows if row.pk not in wanted)
    wanted |= {pk: place for place, pk in enumerate(others, len(ids))}
    for row in rows:
        row.place = wanted[row.pk]
    Upload.objects.bulk_update(rows, ["place"])


def _locked(conversation: Conversation, user: User, key: str = "") -> Draft:
    """A thread is locked before its drafts, as by what sends them."""
    locked = outbox.lock_conversation(conversation.pk)
    draft = drafts.locked(user, locked, DraftKind.REPLY, key)
    draft.conversation = locked
    return draft


def _changed(change: Change, draft: Draft) -> Draft:
    """Its owner's other pages show it, on this machine and on others."""
    Draft.objects.filter(pk=draft.pk).update(updated_at=timezone.now())
    drafts.files_changed(draft.pk)
    draft.refresh_from_db(fields=["files_number", "updated_at"])
    conversation = draft.conversation
    change.touch(conversation, f"team:{conversation.team_id}", f"conversation:{conversation.pk}")
    return draft


def clear_unneeded(now: datetime) -> int:
    """Remove the bytes that no living draft needs; returns of how many files. Run by the worker."""
    _see_rights(now)
    return sum(_clear(row) for row in _unneeded(now))


def make_room(owner: User, least: int) -> None:
    """So many bytes go, the oldest first, of drafts that their writer left alone for a day.

    Not where they lost their right: those files have a day of their own.
    """
    idle = Q(draft__updated_at__lt=timezone.now() - limits().upload_kept)
    rows = _held().filter(idle, owner=owner, draft__unneeded_since=None)
    for row in rows.select_related("draft").order_by("draft__updated_at", "-stored_bytes"):
        if least <= 0:
            break
        held = row.stored_bytes
        least -= held if _clear(row) else 0


def people_with_files(owner: User) -> list[str]:
    """For whom the owner's unsent files are: those with the most bytes, whom the owner may see."""
    there = Draft.objects.filter(files__in=_held().filter(owner=owner))
    there = there.filter(conversation__in=conversations_of(owner))
    rows = there.annotate(held=Sum("files__stored_bytes")).order_by("-held", "pk")
    rows = rows.select_related("conversation__contact")[:MOST_NAMED]
    return [row.conversation.contact.display_name for row in rows]


def _clear(row: Upload) -> bool:
    """Its bytes go; its name stays in the draft. False where it was sent or removed meanwhile."""
    names = row.stored_names()
    empty = {"stored_name": "", "thumb_name": "", "sound_name": "", "stored_bytes": 0}
    with announcing() as change:
        conversation = outbox.lock_conversation(row.draft.conversation_id) if row.draft else None
        still = Upload.objects.filter(pk=row.pk, draft=row.draft_id, stored_name=names[0])
        if conversation is None or not still.update(**empty):
            return False
        drafts.files_changed(row.draft_id)
        change.touch(
            conversation, f"team:{conversation.team_id}", f"conversation:{conversation.pk}"
        )
    storing.remove(names)
    return True


def _held() -> QuerySet[Upload]:
    return Upload.objects.filter(draft__isnull=False).exclude(stored_name="")


def _see_rights(now: datetime) -> None:
    """Note since when somebody may not answer where their draft has files, or that they may."""
    holding = Draft.objects.filter(Exists(_held().filter(draft=OuterRef("pk"))))
    for team in holding.values_list("conversation__team", flat=True).distinct():
        there = holding.filter(conversation__team=team)
        may = Q(user__in=answerers_of([team]).order_by().values("pk"))
        there.filter(may, unneeded_since__isnull=False).update(unneeded_since=None)
        there.filter(~may, unneeded_since=None).update(unneeded_since=now)


def _unneeded(now: datetime) -> list[Upload]:
    """Of drafts that nobody changed for long, and of those whose right is gone for a day."""
    kept = limits()
    left = Q(draft__updated_at__lt=now - kept.draft_files_kept)
    lost = Q(draft__unneeded_since__lt=now - kept.upload_kept)
    return list(_held().filter(left | lost).select_related("draft").order_by("pk"))
