"""The messages of the Python API, and their conversion from wire messages. Pure.

A wire message with several files becomes several messages with one message_id, so that nothing is
lost.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from sessions_app.ilink import wire
from sessions_app.ilink.opening import Told
from sessions_app.ilink.wire import IncomingMessage, Item, ItemKind, Media, Quote


class MessageType(IntEnum):
    """The wire's numbers. UNSUPPORTED stands for unknown ones."""

    UNSUPPORTED = 0
    TEXT = 1
    IMAGE = 2
    VOICE = 3
    FILE = 4
    VIDEO = 5


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """Where a file is on the CDN. `other_key`: the second key that a picture may have."""

    encrypt_query_param: str = ""
    aes_key: str = ""
    encrypt_type: int = 0
    full_url: str = ""
    other_key: str = ""


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """Sizes in pixels (of the thumbnail) and in bytes of ciphertext. 0 if unknown."""

    media: MediaInfo = field(default_factory=MediaInfo)
    thumb_width: int = 0
    thumb_height: int = 0
    mid_size: int = 0


@dataclass(frozen=True, slots=True)
class VoiceInfo:
    """`playtime`: in ms. `text`: WeChat's transcript."""

    media: MediaInfo = field(default_factory=MediaInfo)
    playtime: int = 0
    text: str = ""
    encode_type: int = 0
    sample_rate: int = 0


@dataclass(frozen=True, slots=True)
class FileInfo:
    """`file_size`: plaintext bytes, as a string like on the wire."""

    media: MediaInfo = field(default_factory=MediaInfo)
    file_name: str = ""
    file_size: str = ""
    md5: str = ""


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """`play_length`: in seconds. `video_size`: in bytes of ciphertext."""

    media: MediaInfo = field(default_factory=MediaInfo)
    play_length: int = 0
    video_size: int = 0
    video_md5: str = ""
    thumb_width: int = 0
    thumb_height: int = 0
    thumb_media: MediaInfo | None = None


@dataclass(frozen=True, slots=True)
class RefMessage:
    """What a message quotes. `text` is the title if WeChat sent nothing better."""

    msg_type: MessageType = MessageType.TEXT
    text: str | None = None
    image: ImageInfo | None = None
    voice: VoiceInfo | None = None
    file: FileInfo | None = None
    video: VideoInfo | None = None
    msg_id: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One message from a person. `timestamp`: in ms, 0 if unknown. `bot_id` identifies the session.

    `message_id`: a number, a string if WeChat sent something else, or None if it sent none.
    """

    from_user: str
    msg_type: MessageType = MessageType.TEXT
    text: str | None = None
    image: ImageInfo | None = None
    voice: VoiceInfo | None = None
    file: FileInfo | None = None
    video: VideoInfo | None = None
    timestamp: int = 0
    message_id: int | str | None = None
    context_token: str = field(default="", repr=False)
    bot_id: str | None = None
    ref_msg: RefMessage | None = None

    @property
    def media(self) -> MediaInfo | None:
        """The location of the message's file, or None."""
        for info in (self.image, self.voice, self.file, self.video):
            if info is not None:
                return info.media
        return None


@dataclass(frozen=True, slots=True)
class _Content:
    """One item or several adjacent ones, as one message shows them."""

    msg_type: MessageType = MessageType.UNSUPPORTED
    text: str | None = None
    image: ImageInfo | None = None
    voice: VoiceInfo | None = None
    file: FileInfo | None = None
    video: VideoInfo | None = None


def messages_of(incoming: IncomingMessage, bot_id: str) -> list[Message]:
    """Convert to one message per file. A message without items is kept as well."""
    quote = next((item.quote for item in incoming.items if item.quote), None)
    ref_msg = _quoted(quote) if quote else None
    contents = list(_contents(incoming.items)) or [_Content()]
    return [_message(incoming, one, bot_id, ref_msg) for one in contents]


