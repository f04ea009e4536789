"""Rows of the messaging side, one file per noun."""

from messaging.models.attachment import Attachment, AttachmentState
from messaging.models.contact import Contact
from messaging.models.conversation import Conversation, ConversationStatus
from messaging.models.departure import Departure
from messaging.models.label import Label
from messaging.models.message import (
    Direction,
    Message,
    MessageKind,
    MessageStatus,
    RawAnswer,
    SendAttempt,
)
from messaging.models.posted_key import PostedKey

__all__ = [
    "Attachment",
    "AttachmentState",
    "Contact",
    "Conversation",
    "ConversationStatus",
    "Departure",
    "Direction",
    "Label",
    "Message",
    "MessageKind",
    "MessageStatus",
    "PostedKey",
    "RawAnswer",
    "SendAttempt",
]
