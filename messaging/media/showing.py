"""How a bubble shows an attachment: picture, voice, video, file, coming, or lost. No queries."""

from dataclasses import dataclass, field

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from messaging.media import kinds, reasons
from messaging.models import (
    Attachment,
    AttachmentState,
    Direction,
    Message,
    MessageKind,
    Upload,
)
from sessions_app.text.unseen import apart, visible

KIND_ICONS = {
    MessageKind.IMAGE: "image",
    MessageKind.VOICE: "mic",
    MessageKind.VIDEO: "video",
    MessageKind.FILE: "file",
    MessageKind.UNSUPPORTED: "circle-help",
}
_ARCHIVES = {
    "application/zip", "application/gzip", "application/vnd.rar", "application/x-7z-compressed",
}  # fmt: skip
_SHEETS = ("xls", "xlsx", "csv", "ods", "numbers")
_PICTURE_ENDINGS = (".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp")
_TEXTS = ("doc", "docx", "odt", "pages", "txt", "rtf", "md")
THUMB_MOST = 240
"""Longer side on the screen, in pixels."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a voice's waveform, in units of the SVG."""

    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Media:
    """`form`: picture, voice, video, file, coming, lost or unsupported; each has a template.

    `words` name it, `problem` says why a part is missing, `advice` what the agent can do.
    `mark`: shown when the file is incomplete. `is_preview`: only WeChat's thumbnail is here.
    `width` and `height`: of the box on the screen, reserved so that the page does not jump.
    `progress`: percent uploaded.
    """

    form: str
    icon: str
    words: str
    detail: str = ""
    size: int | None = None
    transcript: str = ""
    pk: int = 0
    kind_words: str = ""
    content_type: str = ""
    problem: str = ""
    mark: str = ""
    advice: str = ""
    is_preview: bool = False
    may_retry: bool = False
    has_thumb: bool = False
    is_converted: bool = False
    width: int = 0
    height: int = 0
    bars: list[Bar] = field(default_factory=list)
    progress: int | None = None


def kind_words(kind: str) -> str:
    match kind:
        case MessageKind.IMAGE:
            return _("Picture")
        case MessageKind.VOICE:
            return _("Voice")
        case MessageKind.VIDEO:
            return _("Video")
        case MessageKind.FILE:
            return _("File")
        case MessageKind.UNSUPPORTED:
            return _("A kind of message that this console can't show yet")
    return ""


def media_lines(message: Message, contact: str = "") -> list[Media]:
    """All attachments of a message; without any, one line that names the message's kind."""
    ours = message.direction == Direction.OUT
    lines = [shown(one, ours=ours, contact=contact) for one in message.attachments.all()]
    if not lines and message.kind != MessageKind.TEXT and not message.text_shown:
        icon = KIND_ICONS[MessageKind(message.kind)]
        lines.append(Media("unsupported", icon, kind_words(message.kind)))
    return lines


def shown(one: Attachment, *, ours: bool = False, contact: str = "") -> Media:
    """`contact`: name of the contact who can be asked to send it again."""
    form = form_of(one)
    width, height = _box(one)
    is_preview = form in ("lost", "file") and bool(one.thumb_name) and not may_show(one)
    return Media(
        form=form,
        icon=_icon(one),
        words=visible(one.file_name) or kind_words(one.kind),
        detail=length_words(one.duration_ms) if one.duration_ms else "",
        size=one.size,
        transcript=visible(one.transcript, keeps_lines=True),
        pk=one.pk,
        kind_words=kind_words(one.kind),
        content_type=one.content_type,
        problem=_problem(one, form),
        mark=_mark(one, ours=ours, is_preview=is_preview),
        advice="" if ours or form == "coming" else reasons.advice(_code(one), contact),
        is_preview=is_preview,
        may_retry=form == "lost" and not ours and bool(one.encrypted_item),
        has_thumb=bool(one.thumb_name),
        is_converted=bool(one.sound_name),
        width=width,
        height=height,
        bars=_bars(one.peaks) if form == "voice" else [],
        progress=one.progress if ours else None,
    )