def _message(
    incoming: IncomingMessage, content: _Content, bot_id: str, ref_msg: RefMessage | None
) -> Message:
    return Message(
        from_user=incoming.from_user_id,
        msg_type=content.msg_type,
        text=content.text,
        image=content.image,
        voice=content.voice,
        file=content.file,
        video=content.video,
        timestamp=incoming.create_time_ms or 0,
        message_id=_id(incoming.message_id),
        context_token=incoming.context_token,
        bot_id=bot_id,
        ref_msg=ref_msg,
    )


def media_of(info: MediaInfo) -> Media:
    """The location of a file as `ilink` represents it."""
    return Media(
        encrypt_query_param=info.encrypt_query_param,
        aes_key=info.aes_key,
        full_url=info.full_url,
        encrypt_type=info.encrypt_type,
        other_key=info.other_key,
    )


def told_of(msg: Message) -> Told:
    """What the message says about its file, for decrypting it."""
    md5 = msg.file.md5 if msg.file else msg.video.video_md5 if msg.video else ""
    size = msg.file.file_size if msg.file else ""
    is_number = size.isascii() and size.isdigit()
    return Told(
        _KINDS.get(msg.msg_type, ItemKind.FILE), md5.lower(), int(size) if is_number else None
    )


_KINDS = {
    MessageType.IMAGE: ItemKind.IMAGE,
    MessageType.VOICE: ItemKind.VOICE,
    MessageType.VIDEO: ItemKind.VIDEO,
}


def _contents(items: tuple[Item, ...]) -> Iterator[_Content]:
    """Join the texts and attach them to the first file. Every further file stands alone."""
    texts = [item.text for item in items if item.kind is ItemKind.TEXT]
    others = [item for item in items if item.kind is not ItemKind.TEXT]
    text = "\n".join(texts) if texts else None
    if not others and text is not None:
        yield _Content(MessageType.TEXT, text)
    for place, item in enumerate(others):
        yield _content(item, text if place == 0 else None)


def _content(item: Item, text: str | None) -> _Content:
    media = _media(item.media)
    match item.kind:
        case ItemKind.IMAGE:
            image = ImageInfo(media, item.width or 0, item.height or 0, item.cipher_size or 0)
            return _Content(MessageType.IMAGE, text, image=image)
        case ItemKind.VOICE:
            voice = VoiceInfo(
                media, item.duration_ms or 0, item.transcript, item.encode_type or 0,
                item.sample_rate or 0,
            )  # fmt: skip
            return _Content(MessageType.VOICE, text or item.transcript or None, voice=voice)
        case ItemKind.FILE:
            size = "" if item.size is None else str(item.size)
            return _Content(
                MessageType.FILE, text, file=FileInfo(media, item.file_name, size, item.md5)
            )
        case ItemKind.VIDEO:
            return _Content(MessageType.VIDEO, text, video=_video(item, media))
        case ItemKind.TEXT:
            return _Content(MessageType.TEXT, item.text)
    return _Content(MessageType.UNSUPPORTED, text)


def _video(item: Item, media: MediaInfo) -> VideoInfo:
    return VideoInfo(
        media=media,
        play_length=(item.duration_ms or 0) // 1000,
        video_size=item.cipher_size or 0,
        video_md5=item.md5,
        thumb_width=item.width or 0,
        thumb_height=item.height or 0,
        thumb_media=_media(item.thumb) if item.thumb else None,
    )


def _quoted(quote: Quote) -> RefMessage:
    content = _content(quote.item, None) if quote.item else _Content(MessageType.TEXT)
    return RefMessage(
        msg_type=content.msg_type,
        text=content.text or quote.title or None,
        image=content.image,
        voice=content.voice,
        file=content.file,
        video=content.video,
        msg_id=quote.msg_id,
    )


def _media(media: wire.Media | None) -> MediaInfo:
    if media is None:
        return MediaInfo()
    return MediaInfo(
        media.encrypt_query_param,
        media.aes_key,
        media.encrypt_type or 0,
        media.full_url,
        media.other_key,
    )


def _id(message_id: str) -> int | str | None:
    if not message_id:
        return None
    return int(message_id) if message_id.isascii() and message_id.isdigit() else message_id
