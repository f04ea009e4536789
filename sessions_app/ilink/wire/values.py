"""What travels on the wire, as frozen values: what arrives, what answers say, and the limits.

Nothing here reads or writes JSON. Field names follow the protocol; units stand in names.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

MAX_TEXT_BYTES = 16_384  # of UTF-8; more answers -2
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
    """`media_type` of getuploadurl; not the numbers of the items."""

    IMAGE = 1
    VIDEO = 2
    FILE = 3
    VOICE = 4


class LoginStatus(StrEnum):
    """`status` of get_qrcode_status in the wire's own spelling; UNKNOWN for every other word."""

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
    """Where a file lies on the CDN and what opens it; an empty `aes_key` means not encrypted."""

    encrypt_query_param: str
    aes_key: str
    full_url: str
    encrypt_type: int | None


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of a message; `raw` is the item as ASCII JSON, whatever its kind.

    `size` counts plaintext bytes (known for files only), `cipher_size` bytes on the CDN.
    `width` and `height` are the thumbnail's; `transcript` is WeChat's own of a voice.
    """

    kind: ItemKind
    type_number: int | None = None
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
    """What an item quotes; often only `msg_id` is known, and the text is among our own messages."""

    title: str
    msg_id: str
    item: Item | None


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """One message of getupdates.

    `message_id` is "" when missing, else a decimal string of any size. Times are None when
    missing or outside the years 2000 to 2100. `raw` is the message as ASCII JSON: NUL, lone
    surrogates and numbers of any size survive in it.
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

    `code` is 0 when fine. `cursor` None means: keep the old one. `strays` are pieces of `msgs`
    that are no messages, as ASCII JSON. `raw` is the body as received. `timed_out` means that
    nothing came while the poll was held, which is no error; `unanswered`, that not even a gateway
    said so: it is no evidence of anything.
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


@dataclass(frozen=True, slots=True)
class QRCode:
    """`qrcode` is the handle to poll with; `image_content` the text to draw as a QR picture."""

    qrcode: str
    image_content: str


@dataclass(frozen=True, slots=True)
class QRStatus:
    """One answer of get_qrcode_status; strings are "" when missing."""

    status: LoginStatus
    redirect_host: str = ""
    bot_token: str = ""
    bot_id: str = ""
    base_url: str = ""
    user_id: str = ""


@dataclass(frozen=True, slots=True)
class SendReceipt:
    """WeChat took a message; without `message_id` that is not confirmed."""

    message_id: str | None


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """What getuploadurl must know: sizes in plaintext bytes, `md5` of the plaintext in hex."""

    file_key: str
    kind: UploadKind
    to_user_id: str
    size: int
    md5: str
    key: bytes


@dataclass(frozen=True, slots=True)
class UploadTarget:
    """Where to upload: a full address, or a parameter for the configured CDN, or both."""

    upload_param: str
    upload_full_url: str


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file on the CDN, ready to be sent; `size` and `md5` (hex) are the plaintext's."""

    encrypt_query_param: str
    key: bytes
    size: int
    md5: str
