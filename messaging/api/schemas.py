"""The API's request and response bodies. Ids are strings, times UTC with milliseconds."""

from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
)

from messaging.models.contact import NOTE_MOST


def iso(moment: datetime) -> str:
    """Format a time like 2026-11-23T15:30:00.123Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[
    datetime,
    PlainSerializer(iso, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]


def _storable(text: str) -> str:
    if "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text):
        raise ValueError("no NUL and no lone surrogate can be kept")
    return text


Words = Annotated[str, AfterValidator(_storable)]
"""Text that every database can store and search."""


def _parse_time(text: object) -> datetime:
    """An ISO 8601 time with a time zone, in a year that Python can convert."""
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        moment = moment.astimezone(UTC) if moment is not None and moment.tzinfo else None
    except (ValueError, OverflowError):
        moment = None
    if moment is None or not 2000 <= moment.year < 9000:
        raise ValueError("an ISO 8601 time with its zone")
    return moment


Time = Annotated[
    datetime,
    BeforeValidator(_parse_time),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]

NUL_FREE = {"pattern": "^[^\\u0000]*$"}
Name = Annotated[Words, Field(max_length=400, json_schema_extra=NUL_FREE)]
"""Longer than names may be, so that the rule for names can say what is wrong."""

UserId = Annotated[
    Words,
    Field(min_length=1, max_length=200, description="WeChat id.", json_schema_extra=NUL_FREE),
]


class Body(BaseModel):
    """A request body. Unknown fields are an error, so that a typing mistake is not ignored."""

    model_config = ConfigDict(extra="forbid", strict=True)


# ---------------------------------------------------------------- status, sessions, logins


class StatusOut(BaseModel):
    version: str
    is_connected: bool
    bot_id: str | None
    session_count: int
    connected_count: int
    is_held: bool


class SessionOut(BaseModel):
    name: str
    bot_id: str | None
    user_id: str | None
    state: str
    is_default: bool
    created_at: Moment
    last_poll_at: Moment | None
    last_message_at: Moment | None
    last_error: str | None


class SessionsOut(BaseModel):
    items: list[SessionOut]
    next: str | None


class RenameIn(Body):
    new_name: Name


class LoginIn(Body):
    name: Name | None = None
    force: bool = False


class LoginOut(BaseModel):
    id: str
    session: str
    status: str
    version: int
    qr_url: str | None
    qr_svg: str | None
    expires_at: Moment | None


class VerifyCodeIn(Body):
    code: Annotated[Words, Field(max_length=40, json_schema_extra=NUL_FREE)]


class ResolveIn(Body):
    model_config = ConfigDict(extra="forbid", strict=True, populate_by_name=True)

    as_: Annotated[str, Field(alias="as", pattern="^(replace|new)$")]
    name: Name | None = None


# ---------------------------------------------------------------- messages


class AttachmentOut(BaseModel):
    id: str
    kind: str
    file_name: str
    size: int | None
    content_type: str
    state: str
    error: str | None


class QuoteOut(BaseModel):
    """`id`: the quoted message, if it is stored here."""

    id: str | None
    text: str


class MessageErrorOut(BaseModel):
    code: str
    message: str


HeldBy = Annotated[
    str | None,
    Field(description="The failed or unconfirmed message that holds this one; see its dismiss."),
]


class MessageOut(BaseModel):
    id: str
    message_id: str | None
    client_id: str | None
    session: str
    bot_id: str | None
    user_id: str
    direction: str
    kind: str
    text: str
    attachments: list[AttachmentOut]
    quote: QuoteOut | None
    status: str
    error: MessageErrorOut | None
    held_by: HeldBy
    created_at: Moment
    stored_at: Moment
    sent_by: str | None


class MessagesOut(BaseModel):
    """`last_id`: the value for the next `after`."""

    items: list[MessageOut]
    next: str | None
    last_id: str


class UploadOut(BaseModel):
    """`kind`: how the file will be sent."""

    id: str
    size: int
    kind: str


class AttachmentIn(Body):
    """Either `content_base64` (for small files) or `upload_id`."""

    kind: Annotated[str, Field(pattern="^(image|voice|video|file)$")]
    file_name: Annotated[Words, Field(max_length=255, json_schema_extra=NUL_FREE)] = ""
    content_base64: str | None = None
    upload_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")] | None = None


class MessageIn(Body):
    to: UserId
    text: str = ""
    session: Name | None = None
    reply_to: Annotated[str, Field(pattern="^[0-9]{1,19}$")] | None = None
    attachments: Annotated[list[AttachmentIn], Field(max_length=50)] = []
    idempotency_key: (
        Annotated[
            Words,
            Field(min_length=1, max_length=200, json_schema_extra={"pattern": "^[^\\u0000]+$"}),
        ]
        | None
    ) = None
    override: bool = False


class QueuedOut(BaseModel):
    id: str
    status: str
    session: str
    remaining: int
    parts: list[str]
    held_by: HeldBy


class RetryIn(Body):
    override: bool = False


class DismissIn(Body):
    arrived: bool = False


# ---------------------------------------------------------------- conversations, contacts


class ConversationOut(BaseModel):
    id: str
    user_id: str
    name: str | None
    team: str
    status: str
    assignee: str | None
    unread: int
    last_message_at: Moment
    last_text: str
    session: str | None
    expires_at: Moment | None
    remaining: int
    labels: list[str]


class ConversationsOut(BaseModel):
    items: list[ConversationOut]
    next: str | None


class ConversationIn(Body):
    status: Annotated[str, Field(pattern="^(open|snoozed|resolved)$")] | None = None
    assignee: Name | None = None
    team: Name | None = None
    labels: Annotated[list[Name], Field(max_length=50)] | None = None
    snoozed_until: Time | None = None


class ContextOut(BaseModel):
    session: str
    expires_at: Moment
    remaining: int
    usable: bool


class ContactOut(BaseModel):
    """`name`, `note`: those of one team."""

    user_id: str
    name: str | None
    note: str | None
    fields: dict[str, Any]
    blocked: bool
    contexts: list[ContextOut]


class ContactIn(Body):
    name: Annotated[Words, Field(max_length=80, json_schema_extra=NUL_FREE)] | None = None
    note: Annotated[Words, Field(max_length=NOTE_MOST, json_schema_extra=NUL_FREE)] | None = None
    fields: dict[str, Any] | None = None
    blocked: bool | None = None


class TypingIn(Body):
    on: bool
