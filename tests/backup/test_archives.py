"""What is no backup, or not as it was written, is refused before anything is restored."""

import errno
import io
import json
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from sessions_app.folder.store import SessionFolder
from weilink_site.backup import making, reading
from weilink_site.backup.encrypted import decrypt_file, encrypt_file
from weilink_site.backup.making import Made, make_backup
from weilink_site.backup.manifest import Manifest
from weilink_site.backup.reading import Archive
from weilink_site.backup.refused import Refused
from weilink_site.backup.session_folder import STAGED, FolderToRestore
from weilink_site.backup.writing import ArchiveWriter

SECRET = b'{"token": "in the clear"}'
Members = list[tuple[tarfile.TarInfo, bytes]]

pytestmark = pytest.mark.django_db  # a backup is noted in the audit log


class FakeSnapshot:
    """A database of 40,000 bytes."""

    kind, source, server, schema = "sqlite", "sqlite:////srv/console.sqlite3", 0, ""

    def __init__(self, meanwhile: Callable[[], object] = lambda: None) -> None:
        self.rows, self.migrations = {"messaging_message": 3}, ["messaging.0001_initial"]
        self._meanwhile = meanwhile

    def pin(self) -> None:
        self._meanwhile()

    def write(self, target: Path) -> None:
        target.write_bytes(b"database" * 5_000)

    def close(self) -> None:
        pass


