"""Frozen values of the protocol: incoming messages, answers, and limits.

Nothing here reads or writes JSON. Field names follow the protocol; names contain the unit.
"""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

MAX_TEXT_BYTES = 16_384  # bytes of UTF-8; a longer text is answered with -2
# WeChat's limits as observed. They are the defaults of the team's settings, which the console uses;
# the Python API reads no settings and uses these.
REPLIES_PER_TOKEN = 10
WINDOW_HOURS = 24
MAX_LOCAL_TOKENS = 10
MAX_BOT_AGENT_BYTES = 256


class ItemKind(StrEnum):
    TEXT = "text"
    IMAGE = "image"
    VOICE = "voice"
    FILE = "file"
    VIDEO = "video"
    UNSUPPORTED = "unsupported"


class MessageType(IntEnum):
    UNKNOWN = 0
    USER = 1
    BOT = 2


class UploadKind(IntEnum):
    """The values of `media_type` in getuploadurl. They differ from the numbers of the items."""

    IMAGE = 1
    VIDEO = 2
    FILE = 3
    VOICE = 4


class LoginStatus(StrEnum):
    """The values of `status` in get_qrcode_status, in the wire's spelling.

    UNKNOWN for all others.
    """

    WAIT = "wait"
    SCANED = "scaned"
    NEED_VERIFYCODE = "need_verifycode"
    VERIFY_CODE_BLOCKED = "verify_code_blocked"
    EXPIRED = "expired"
    SCANED_BUT_REDIRECT = "scaned_but_redirect"
    BINDED_REDIRECT = "binded_redirect"
    CONFIRMED = "confirmed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Media:
    """Where a file is on the CDN and its key. An empty `aes_key` means not encrypted.

    `other_key`: pictures may have two keys; this is the less preferred one.
    """

    encrypt_query_param: str
    aes_key: str
    full_url: str
    encrypt_type: int | None
    other_key: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of a message. `raw` is the item as ASCII JSON, whatever its kind.

    `size`: plaintext bytes (known for files only). `cipher_size`: bytes on the CDN. `width` and
    `height` are the thumbnail's. `transcript`: WeChat's transcript of a voice.
    """

    kind: ItemKind
    msg_id: str = ""
    text: str = ""
    media: Media | None = None
    thumb: Media | None = None
    file_name: str = ""
    size: int | None = None
    cipher_size: int | None = None
    width: int | None = None
    height: int | None = None
    duration_ms: int | None = None
    transcript: str = ""
    encode_type: int | None = None
    sample_rate: int | None = None
    md5: str = ""
    quote: "Quote | None" = None
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class Quote:
    """What an item quotes. Often only `msg_id` is known, and the text is among our own messages."""

    title: str
    msg_id: str
    item: Item | None


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """One message of getupdates.

    `message_id`: a decimal string of any size, or "" if missing. Times are None if missing or
    outside the years 2000 to 2100. `raw`: the message as ASCII JSON, which preserves NUL, lone
    surrogates and numbers of any size.
    """

    message_id: str
    seq: str
    from_user_id: str
    to_user_id: str
    client_id: str
    session_id: str
    group_id: str
    create_time_ms: int | None
    delete_time_ms: int | None
    message_type: MessageType
    message_state: int | None
    context_token: str
    items: tuple[Item, ...]
    raw: bytes


@dataclass(frozen=True, slots=True)
class Updates:
    """One answer of getupdates.

    `code` is 0 for success. `cursor` None: keep the previous one. `strays`: elements of `msgs` that
    are not messages, as ASCII JSON. `raw`: the body as received. `timed_out`: no message came while
    the poll was held, which is not an error. `unanswered`: not even a gateway confirmed that.
    `gateway_status`: WeChat's gateway gave up with this HTTP status, which is not an answer of
    WeChat itself. Neither is evidence that the session is alive.
    """

    code: int
    error_message: str
    messages: tuple[IncomingMessage, ...]
    strays: tuple[bytes, ...]
    cursor: str | None
    longpoll_timeout_ms: int | None
    raw: bytes
    timed_out: bool = False
    unanswered: bool = False
    gateway_status: int = 0
    broke_off: str = ""
    named: tuple[str, ...] = ()
    missing: int | None = None

    @property
    def may_have_lost(self) -> bool:
        """Whether the part that did not arrive may have contained messages."""
        return bool(self.broke_off) and self.begins_as_json and self.missing != 0

    @property
    def is_unusable(self) -> bool:
        """Whether it looks like a success but has neither messages nor a cursor, only strays."""
        return self.code == 0 and bool(self.strays) and not self.messages and self.cursor is None

    @property
    def begins_as_json(self) -> bool:
        """False for the HTML page of a gateway."""
        return self.raw.lstrip().startswith(b"{")


@dataclass(frozen=True, slots=True)
class QRCode:
    """`qrcode`: the handle for polling. `image_content`: the text to draw as a QR code."""

    qrcode: str
    image_content: str


@dataclass(frozen=True, slots=True)
class QRStatus:
    """One answer of get_qrcode_status. Missing strings are "".

    `gateway_status`: WeChat's gateway gave up with this HTTP status, and the login's state is
    unknown.
    """

    status: LoginStatus
    redirect_host: str = ""
    bot_token: str = ""
    bot_id: str = ""
    base_url: str = ""
    user_id: str = ""
    gateway_status: int = 0


@dataclass(frozen=True, slots=True)
class SendReceipt:
    """WeChat accepted a message. Without `message_id` this is not confirmed."""

    message_id: str | None


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """The input of getuploadurl. Sizes are in plaintext bytes; `md5` is the plaintext's, in hex."""

    file_key: str
    kind: UploadKind
    to_user_id: str
    size: int
    md5: str
    key: bytes


@dataclass(frozen=True, slots=True)
class UploadTarget:
    """Where to upload: a complete URL, a parameter for the configured CDN, or both."""

    upload_param: str
    upload_full_url: str


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file on the CDN, ready to be sent. `size` and `md5` (hex) are the plaintext's."""

    encrypt_query_param: str
    key: bytes
    size: int
    md5: str