def form_of(one: Attachment) -> str:
    if one.kind == MessageKind.UNSUPPORTED:
        return "unsupported"
    if one.state in (AttachmentState.REMOTE, AttachmentState.FETCHING):
        return "coming"
    if one.state == AttachmentState.FAILED:
        return "lost"
    if one.sound_name or one.content_type in kinds.SOUNDS:
        return "voice"
    if one.kind != MessageKind.FILE:
        if one.content_type in kinds.PICTURES and one.thumb_name:
            return "picture"
        if one.content_type in kinds.VIDEOS:
            return "video"
    return "file"


def may_show(one: Attachment) -> bool:
    """True if a browser may show the file itself: if it was decoded here, or if it is sound or
    video that browsers play. A picture without a thumbnail was refused."""
    if one.content_type in kinds.PICTURES:
        return bool(one.thumb_name)
    return one.content_type in kinds.SHOWN


def note_of(upload: Upload) -> str:
    """A warning to show before the file is sent."""
    name = apart(upload.file_name)
    if upload.is_incomplete and upload.content_type in kinds.PICTURES:
        return _("“%(name)s” is incomplete: the end is missing. It will be sent as it is.") % {
            "name": name
        }
    if upload.content_type == kinds.UNKNOWN and upload.file_name.lower().endswith(_PICTURE_ENDINGS):
        return _("“%(name)s” can't be read as a picture, so it will be sent as a file.") % {
            "name": name
        }
    if upload.content_type in kinds.SOUNDS | kinds.UNPLAYED | {kinds.SILK}:
        return _("Audio is sent as a file: WeChat doesn't show voice messages from bots.")
    if upload.content_type == "video/webm":
        return _("This type of video is sent as a file.")
    return ""


def length_words(duration_ms: int) -> str:
    seconds = max(1, round(duration_ms / 1000))
    return f"{seconds // 60}:{seconds % 60:02d}"


def _code(one: Attachment) -> str:
    return one.error or ("incomplete" if one.is_incomplete else "")


def _mark(one: Attachment, *, ours: bool, is_preview: bool) -> str:
    """A note beside an incomplete file that blames nobody, since the cause is unknown."""
    if is_preview:
        return _("This is WeChat's small preview.")
    if not one.is_incomplete:
        return ""
    if ours:
        return _("Incomplete: the end of this file is missing.")
    return _("Incomplete: only part of it arrived.")


def _problem(one: Attachment, form: str) -> str:
    if form == "coming" and one.error:
        words = reasons.sentence(one.error)
        if one.next_try_at is not None:
            at = date_format(timezone.localtime(one.next_try_at), "H:i:s")
            return _("%(words)s; next try at %(time)s") % {"words": words, "time": at}
        return words
    return reasons.sentence(one.error) if one.error and form != "unsupported" else ""


def _box(one: Attachment) -> tuple[int, int]:
    """The picture's size at THUMB_MOST; never too small to touch."""
    if not one.width or not one.height:
        return (0, 0)
    scale = min(1.0, THUMB_MOST / max(one.width, one.height))
    return (max(48, round(one.width * scale)), max(48, round(one.height * scale)))


def _icon(one: Attachment) -> str:
    if one.kind != MessageKind.FILE:
        return KIND_ICONS[MessageKind(one.kind)]
    ending = one.file_name.rpartition(".")[2].lower()
    if ending in _SHEETS:
        return "file-spreadsheet"
    if ending in _TEXTS or one.content_type == "application/pdf":
        return "file-text"
    if one.content_type in _ARCHIVES:
        return "file-archive"
    if one.content_type in kinds.SOUNDS:
        return "music"
    return "image" if one.content_type in kinds.PICTURES else "file"


def _bars(peaks: str) -> list[Bar]:
    """Bars of width 2, one every 4 units, centred in a drawing of height 24."""
    heights = [2 + int(digit, 36) * 20 // 35 for digit in peaks]
    return [Bar(x * 4, 12 - height // 2, height) for x, height in enumerate(heights)]