@pytest.fixture
def place(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Data to back up: two files, an answer in the spool, a session."""
    settings.MEDIA_ROOT, settings.DATA_DIR = tmp_path / "media", tmp_path / "data"
    settings.WEILINK_BASE_PATH, settings.WEILINK_STORE = tmp_path / "weilink", "files"
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    for name, content in {
        "media/ab/one": b"1" * 3_000, "media/cd/two": b"2", "media/incoming/part": b"3",
        "data/spool/20261130T1-a.answer": b"spooled", "data/spool/.20261130T1-b": b"draft",
        "weilink/Shop A/token.json": SECRET, "weilink/.default_session": b"Shop A",
        "weilink/.data.lock": b"", "weilink/holiday/photo": b"4",
    }.items():  # fmt: skip
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    monkeypatch.setattr(making, "open_snapshot", FakeSnapshot)
    monkeypatch.setattr(making, "spool_folder", lambda data: data / "spool")
    return tmp_path


@pytest.fixture
def file(place: Path) -> Path:
    return made(place).path


def made(place: Path, **options: Any) -> Made:
    chosen: dict[str, Any] = {"media": "include", "force": True, **options}
    return make_backup(place / "backup/b.tar", **chosen)


def verified(file: Path) -> Manifest:
    with Archive(file) as archive:
        return archive.verify()


def refused(file: Path) -> str:
    with pytest.raises(Refused) as stopped:
        verified(file)
    words = str(stopped.value)
    assert words.startswith(f"{file} cannot be restored. ")
    assert "\n" not in words
    return words


def members(file: Path) -> Members:
    with tarfile.open(file) as tar:
        return [(one, tar.extractfile(one).read()) for one in tar.getmembers()]  # type: ignore[union-attr]


def rewritten(file: Path, content: Members) -> Path:
    other = file.with_name("other.tar")
    with tarfile.open(other, "w") as tar:
        for info, data in content:
            info.size = len(data) if info.isreg() else 0
            tar.addfile(info, io.BytesIO(data))
    return other


def test_it_holds_everything_once_and_no_credential_in_the_clear(file: Path) -> None:
    names = [info.name for info, _ in members(file)]
    assert names == [
        "spool/20261130T1-a.answer", "folder/.default_session", "folder/Shop A/token.json",
        "database.sqlite3", "media/ab/one", "media/cd/two", "media-list", "left-out",
        "checksums", "manifest.json",
    ]  # fmt: skip
    assert SECRET not in file.read_bytes()
    manifest = verified(file)
    assert (manifest.members, manifest.media_files, manifest.left_out) == (8, 2, 1)
    assert manifest.has_our_secret_key
    assert {info.name: data for info, data in members(file)}["left-out"] == (
        b'"folder/holiday" it is no session\n'
    )


def test_a_changed_byte_anywhere_is_found_and_its_member_named(file: Path) -> None:
    content = file.read_bytes()
    for name in ("folder/Shop A/token.json", "spool/", "database.sqlite3", "media/ab/one"):
        with tarfile.open(file) as tar:
            [info] = [one for one in tar.getmembers() if one.name.startswith(name)]
        at = info.offset_data
        other = file.with_name("other.tar")
        other.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        assert f"The member {json.dumps(info.name)} is not as it was written" in refused(other)
    for step in range(0, len(content) - 10_240, 4_001):
        other.write_bytes(content[:step] + bytes([content[step] ^ 0xFF]) + content[step + 1 :])
        try:
            verified(other)
        except Refused:
            continue
        # What was hit is padding between members, which holds nothing.
        assert content[step] == 0
        assert [data for _, data in members(other)] == [data for _, data in members(file)]


def test_a_file_that_is_cut_off_anywhere_is_refused(file: Path) -> None:
    content = file.read_bytes()
    with tarfile.open(file) as tar:
        ends = [one.offset for one in tar.getmembers()] + [
            one.offset_data + 1 for one in tar.getmembers()
        ]
    other = file.with_name("other.tar")
    for end in [0, 1, 511, *ends]:
        other.write_bytes(content[:end])
        assert "It is cut off or is no backup" in (words := refused(other)) or (
            "It has no manifest at its end" in words
        )
    other.write_bytes(b"no tar file at all" * 1_000)
    refused(other)
    with pytest.raises(Refused, match="cannot be opened: No such file"):
        Archive(file.with_name("absent.tar"))


@pytest.mark.parametrize(
    "name",
    ["../evil", "/etc/evil", "media/../../evil", "media/./a", "media//a", "folder/../evil", "evil",
     "spool/../evil", "media", "database.dump/a", "media/a\0b"],
)  # fmt: skip
def test_a_member_that_leads_elsewhere_is_refused(file: Path, name: str) -> None:
    evil = (tarfile.TarInfo("media/xx"), b"evil")
    evil[0].name = name
    words = refused(rewritten(file, [evil, *members(file)]))
    assert "It has a member that no backup has" in words or "is not as it was written" in words


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE,
                                  tarfile.CHRTYPE, tarfile.FIFOTYPE])  # fmt: skip
def test_only_plain_files_are_accepted(file: Path, kind: bytes) -> None:
    info = tarfile.TarInfo("media/link")
    info.type, info.linkname = kind, "/etc/passwd"
    assert "It has a member that no backup has" in refused(
        rewritten(file, [(info, b""), *members(file)])
    )


def test_members_that_were_added_removed_or_exchanged_are_noticed(file: Path) -> None:
    content = members(file)
    for other in (content[1:], content[:1] + content, content[1:2] + content[:1] + content[2:]):
        assert "is not as it was written" in refused(rewritten(file, other))
    assert "It goes on after its manifest" in refused(rewritten(file, [*content, content[0]]))


def test_a_manifest_that_somebody_changed_is_refused_though_its_sums_fit(file: Path) -> None:
    content = members(file)
    manifest = Manifest.from_json(content[-1][1])

    def with_manifest(data: bytes) -> str:
        return refused(rewritten(file, [*content[:-1], (content[-1][0], data)]))

    changed = replace(manifest, source="sqlite:////elsewhere")
    assert "Its manifest was changed" in with_manifest(changed.as_json())
    assert "Its manifest was changed" in with_manifest(replace(manifest, seal="").as_json())
    assert "It has the format 2" in with_manifest(json.dumps({"format": 2}).encode())
    for broken in (b"", b"{", b"[]", b"{}", b'{"format": 1, "unknown": 2}', b"\xff"):
        assert "Its manifest cannot be read" in with_manifest(broken)
    assert "Its manifest is too long" in with_manifest(b" " * (reading.LONGEST_MANIFEST + 1))


def test_files_that_come_and_go_meanwhile_are_no_fault(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An answer that is spooled while the database is read is in the backup, too."""
    spool = place / "data/spool"

    def meanwhile() -> None:
        (spool / "20261130T1-a.answer").unlink()
        (spool / "20261130T2-c.answer").write_bytes(b"later")
        (place / "media/ab/one").unlink()
        (place / "media/ef").symlink_to("/etc")
        (place / "media/gone").symlink_to(place / "nowhere")

    monkeypatch.setattr(making, "open_snapshot", lambda: FakeSnapshot(meanwhile))
    backup = made(place)
    names = [info.name for info, _ in members(backup.path)]
    assert [name for name in names if name.startswith("spool/")] == [
        "spool/20261130T1-a.answer", "spool/20261130T2-c.answer",
    ]  # fmt: skip
    assert backup.answers == 2
    assert '"media/gone" Too many levels of symbolic links' in backup.left_out
    assert verified(backup.path).left_out == 2


def test_a_file_that_shrinks_while_it_is_read_is_listed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = ArchiveWriter._add

    def shrinking(self: Any, name: str, source: Any, size: int, modified_s: float) -> bool:
        return opened(self, name, source, size + (name == "media/cd/two"), modified_s)

    monkeypatch.setattr(ArchiveWriter, "_add", shrinking)
    backup = made(place)
    assert '"media/cd/two" its end was cut off while it was read' in backup.left_out
    assert verified(backup.path).left_out == 2


@pytest.mark.parametrize("at", ["database", "add", "fsync"])
def test_a_full_disk_leaves_nothing_and_says_so(
    place: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    where: dict[str, tuple[Any, str]] = {
        "database": (FakeSnapshot, "write"), "add": (ArchiveWriter, "_add"),
        "fsync": (ArchiveWriter, "finish"),
    }  # fmt: skip
    monkeypatch.setattr(*where[at], full)
    with pytest.raises(Refused, match="The backup does not fit on the disk: make room"):
        made(place)
    assert list((place / "backup").iterdir()) == []


def test_memory_does_not_grow_with_the_files(place: Path) -> None:
    for number in range(300):
        (place / "media/ab" / f"{number:040d}").write_bytes(b"x")
    seen: list[int] = []
    add = ArchiveWriter.add

    def watched(self: Any, name: str, path: Path) -> bool:
        seen.append(len(self._tar.members))
        return add(self, name, path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ArchiveWriter, "add", watched)
        assert made(place).manifest.media_files == 302
    assert max(seen) == 0


def test_encrypted_files_come_back_and_only_with_the_keys(tmp_path: Path, settings: Any) -> None:
    plain, secret, back = (tmp_path / name for name in ("plain", "secret", "back"))
    for size in (0, 1, 1024 * 1024, 1024 * 1024 + 1):
        plain.write_bytes(b"t" * size)
        with plain.open("rb") as source:
            encrypt_file(source, secret)
        assert b"tttt" not in secret.read_bytes()
        with secret.open("rb") as source:
            decrypt_file(source, back)
        assert back.read_bytes() == plain.read_bytes()
    for broken in (secret.read_bytes()[:-1], b"\0\0", b"\xff" * 8):
        secret.write_bytes(broken)
        with secret.open("rb") as source, pytest.raises(Refused):
            decrypt_file(source, back)
    with plain.open("rb") as source:
        encrypt_file(source, secret)
    settings.CREDENTIAL_KEYS = [Fernet.generate_key().decode()]
    with secret.open("rb") as source, pytest.raises(Refused, match="The keys here cannot read"):
        decrypt_file(source, back)


def test_a_folder_that_somebody_polls_is_not_replaced(place: Path) -> None:
    base = place / "weilink"
    words = "Another program receives from the session folder"
    with SessionFolder(base).poll_lock.take(limit_s=1), pytest.raises(Refused, match=words):
        FolderToRestore(base).lock()
    folder = FolderToRestore(base)
    folder.lock()
    with pytest.raises(Refused, match=r"is not empty \(.default_session\)"):
        folder.check(replace=False)
    folder.release()
    assert not (base / STAGED).exists()
