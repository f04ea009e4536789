"""Forgets a person: all that is kept about them in all teams goes, and hashes of ids stay.

`forget` first takes the person's id and everything that names them, in one transaction: from then
on a message of theirs is that of a new person. Messages and files follow in small steps. If it is
interrupted, the worker goes on (`go_on`). See docs/operations.md for what lies elsewhere.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import OperationalError, connection
from django.db.models import Q
from django.utils import timezone

from messaging.conversations import rows
from messaging.forgotten import hashes
from messaging.models import (
    SPOKEN,
    Contact,
    Conversation,
    ConversationStatus,
    Draft,
    Forgotten,
    Message,
    MessageKind,
    MessageStatus,
    ParkedReply,
    RawAnswer,
    SendAttempt,
    SweepPosition,
    TeamContact,
    Typing,
    WorkChange,
)
from messaging.retention.deleting import delete_drafts, delete_messages, remove_conversations
from messaging.retention.positions import AT_ONCE
from sessions_app.database.encryption import DecryptionError, decrypt_bytes
from sessions_app.models import Context, Session
from sessions_app.realtime.streams import Change, announcing, wake_workers
from sessions_app.recording.actions import Action, Kind
from sessions_app.recording.record import Subject, record

JOB = "forgetting "
"""Followed by the contact's key: a row of `SweepPosition` while the messages are being deleted."""
PLACEHOLDER = "forgotten:"
"""What the id of a contact begins with while their messages are being deleted."""
OWN_KEYS = "out:"
"""Keys of replies that were written here: WeChat never names them."""
RAW_AT_ONCE = 20
"""Unreadable answers in memory at a time; each may have a megabyte."""


class UnknownPerson(Exception):  # noqa: N818 - a statement
    """Nothing is kept here about anybody with this WeChat id."""


class SendingNow(Exception):  # noqa: N818 - a statement
    """A reply to this person is being sent. It takes seconds until its outcome is known."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was deleted, and what is left. `unread_answers`: could not be decrypted, so they stay.

    `owned`: names of accounts that the person registered with their own WeChat.
    """

    messages: int
    conversations: int
    unread_answers: int
    owned: list[str]
    is_done: bool


def forget(wechat_id: str, *, most_steps: int | None = None) -> Report:
    """Forget one person. Raises UnknownPerson, SendingNow, DecryptionError.

    `most_steps`: how many steps through the messages; the worker does the others.
    """
    _erase_when_deleting()
    unread, now = _delete_unreadable(wechat_id), timezone.now()
    contact_id, messages = _begin(wechat_id, now)
    is_done = contact_id is None
    conversations = Conversation.objects.filter(contact=contact_id).count()
    for _step in count() if most_steps is None else range(most_steps):
        if is_done or contact_id is None:
            break
        messages += (deleted := _delete_some(contact_id))
        is_done = not deleted
    # An answer that was being stored meanwhile may have brought their token back.
    Context.objects.filter(user_id=wechat_id, received_at__lte=now).delete()
    return Report(messages, conversations, unread, _owned(wechat_id), is_done)


def is_known(wechat_id: str) -> bool:
    return (
        Contact.objects.filter(user_id=wechat_id).exists()
        or Context.objects.filter(user_id=wechat_id).exists()
    )


def go_on() -> bool:
    """One step of what was interrupted. True: there may be more to do."""
    begun = SweepPosition.objects.filter(job__startswith=JOB).order_by("pk")
    contact_id = begun.values_list("last_key", flat=True).first()
    if contact_id is None:
        return False
    _erase_when_deleting()
    _delete_some(contact_id)
    return True


def _begin(wechat_id: str, now: datetime) -> tuple[int | None, int]:
    """Take the id and what names the person.

    Returns the contact's key, None if there is none, and the number of deleted replies that waited.
    """
    with announcing() as change:
        contact = Contact.objects.filter(user_id=wechat_id).first()
        conversations = rows.lock_many(Conversation.objects.filter(contact=contact))
        contexts = Context.objects.select_for_update(no_key=True).filter(user_id=wechat_id)
        if contact is None and not contexts:
            raise UnknownPerson  # without the id, which a log must not hold
        messages = Message.objects.filter(conversation__in=conversations)
        if messages.filter(status=MessageStatus.SENDING).exists():
            raise SendingNow
        _remember(hashes.key_in_use(now), wechat_id, now)
        queued = list(messages.filter(status=MessageStatus.QUEUED).values_list("pk", flat=True))
        _delete(queued)
        contexts.delete()
        if contact is not None:
            _take_names(contact, conversations)
            _blank(change, conversations)
            SweepPosition.objects.create(job=f"{JOB}{contact.pk}", last_key=contact.pk)
        record(Action.CUSTOMER_FORGOTTEN, Subject(Kind.CUSTOMER, contact.pk if contact else ""))
        wake_workers()
    return None if contact is None else contact.pk, len(queued)


def _remember(key: bytes, wechat_id: str, now: datetime) -> None:
    until_ms = int(now.timestamp() * 1000)
    Forgotten.objects.update_or_create(
        digest=hashes.of_person(key, wechat_id), defaults={"written_until_ms": until_ms}
    )


