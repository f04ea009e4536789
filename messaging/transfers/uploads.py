"""Uploads by members and programs: checked, recognised and stored until sent or discarded."""

import atexit
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from django.core.files.uploadedfile import UploadedFile
from django.db import IntegrityError, transaction
from django.db.models import Sum

from messaging.composing import draft_files
from messaging.conversations.errors import FileProblem
from messaging.media import kinds, reasons, storing
from messaging.media.examining import examine_now
from messaging.media.limits import limits
from messaging.media.workshop import Workshop
from messaging.models import MessageKind, Upload
from messaging.transfers.fetching import into_storage
from sessions_app.models import User

NAME_CHARACTERS = 255
_ID = re.compile("[0-9a-f]{32}")


@cache
def workshop() -> Workshop:
    """The web process's own helper, started with the first picture."""
    made = Workshop(timeout_s=limits().workshop_timeout_s)
    atexit.register(made.close)
    return made


def problem(code: str) -> FileProblem:
    """The error with the contract's code and the sentence for the user."""
    return FileProblem("empty" if code == "empty_file" else code, reasons.sentence(code))


def bring(
    *, owner: User, file: "UploadedFile[bytes]", file_name: str = "", wanted: str = ""
) -> Upload:
    """Store a file from a browser or a program. Raises FileProblem: `empty`, `file_too_large`.

    `file_name`: the real name, if the form cannot transmit it (quotes, line ends).
    `wanted`: an id made by the page; a repeated upload with the same id is the same file.
    """
    if (here := _existing(owner, wanted)) is not None:
        return here
    check_size(file.size or 0)
    name = file_name or file.name or ""
    return bring_pieces(owner=owner, pieces=file.chunks(), file_name=name, wanted=wanted)


def is_id(text: str) -> bool:
    """True if the text has the form of an `Upload` id."""
    return bool(_ID.fullmatch(text))


def _existing(owner: User, wanted: str) -> Upload | None:
    rows = Upload.objects.filter(owner=owner).exclude(stored_name="")
    return rows.filter(pk=wanted).first() if is_id(wanted) else None


def check_size(size: int, kind: str = "") -> None:
    """`kind`: the kind of the file, once it is known."""
    if size == 0:
        raise problem("empty_file")
    now = limits()
    if size > (now.outgoing(kind) if kind else now.any_outgoing):
        raise FileProblem("file_too_large", reasons.too_large_to_send(kind))


def _check_waiting(owner: User) -> None:
    """One user's unsent uploads must not push out files that contacts sent."""
    most = limits().most_waiting_bytes
    if (over := _waiting_bytes(owner) - most) > 0:
        draft_files.make_room(owner, over)
    if _waiting_bytes(owner) > most:
        people = draft_files.people_with_files(owner)
        raise FileProblem("too_many_waiting", reasons.too_many_waiting(people))


def _waiting_bytes(owner: User) -> int:
    total = Upload.objects.filter(owner=owner).aggregate(total=Sum("stored_bytes"))["total"]
    return total or 0


def bring_pieces(
    *, owner: User, pieces: Iterable[bytes], file_name: str, wanted: str = ""
) -> Upload:
    """The same from an iterable of bytes. No transaction is open while the file is examined."""
    _check_waiting(owner)
    with storing.workplace() as folder:
        path = folder / "file"
        _write(path, pieces)
        check_size(path.stat().st_size)
        md5 = storing.md5_of(path)
        found = examine_now(path, workshop=workshop(), limits=limits())
        kind = MessageKind(kinds.kind_of(found.content_type))
        check_size(path.stat().st_size, kind)
        kept = into_storage(path, found, md5)
    made = Upload(owner=owner, kind=kind, file_name=tidy_name(file_name), **kept.columns())
    return _keep(made, owner, wanted)


def _keep(made: Upload, owner: User, wanted: str) -> Upload:
    """Save under the wanted id. A file already stored with it is kept; another user's id is not
    used."""
    fresh = made.pk
    made.pk = wanted if is_id(wanted) else fresh
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError:
        if (here := _existing(owner, wanted)) is not None:
            storing.remove(made.stored_names())
            return here
        made.pk = fresh
        made.save(force_insert=True)
    return made


def tidy_name(name: str) -> str:
    """The name without characters that a row cannot hold; the extension is kept."""
    name = name.replace("\0", "").encode("utf-8", "ignore").decode("utf-8")
    if len(name) <= NAME_CHARACTERS:
        return name
    stem, dot, ending = name.rpartition(".")
    ending = f"{dot}{ending}" if stem and len(ending) <= 16 else ""
    return name[: NAME_CHARACTERS - len(ending)] + ending


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    most, written = limits().any_outgoing, 0
    with path.open("wb") as target:
        for piece in pieces:
            written += len(piece)
            if written > most:
                raise FileProblem("file_too_large", reasons.too_large_to_send(""))
            target.write(piece)


def discard(upload: Upload) -> None:
    """Delete a file that no draft took in; one that is gone already is fine."""
    if Upload.objects.filter(pk=upload.pk, draft=None).delete()[0]:
        storing.remove(upload.stored_names())


def way_of(upload: Upload, wanted: str) -> MessageKind:
    """The kind to send an upload as. `wanted`: a kind of the contract; "" for the file's own.

    Raises FileProblem `wrong_kind` if it is not a picture or video, or a voice without sound.
    """
    if wanted in ("", upload.kind):
        return MessageKind(upload.kind)
    is_sound = upload.content_type in kinds.SOUNDS | kinds.UNPLAYED | {kinds.SILK}
    if wanted == MessageKind.FILE or (wanted == MessageKind.VOICE and is_sound):
        return MessageKind.FILE
    raise problem("wrong_kind")
