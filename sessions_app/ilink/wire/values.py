"""What travels on the wire, as frozen values: what arrives, what answers say, and the limits.

Nothing here reads or writes JSON. Field names follow the protocol; units stand in names.
"""

from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

MAX_TEXT_BYTES = 16_384  # of UTF-8; more answers -2
# WeChat's limits as they were observed. The console takes the team's settings, of which these are
# the defaults; the Python API, which reads no settings, counts by these.
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
    """Where a file lies on the CDN and what opens it; an empty `aes_key` means not encrypted.

    `other_key`: pictures may name two keys; this is the one that is preferred less.
    """

    encrypt_query_param: str
    aes_key: str
    full_url: str
    encrypt_type: int | None
    other_key: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Item:
    """One piece of a message; `raw` is the item as ASCII JSON, whatever its kind.

    `size` counts plaintext bytes (known for files only), `cipher_size` bytes on the CDN.
    `width` and `height` are the thumbnail's; `transcript` is WeChat's own of a voice.
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
    said so. `gateway_status`: that WeChat's gateway gave up with this HTTP status, which is no
    answer of WeChat itself. Neither is evidence that the session lives.
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
        """Whether messages may have stood in the part that did not arrive."""
        return bool(self.broke_off) and self.begins_as_json and self.missing != 0

    @property
    def begins_as_json(self) -> bool:
        """False for a gateway's page."""
        return self.raw.lstrip().startswith(b"{")


@dataclass(frozen=True, slots=True)
class QRCode:
    """`qrcode` is the handle to poll with; `image_content` the text to draw as a QR picture."""

    qrcode: str
    image_content: str


@dataclass(frozen=True, slots=True)
class QRStatus:
    """One answer of get_qrcode_status; strings are "" when missing.

    `gateway_status`: WeChat's gateway gave up with this HTTP status, and nothing is known.
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
