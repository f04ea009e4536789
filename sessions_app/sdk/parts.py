"""Splits a call of `send` into parts, one per text and file, and checks them before counting.

Pure. A wire message has one item (protocol paper), so text plus picture is two parts and two
replies.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sessions_app.ilink.errors import ILinkError
from sessions_app.ilink.wire import (
    OutgoingItem,
    UploadedFile,
    UploadKind,
    file_item,
    image_item,
    text_item,
    video_item,
)

from .messages import Message

VOICE_NAME = "voice"
_SOUNDS = (
    (b"\x02#!SILK_V3", ".silk"),
    (b"#!SILK_V3", ".silk"),
    (b"#!AMR", ".amr"),
    (b"OggS", ".ogg"),
    (b"RIFF", ".wav"),
    (b"fLaC", ".flac"),
    (b"ID3", ".mp3"),
    (b"\xff", ".mp3"),
)
_KINDS = {
    "image": UploadKind.IMAGE,
    "video": UploadKind.VIDEO,
    "file": UploadKind.FILE,
    # WeChat accepts outgoing voice messages but never shows them (live tests), so send a file.
    "voice": UploadKind.FILE,
}


@dataclass(frozen=True, slots=True)
class UploadedMedia:
    """A file on the CDN, for one person and one session. Pass it to `send`."""

    media_type: str
    file: UploadedFile = field(repr=False)
    file_name: str
    to: str
    bot_id: str


Content = bytes | UploadedMedia
Contents = Content | Sequence[Content] | None


@dataclass(frozen=True, slots=True)
class Part:
    """A text (`text` is set), bytes to upload (`data` is set), or an earlier upload."""

    media_type: str
    text: str | None = None
    data: bytes | None = field(default=None, repr=False)
    uploaded: UploadedMedia | None = None
    file_name: str = ""


@dataclass(frozen=True, slots=True)
class SendResult:
    """True if WeChat accepted every part. `remaining`: replies left on this person's token.

    `message_ids`: WeChat's ids, None for a part accepted without one (not confirmed). `error`: why
    it is False, with a `.code`, else None. `messages`: what `auto_recv=True` received before.
    """

    success: bool
    remaining: int | None = None
    session: str | None = None
    message_ids: tuple[str | None, ...] = ()
    error: ILinkError | None = None
    messages: list[Message] = field(default_factory=list)

    def __bool__(self) -> bool:
        return self.success

    @property
    def reason(self) -> str:
        """Why it is False, in one sentence, or "" if it is True."""
        return str(self.error) if self.error else ""


def parts_of(
    text: str | None, *, image: Contents, voice: Contents, file: Contents,
    file_name: str | Sequence[str], video: Contents,
) -> list[Part]:  # fmt: skip
    """The parts in sending order. Raises TextTooLongError, or ValueError for a missing name."""
    parts = []
    if text:
        text_item(text)  # checks the length
        parts.append(Part("text", text=text))
    parts += [_part("image", one) for one in _each(image)]
    parts += [_part("voice", one, _voice_name(one, file_name)) for one in _each(voice)]
    parts += _files(_each(file), file_name)
    return parts + [_part("video", one) for one in _each(video)]


def upload_kind(media_type: str) -> UploadKind:
    """Raises ValueError for anything but image, voice, file and video."""
    try:
        return _KINDS[media_type]
    except KeyError:
        raise ValueError(f"media_type must be one of {', '.join(_KINDS)}") from None


def item_of(uploaded: UploadedMedia) -> OutgoingItem:
    """The outgoing item for an uploaded file."""
    if uploaded.media_type == "image":
        return image_item(uploaded.file)
    if uploaded.media_type == "video":
        return video_item(uploaded.file)
    return file_item(uploaded.file, file_name=uploaded.file_name)


def sound_name(data: bytes) -> str:
    """A file name for sound, with a suffix by its first bytes."""
    return VOICE_NAME + next((end for head, end in _SOUNDS if data.startswith(head)), ".bin")


def _each(contents: Contents) -> Sequence[Content]:
    if contents is None:
        return []
    return [contents] if isinstance(contents, bytes | UploadedMedia) else list(contents)


def _part(media_type: str, content: Content, file_name: str = "") -> Part:
    if isinstance(content, UploadedMedia):
        return Part(media_type, uploaded=content, file_name=content.file_name)
    if not isinstance(content, bytes):
        raise ValueError(f"{media_type} must be bytes or a result of upload()")
    return Part(media_type, data=content, file_name=file_name)


def _voice_name(content: Content, file_name: str | Sequence[str]) -> str:
    given = file_name if isinstance(file_name, str) else ""
    return given or (sound_name(content) if isinstance(content, bytes) else "")


def _files(files: Iterable[Content], file_name: str | Sequence[str]) -> list[Part]:
    """File parts. `file_name` is one name for all, or one for each file given as bytes."""
    listed = list(files)
    fresh = sum(isinstance(one, bytes) for one in listed)
    given = [file_name] if isinstance(file_name, str) else list(file_name)
    given = given * fresh if len(given) == 1 else given
    if fresh and (len(given) != fresh or not all(given)):
        raise ValueError("file_name is needed: one for all files, or one for each")
    left = iter(given)
    return [_part("file", one, next(left) if isinstance(one, bytes) else "") for one in listed]
