"""Which queued messages wait for an upload, and the items to send once it is done.

`messaging.delivering.outbox` imports this module, so it must not import the outbox.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import F, Q, QuerySet

from messaging.media.limits import limits
from messaging.models import Attachment, Message, MessageKind
from sessions_app.database.encryption import decrypt, encrypt
from sessions_app.ilink.wire import (
    OutgoingItem,
    UploadedFile,
    UploadKind,
    file_item,
    image_item,
    text_item,
    video_item,
)
from sessions_app.models import SENDING_STATES

UPLOAD_KINDS = {
    MessageKind.IMAGE: UploadKind.IMAGE,
    MessageKind.VIDEO: UploadKind.VIDEO,
    MessageKind.FILE: UploadKind.FILE,
}


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file uploaded to WeChat, ready to be sent in a message."""

    kind: str
    file_name: str
    uploaded: UploadedFile = field(repr=False)


def _is_uploaded(now: datetime) -> Q:
    """Uploaded for the binding that will send it, and recently enough."""
    return Q(
        uploaded_at__gt=now - limits().upload_good_for,
        uploaded_generation=F("message__session__generation"),
    )


def not_uploaded(now: datetime) -> QuerySet[Attachment]:
    """Files to upload before their message can go, for sessions that can send.

    Messages of other sessions go on to the queue, which says why they fail.
    """
    rows = Attachment.objects.filter(message__session__state__in=SENDING_STATES)
    return rows.exclude(_is_uploaded(now))


def sent_file(message: Message, now: datetime) -> tuple[SentFile | None, str]:
    """The file of a message to send, or the code of what prevents it.

    (None, "") for a text. Raises DecryptionError.
    """
    if message.kind == MessageKind.TEXT:
        return None, ""
    row = message.attachments.annotate(is_uploaded=_is_uploaded(now)).first()
    if row is None:
        return None, ""
    if not row.encrypted_upload or not row.is_uploaded:
        return None, "not_uploaded"
    return SentFile(row.kind, row.file_name, unpack(row.encrypted_upload)), ""


def item_of(text: str, file: SentFile | None) -> OutgoingItem:
    """The one item of a message; WeChat takes no more. Raises TextTooLongError."""
    if file is None:
        return text_item(text)
    if file.kind == MessageKind.IMAGE:
        return image_item(file.uploaded)
    if file.kind == MessageKind.VIDEO:
        return video_item(file.uploaded)
    return file_item(file.uploaded, file_name=file.file_name or "file")


def pack(uploaded: UploadedFile) -> str:
    """Serialize encrypted, because the key opens the file."""
    return encrypt(
        json.dumps(
            {
                "param": uploaded.encrypt_query_param,
                "key": uploaded.key.hex(),
                "size": uploaded.size,
                "md5": uploaded.md5,
            }
        )
    )


def unpack(encrypted: str) -> UploadedFile:
    """Raises DecryptionError."""
    kept = json.loads(decrypt(encrypted))
    return UploadedFile(
        encrypt_query_param=kept["param"],
        key=bytes.fromhex(kept["key"]),
        size=kept["size"],
        md5=kept["md5"],
    )
