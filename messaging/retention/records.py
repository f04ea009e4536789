"""What is kept about a person, as records for an export. Tokens and keys are left out."""

import json
import re
from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet

from messaging.models import (
    Attachment,
    Contact,
    Conversation,
    Draft,
    Message,
    ParkedReply,
    SendAttempt,
    TeamContact,
    Upload,
)
from messaging.retention.positions import AT_ONCE
from sessions_app.database.encryption import DecryptionError, decrypt_bytes
from sessions_app.models import Context, Session

_SECRET = re.compile(r"token|ticket|aes_?key|encrypt|^url$|_url$|param", re.IGNORECASE)
"""Names of fields with which somebody could write as an account, or open a file at WeChat."""
LEFT_OUT = "(left out)"

Record = dict[str, Any]


def person(wechat_id: str) -> Record:
    """Who it is, what each team calls them, and with which accounts they wrote."""
    contact = Contact.objects.filter(user_id=wechat_id).first()
    contexts = Context.objects.filter(user_id=wechat_id).select_related("session").order_by("pk")
    words = TeamContact.objects.filter(contact=contact).select_related("team").order_by("pk")
    owned = Session.objects.filter(owner_id=wechat_id).order_by("pk")
    return {
        "wechat_id": wechat_id,
        "number": contact.number if contact else None,
        "first_seen": contact.created_at if contact else None,
        "teams": [{"team": one.team.name, "name": one.name, "note": one.note} for one in words],
        "accounts_written_to": [
            {
                "account": one.session.name,
                "first_seen": one.first_seen_at,
                "last_message": one.received_at,
                "replies_used": one.replies_used,
                "last_reply": one.last_reply_at,
            }
            for one in contexts
        ],
        "accounts_registered": [
            {"account": one.name, "bound": one.bound_at, "deleted": one.deleted_at} for one in owned
        ],
    }


def conversations(wechat_id: str) -> Iterator[Record]:
    rows = Conversation.objects.filter(contact__user_id=wechat_id).order_by("pk")
    rows = rows.select_related("team", "home_team", "assignee").prefetch_related("labels")
    for one in rows:
        yield {
            "id": str(one.pk),
            "team": one.team.name,
            "home_team": one.home_team.name,
            "status": one.status,
            "assignee": one.assignee.username if one.assignee else None,
            "labels": [label.name for label in one.labels.all()],
            "created": one.created_at,
            "last_message": one.last_at,
            "snoozed_until": one.snoozed_until,
            "drafts": [_draft(draft) for draft in one.drafts.select_related("user")],
            "parked_replies": [_parked(each) for each in one.parked_replies.select_related("by")],
        }


def _draft(draft: Draft) -> Record:
    return {
        "by": draft.user.username,
        "kind": draft.kind,
        "text": draft.text,
        "changed": draft.updated_at,
        "files": [_upload(one) for one in draft.files.order_by("place", "pk")],
    }


def _upload(upload: Upload) -> Record:
    there = archive_name(upload) if upload.stored_name else None
    return {"file_name": upload.file_name, "size": upload.size, "file": there}


def _parked(parked: ParkedReply) -> Record:
    return {
        "by": parked.by.username if parked.by else None,
        "text": parked.text,
        "state": parked.state,
        "written": parked.created_at,
        "expires": parked.expires_at,
    }


def messages(wechat_id: str) -> Iterator[Record]:
    """Messages, notes and events of all teams, oldest first. Some hundred are in memory."""
    rows = Message.objects.filter(conversation__contact__user_id=wechat_id)
    rows = rows.select_related("session", "sent_by").prefetch_related("attachments", "attempts")
    for row in _in_parts(rows):
        yield _message(row)


def _in_parts(rows: QuerySet[Any]) -> Iterator[Any]:
    """All rows by key. Each part is a statement of its own, so that nothing stays open long."""
    after = 0
    while part := list(rows.filter(pk__gt=after).order_by("pk")[:AT_ONCE]):
        yield from part
        after = part[-1].pk


def _message(one: Message) -> Record:
    return {
        "id": str(one.pk),
        "conversation": str(one.conversation_id),
        "account": one.session.name,
        "direction": one.direction,
        "kind": one.kind,
        "text": one.text,
        "quote": one.quote_text,
        "quote_of": str(one.quote_of_id) if one.quote_of_id else None,
        "event": one.event,
        "event_detail": one.event_detail,
        "status": one.status,
        "error": one.error_code,
        "by": one.sent_by.username if one.sent_by else None,
        "written": one.created_at,
        "stored": one.stored_at,
        "recalled": one.recalled_at,
        "wechat_message_id": one.wire_id,
        "attempts": [_attempt(each) for each in one.attempts.all()],
        "files": [_attachment(each) for each in one.attachments.all()],
        "raw": _raw(one),
    }


def _attempt(attempt: SendAttempt) -> Record:
    return {
        "client_id": attempt.client_id,
        "started": attempt.started_at,
        "finished": attempt.finished_at,
        "outcome": attempt.outcome,
    }


def _attachment(one: Attachment) -> Record:
    return {
        "kind": one.kind,
        "file_name": one.file_name,
        "size": one.size,
        "content_type": one.content_type,
        "duration_ms": one.duration_ms,
        "transcript": one.transcript,
        "state": one.state,
        "file": archive_name(one) if one.stored_name else None,
    }


def _raw(message: Message) -> Any:
    """WeChat's own form of the message; None if it is not kept or cannot be read."""
    if not message.encrypted_raw:
        return None
    try:
        return without_secrets(json.loads(decrypt_bytes(message.encrypted_raw)))
    except (DecryptionError, ValueError, RecursionError):
        return None


def without_secrets(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: LEFT_OUT if inner and _SECRET.search(name) else without_secrets(inner)
            for name, inner in value.items()
        }
    return [without_secrets(inner) for inner in value] if isinstance(value, list) else value


def stored_files(wechat_id: str) -> Iterator[Attachment | Upload]:
    """Files of messages, then files of drafts, whose bytes are here."""
    sent = Attachment.objects.filter(message__conversation__contact__user_id=wechat_id)
    columns = ("stored_name", "content_type", "file_name", "kind")
    yield from _in_parts(sent.exclude(stored_name="").only(*columns))
    drafted = Upload.objects.filter(draft__conversation__contact__user_id=wechat_id)
    yield from drafted.exclude(stored_name="").only(*columns)


def archive_name(one: Attachment | Upload) -> str:
    """Its place in the archive. Of the name as sent only harmless characters are taken."""
    kept = re.sub(r"[^\w.-]", "_", one.file_name)[-80:].lstrip(".")
    folder = "files" if isinstance(one, Attachment) else "drafts"
    return f"{folder}/{one.pk}-{kept or one.kind}"
