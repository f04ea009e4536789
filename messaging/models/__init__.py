"""Rows of the messaging side, one file per noun."""

from messaging.models.attachment import Attachment, AttachmentState
from messaging.models.contact import Contact
from messaging.models.conversation import Conversation
from messaging.models.message import (
    Direction,
    Message,
    MessageKind,
    MessageStatus,
    RawAnswer,
    SendAttempt,
)
from messaging.models.posted_key import PostedKey
from messaging.models.upload import Upload

__all__ = [
    "Attachment",
    "AttachmentState",
    "Contact",
    "Conversation",
    "Direction",
    "Message",
    "MessageKind",
    "MessageStatus",
    "PostedKey",
    "RawAnswer",
    "SendAttempt",
    "Upload",
]