def _take_names(contact: Contact, conversations: Sequence[Conversation]) -> None:
    """Delete the id, names and notes, what members were writing, and what else names the person."""
    named = TeamContact.objects.filter(contact=contact)
    _delete_log_entries(TeamContact, named.values_list("pk", flat=True))
    named.delete()
    ids = [one.pk for one in conversations]
    delete_drafts(Q(pk__in=Draft.objects.filter(conversation__in=ids)))
    for model in (ParkedReply, Typing, WorkChange):
        model._default_manager.filter(conversation__in=ids).delete()
    Conversation.labels.through.objects.filter(conversation__in=ids).delete()
    _delete_log_entries(Conversation, ids)
    _delete_log_entries(Contact, [contact.pk])
    placeholder = f"{PLACEHOLDER}{contact.pk}"
    Contact.objects.filter(pk=contact.pk).update(user_id=placeholder, folded="")


def _delete_log_entries(model: type, keys: Collection[int]) -> None:
    """Django's admin keeps what it called the rows that somebody edited."""
    entries = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(model))
    entries.filter(object_id__in=[str(key) for key in keys]).delete()


def _blank(change: Change, conversations: Sequence[Conversation]) -> None:
    """Show nothing of the person on the rows that lists still have."""
    columns = {
        "status": ConversationStatus.RESOLVED,
        "snoozed_until": None,
        "waiting_since": None,
        "missed_at": None,
        "not_sent": 0,
        "unread": 0,
        "session_id": None,
        "closes_at": None,
        "replies_used": 0,
        "last_kind": MessageKind.TEXT,
        "last_text": "",
    }
    ids = [one.pk for one in conversations]
    Conversation.objects.filter(pk__in=ids).update(**columns)
    for conversation in conversations:
        rows.touch(change, conversation)


def _delete_some(contact_id: int) -> int:
    """Delete the newest messages that are left. Returns how many; after the last the rest goes."""
    with announcing() as change:
        conversations = rows.lock_many(Conversation.objects.filter(contact=contact_id))
        messages = Message.objects.filter(conversation__in=conversations).order_by("-pk")
        ids = list(messages.values_list("pk", flat=True)[:AT_ONCE])
        if ids:
            _delete(ids)
            for conversation in conversations:
                rows.touch(change, conversation)
        else:
            _end(change, contact_id, conversations)
    return len(ids)


def _delete(ids: Collection[int]) -> None:
    """Delete messages, and keep hashes of their ids."""
    if not ids:
        return
    key = hashes.key_in_use(timezone.now())
    digests: set[str] = set()
    messages = Message.objects.filter(pk__in=ids, direction__in=SPOKEN)
    for session_id, dedupe_key, wire_id in messages.values_list("session", "dedupe_key", "wire_id"):
        if not dedupe_key.startswith(OWN_KEYS):
            digests.add(hashes.of_message(key, session_id, dedupe_key))
        if wire_id:
            digests.add(hashes.of_message(key, session_id, f"id:{wire_id}"))
    attempts = SendAttempt.objects.filter(message__in=ids)
    clients = {*attempts.values_list("client_id", flat=True)}
    clients |= {*messages.values_list("client_id", flat=True)} - {""}
    digests |= {hashes.of_client_id(key, one) for one in clients}
    Forgotten.objects.bulk_create(
        [Forgotten(digest=one) for one in sorted(digests)], ignore_conflicts=True
    )
    _delete_log_entries(Message, ids)
    delete_messages(ids)


def _end(change: Change, contact_id: int, conversations: Sequence[Conversation]) -> None:
    """Delete the emptied conversations, then the contact. Pages drop the rows."""
    remove_conversations(change, conversations)
    Contact.objects.filter(pk=contact_id).delete()
    SweepPosition.objects.filter(job=f"{JOB}{contact_id}").delete()


def _delete_unreadable(wechat_id: str) -> int:
    """Delete unreadable answers that hold the id. Returns how many could not be decrypted."""
    wanted, after, unread = wechat_id.encode("utf-8", "surrogatepass"), 0, 0
    while True:
        answers = RawAnswer.objects.filter(pk__gt=after).exclude(encrypted_body=b"")
        found = list(answers.order_by("pk")[:RAW_AT_ONCE])
        if not found:
            return unread
        after = found[-1].pk
        for one in found:
            try:
                holds = wanted in decrypt_bytes(one.encrypted_body)
            except DecryptionError:
                unread += 1
                continue
            if holds:
                one.delete()


def _owned(wechat_id: str) -> list[str]:
    """Accounts that the person registered. The id of deleted ones goes, living ones need it."""
    theirs = Session.objects.filter(owner_id=wechat_id)
    theirs.exclude(deleted_at=None).update(owner_id="")
    return list(theirs.order_by("name").values_list("name", flat=True))


def _erase_when_deleting() -> None:
    """SQLite overwrites what this connection deletes; else it would stay in the file's free pages.

    PostgreSQL does so at its next vacuum.
    """
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA secure_delete = ON")


def truncate_log() -> None:
    """SQLite's log holds former content until it is written over. Left as it is while in use."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with suppress(OperationalError), connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
