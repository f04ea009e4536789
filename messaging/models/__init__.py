"""The models of messaging, one file per model."""

from messaging.models.attachment import Attachment, AttachmentState
from messaging.models.contact import Contact, TeamContact
from messaging.models.conversation import ELSEWHERE, Conversation, ConversationStatus
from messaging.models.departure import Departure
from messaging.models.draft import Draft, DraftKind
from messaging.models.label import Label
from messaging.models.mention import Mention
from messaging.models.message import (
    MESSAGE_STREAM,
    SPOKEN,
    Direction,
    EventCode,
    Message,
    MessageKind,
    MessageStatus,
    RawAnswer,
    SendAttempt,
)
from messaging.models.parked_reply import ParkedReply, ParkedState
from messaging.models.posted_key import PostedKey
from messaging.models.retention import ForgettingKey, Forgotten, Removal, SweepPosition
from messaging.models.typing import Typing
from messaging.models.upload import Upload
from messaging.models.work_action import WorkAction, WorkChange

__all__ = [
    "ELSEWHERE",
    "MESSAGE_STREAM",
    "SPOKEN",
    "Attachment",
    "AttachmentState",
    "Contact",
    "Conversation",
    "ConversationStatus",
    "Departure",
    "Direction",
    "Draft",
    "DraftKind",
    "EventCode",
    "ForgettingKey",
    "Forgotten",
    "Label",
    "Mention",
    "Message",
    "MessageKind",
    "MessageStatus",
    "ParkedReply",
    "ParkedState",
    "PostedKey",
    "RawAnswer",
    "Removal",
    "SendAttempt",
    "SweepPosition",
    "TeamContact",
    "Typing",
    "Upload",
    "WorkAction",
    "WorkChange",
]
