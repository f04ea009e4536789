"""Files attached to a draft: stored on upload, in the order in which they will be sent.

A file is kept while its draft is edited from time to time, and for a day after the draft's owner
has lost the right to answer. When the bytes are deleted, the row stays: the page says that the file
is gone, and a reply with it is refused.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Exists, Max, OuterRef, Q, QuerySet, Sum
from django.utils import timezone

from messaging.composing import drafts
from messaging.conversations import rows
from messaging.conversations.access import conversations_of
from messaging.conversations.errors import FileProblem
from messaging.media import reasons, storing
from messaging.media.limits import limits
from messaging.models import Conversation, Draft, DraftKind, Upload
from sessions_app.models import User
from sessions_app.people.roles import answerers_of
from sessions_app.realtime.streams import Change, announcing

MOST_PLACE = 30_000
MOST_NAMED = 3


class NoSuchFile(Exception):  # noqa: N818 - a statement
    """The user's draft in this conversation has no such file."""


def files_of(draft: Draft) -> list[Upload]:
    """The draft's files in sending order."""
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
    """Attach an upload to the user's reply. `place`: its position in the list; None: at the end.

    `key`: the key of the draft that the page shows; `account_id`: the account that its Send button
    names. Raises FileProblem `too_many_files`.
    """
    with announcing() as change:
        draft = _locked(conversation, user, key)
        if draft.files.filter(pk=upload.pk).exists():  # a retry: the first answer was lost
            return draft
        if draft.files.count() >= limits().most_files_per_draft:
            raise FileProblem("too_many_files", reasons.sentence("too_many_files"))
        if place is None:
            last = draft.files.aggregate(last=Max("place"))["last"]
            place = 0 if last is None else last + 1
        mine = Upload.objects.filter(pk=upload.pk, owner=user, draft=None)
        mine.update(draft=draft, place=min(max(place, 0), MOST_PLACE))
        if draft.account_id is None:  # keep an account that the page has saved meanwhile
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
    """Order the files by `ids`. Files that the page does not know follow at the end.

    An id whose upload has not arrived yet keeps its position.
    """
    with announcing() as change:
        draft = _locked(conversation, user)
        _place(draft, ids)
        _changed(change, draft)


def put_first(draft: Draft, files: Sequence[Upload]) -> None:
    """Put files that a message gave back before newer ones. Call it in a transaction."""
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
    """Lock the conversation, then the draft: sending locks in this order, too."""
    locked = rows.lock(conversation.pk)
    draft = drafts.locked(user, locked, DraftKind.REPLY, key)
    draft.conversation = locked
    return draft


def _changed(change: Change, draft: Draft) -> Draft:
    """Record the change, so that the owner's other pages show it."""
    Draft.objects.filter(pk=draft.pk).update(updated_at=timezone.now())
    drafts.files_changed(draft.pk)
    draft.refresh_from_db(fields=["files_number", "updated_at"])
    rows.touch(change, draft.conversation)
    return draft


def clear_unneeded(now: datetime) -> int:
    """Delete the bytes of files that no draft in use needs. Returns the number of files."""
    _see_rights(now)
    return sum(_clear(row) for row in _unneeded(now))


def make_room(owner: User, least: int) -> None:
    """Delete at least `least` bytes, oldest drafts first, of drafts unchanged for a day.

    Drafts whose owner lost the right to answer are left out: `clear_unneeded` handles them.
    """
    idle = Q(draft__updated_at__lt=timezone.now() - limits().upload_kept)
    rows = _held().filter(idle, owner=owner, draft__unneeded_since=None)
    for row in rows.select_related("draft").order_by("draft__updated_at", "-stored_bytes"):
        if least <= 0:
            break
        held = row.stored_bytes
        least -= held if _clear(row) else 0


def people_with_files(owner: User) -> list[str]:
    """Names of the contacts for whom the owner has the most unsent bytes and whom they may see."""
    there = Draft.objects.filter(files__in=_held().filter(owner=owner))
    there = there.filter(conversation__in=conversations_of(owner))
    rows = there.annotate(held=Sum("files__stored_bytes")).order_by("-held", "pk")
    rows = rows.select_related("conversation__contact", "conversation__team_contact")
    return [row.conversation.contact_name for row in rows[:MOST_NAMED]]


def _clear(row: Upload) -> bool:
    """Delete the bytes, keep the name. False if the file was sent or removed meanwhile."""
    names = row.stored_names()
    empty = {"stored_name": "", "thumb_name": "", "sound_name": "", "stored_bytes": 0}
    with announcing() as change:
        conversation = rows.lock(row.draft.conversation_id) if row.draft else None
        still = Upload.objects.filter(pk=row.pk, draft=row.draft_id, stored_name=names[0])
        if conversation is None or not still.update(**empty):
            return False
        drafts.files_changed(row.draft_id)
        rows.touch(change, conversation)
    storing.remove(names)
    return True


def _held() -> QuerySet[Upload]:
    return Upload.objects.filter(draft__isnull=False).exclude(stored_name="")


def _see_rights(now: datetime) -> None:
    """Record when a draft's owner lost the right to answer, or that they have it again."""
    holding = Draft.objects.filter(Exists(_held().filter(draft=OuterRef("pk"))))
    for team in holding.values_list("conversation__team", flat=True).distinct():
        there = holding.filter(conversation__team=team)
        may = Q(user__in=answerers_of([team]).order_by().values("pk"))
        there.filter(may, unneeded_since__isnull=False).update(unneeded_since=None)
        there.filter(~may, unneeded_since=None).update(unneeded_since=now)


def _unneeded(now: datetime) -> list[Upload]:
    """Files of drafts that are too old, or whose owner lost the right over a day ago."""
    kept = limits()
    left = Q(draft__updated_at__lt=now - kept.draft_files_kept)
    lost = Q(draft__unneeded_since__lt=now - kept.upload_kept)
    return list(_held().filter(left | lost).select_related("draft").order_by("pk"))
