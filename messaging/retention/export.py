"""All that is kept about a person, as one zip archive: JSON files, and the files of messages."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from django.utils import timezone

from messaging.media import storing
from messaging.models import Contact
from messaging.retention import records
from messaging.retention.zip_stream import ZipStream, json_list
from sessions_app.recording.actions import Action, Kind
from sessions_app.recording.record import Subject, record

ABOUT = """\
person.json         the person, what each team calls and notes about them, their accounts
conversations.json  a conversation per team, with labels, drafts and replies that wait
messages.json       messages, notes and events, oldest first; `file` names a file of this archive
files/, drafts/     pictures, voice messages, videos and files as they were sent or drafted

Times are UTC. Tokens and keys are left out. Not here, since nobody can tell whom it is about: what
members wrote about the person in other people's conversations, answers of WeChat that could not be
read, and backups.
"""


def note_export(wechat_id: str) -> None:
    """Write into the audit log that somebody takes the archive, before they have any of it."""
    key = Contact.objects.filter(user_id=wechat_id).values_list("pk", flat=True).first()
    record(Action.CUSTOMER_EXPORTED, Subject(Kind.CUSTOMER, key or ""))


def archive(wechat_id: str) -> Iterator[bytes]:
    """The archive, piece by piece. What changes while it is written may be in it or not."""
    to = ZipStream()
    about = f"All that is kept about one person, {timezone.now():%Y-%m-%d %H:%M} UTC\n\n{ABOUT}"
    yield from to.add_pieces("README.txt", [about.encode()])
    person = json.dumps(records.person(wechat_id), ensure_ascii=False, indent=1, default=str)
    yield from to.add_pieces("person.json", [person.encode("utf-8", "surrogatepass")])
    yield from to.add_pieces("conversations.json", json_list(records.conversations(wechat_id)))
    yield from to.add_pieces("messages.json", json_list(records.messages(wechat_id)))
    for one in records.stored_files(wechat_id):
        try:
            file = storing.open_stored(one.stored_name)
        except OSError:
            continue  # deleted meanwhile
        with file:
            yield from to.add_file(records.archive_name(one), file)
    yield from to.end()


def write_archive(wechat_id: str, path: Path) -> int:
    """Write it to a new file that only its owner can read. Returns its size in bytes.

    Raises FileExistsError. After any failure no file is there.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            for piece in archive(wechat_id):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
            return file.tell()
    except BaseException:
        path.unlink(missing_ok=True)
        raise
