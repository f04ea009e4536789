"""`sessions export DIR`: what stands there afterwards, what is never written over, and refusals."""

import json
import os
import stat
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection

from sessions_app.folder.store import SessionFolder, StoredContext
from sessions_app.folder.transfer import report
from sessions_app.models import Context, Session
from sessions_app.sessions import names, services
from tests.messaging.builders import make_session
from tests.session_folder import read_token

from .conftest import log_in, people, rows, run, tree, write_context

pytestmark = pytest.mark.django_db
LINA = "lina@im.wechat"
NAMES = ["default", "名字", "🍜 小店", "Straße", "x" * 64]


def _fill() -> None:
    for number, name in enumerate(NAMES):
        session = make_session(name)
        session.cursor = f"cursor {number} \U0001f35c"
        session.bound_at = datetime(2026, 11, 1, 12, number, 7, 123457, tzinfo=UTC)
        session.save()
        for person in range(number):
            _context(session, f"p{person}@im.wechat", f"k{number}.{person}", used=person)
    services.set_default(session=Session.objects.get(name="名字"), user=None)


def _context(session: Session, user_id: str, token: str, *, used: int = 0) -> Context:
    at = datetime(2026, 11, 2, 3, 4, 5, 987653, tzinfo=UTC)
    context = Context(
        session=session, user_id=user_id, received_at=at, replies_used=used, first_seen_at=at,
        last_reply_at=at if used else None,
    )  # fmt: skip
    context.token = token
    context.save()
    return context


def test_exported_and_imported_into_an_empty_database_the_rows_are_equal(tmp_path: Path) -> None:
    _fill()
    before = rows(), people()
    assert run("export", tmp_path / "out").status == 0
    Session.objects.all().delete()
    assert people() == []
    assert run("import", tmp_path / "out").status == 0
    assert (rows(), people()) == before
    assert len(before[1]) == 10


def test_files_and_folders_are_private_and_nothing_else_is_there(
    folder: SessionFolder,
) -> None:
    _context(make_session("shop"), LINA, "k1", used=4)
    umask = os.umask(0)
    try:
        done = run("export", folder.base)
    finally:
        os.umask(umask)
    assert done.status == 0
    modes = {
        str(path.relative_to(folder.base)): stat.S_IMODE(path.stat().st_mode)
        for path in [folder.base, *folder.base.rglob("*")]
    }
    assert modes == {
        ".": 0o700, "shop": 0o700, "shop/token.json": 0o600, "shop/contexts.json": 0o600,
        ".default_session": 0o600, ".data.lock": 0o600,
    }  # fmt: skip
    assert (folder.base / ".default_session").read_text() == "shop"
    assert json.loads((folder.base / "shop/token.json").read_text())["token"] == "token of shop"
    assert folder.read_contexts("shop")[LINA].replies_used == 4
    assert "pause them in it, before a program receives" in done.out
    assert "token of shop" not in done.out


def test_a_dry_run_says_the_same_and_makes_nothing(folder: SessionFolder, tmp_path: Path) -> None:
    make_session("shop")
    make_session("taken")
    dry = run("export", folder.base, "--dry-run")
    assert (dry.status, folder.base.exists()) == (0, False)
    log_in(folder, "taken", 1)
    (folder.base / ".data.lock").unlink()
    before = tree(tmp_path)
    dry = run("export", folder.base, "--dry-run")
    assert tree(tmp_path) == before
    done = run("export", folder.base)
    said = dry.out.removeprefix("Dry run: nothing is changed.\n").replace("would be ", "")
    assert (dry.status, done.status, said) == (1, 1, done.out)


@pytest.mark.parametrize(
    "name",
    ["../x", "a/b", ".", "..", "x" * 300, "a\nb", "a\x00b", "\u202eevil", "e\u0301"],
    ids=ascii,
)
def test_a_row_with_a_bad_name_reaches_no_disk(tmp_path: Path, name: str) -> None:
    """No door lets such a name in; a row made by hand has one."""
    if connection.vendor == "postgresql" and len(name) > 64:
        pytest.skip("PostgreSQL itself keeps no name of this length")
    make_session("good")
    bad = make_session("bad")
    Session.objects.filter(pk=bad.pk).update(name=name.replace("\0", "\1"))
    done = run("export", tmp_path / "out")
    assert (done.status, "1 written, 1 left out." in done.out) == (1, True)
    found = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")}
    assert found == {
        "out", "out/good", "out/good/token.json", "out/.default_session", "out/.data.lock",
    }  # fmt: skip
    assert all(sign.isprintable() for sign in done.out.replace("\n", ""))


def test_names_that_differ_in_case_only_are_not_mixed_up(folder: SessionFolder) -> None:
    make_session("STRASSE")
    log_in(folder, "Straße", 1)
    done = run("export", folder.base, "--replace")
    assert (done.status, "differs in upper and lower case only" in done.out) == (1, True)
    assert names.name_key("STRASSE") == names.name_key("Straße")
    assert [one.name for one in folder.scan().sessions] == ["Straße"]


def test_other_credentials_are_written_over_only_when_asked(folder: SessionFolder) -> None:
    _context(make_session("shop"), LINA, "k1")
    log_in(folder, "shop", 1)
    write_context(folder, "shop", "bo@im.wechat", StoredContext("of bot1", time.time()))
    done = run("export", folder.base)
    assert (done.status, "--replace takes ours" in done.out) == (1, True)
    assert read_token(folder, "shop").token == "secret-1"  # type: ignore[union-attr]
    assert run("export", folder.base, "--replace").status == 0
    assert read_token(folder, "shop").token == "token of shop"  # type: ignore[union-attr]
    contexts = folder.read_contexts("shop")
    assert {user: one.token for user, one in contexts.items()} == {LINA: "k1", "bo@im.wechat": ""}


def test_the_same_credentials_are_brought_up_to_date(folder: SessionFolder) -> None:
    session = make_session("shop")
    _context(session, LINA, "older")
    assert run("export", folder.base).status == 0
    now_s = time.time() + 60
    write_context(folder, "shop", LINA, StoredContext("newer", now_s, 1, now_s, now_s))
    Session.objects.update(cursor="c9")
    done = run("export", folder.base)
    assert (done.status, "brought up to date" in done.out) == (0, True)
    assert read_token(folder, "shop").cursor == "c9"  # type: ignore[union-attr]
    assert folder.read_contexts("shop")[LINA].token == "newer"


def test_broken_files_and_links_are_never_written_over(
    folder: SessionFolder, tmp_path: Path
) -> None:
    for name in ("broken", "linked", "contexts", "twin"):
        make_session(name)
    base = folder.base
    log_in(folder, "other name", 1, bot_id="twin@im.bot")
    (base / "broken").mkdir()
    (base / "broken" / "token.json").write_text("{")
    (tmp_path / "elsewhere").mkdir()
    (base / "linked").symlink_to(tmp_path / "elsewhere")
    log_in(folder, "contexts", 3, token="token of contexts", bot_id="contexts@im.bot")
    (base / "contexts" / "contexts.json").write_text("[]")
    done = run("export", base, "--replace")
    assert done.status == 1
    assert (base / "broken" / "token.json").read_text() == "{"
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert (base / "contexts" / "contexts.json").read_text() == "[]"
    assert "“other name” in the folder holds the same bot" in done.out
    assert "1 written, 4 left out." in done.out


def test_tokens_that_cannot_be_unsealed_are_said(folder: SessionFolder) -> None:
    lost, good = make_session("lost"), make_session("good")
    Session.objects.filter(pk=lost.pk).update(encrypted_token="sealed elsewhere")
    _context(good, LINA, "k1")
    Context.objects.filter(pk=_context(good, "bo@im.wechat", "k2").pk).update(encrypted_token="x")
    services.log_out(session=make_session("out"), user=None)
    done = run("export", folder.base)
    assert (done.status, "1 written, 2 left out." in done.out) == (1, True)
    assert "WEILINK_CREDENTIAL_KEYS cannot read its token" in done.out
    assert "1 person, whose token WEILINK_CREDENTIAL_KEYS cannot read" in done.out
    assert "is logged out: there is nothing to write" in done.out
    assert list(folder.read_contexts("good")) == [LINA]


def test_the_folders_own_default_stays_unless_asked(folder: SessionFolder) -> None:
    make_session("shop")
    log_in(folder, "theirs", 1)
    with folder.changing() as change:
        change.set_default("theirs")
    done = run("export", folder.base)
    assert (done.status, folder.scan().default_name) == (0, "theirs")
    assert "“theirs” stays the folder's default" in done.out
    run("export", folder.base, "--replace")
    assert folder.scan().default_name == "shop"


def test_a_held_lock_is_waited_for_shortly_and_its_holder_named(
    folder: SessionFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("outgoing", "incoming"):
        monkeypatch.setattr(f"sessions_app.folder.transfer.{module}.LOCK_WAIT_S", 0.2)
    make_session("shop")
    log_in(folder, "theirs", 1)
    with folder.changing():
        done = run("export", folder.base)
        assert run("import", folder.base).status == 1
    assert done.status == 1
    assert f"(process {os.getpid()}) (.data.lock)" in done.err
    assert read_token(folder, "shop") is None
    assert report.LOCK_WAIT_S <= 5


def test_while_a_program_receives_there_it_is_refused(folder: SessionFolder) -> None:
    make_session("shop")
    log_in(folder, "theirs", 1)
    with folder.poll_lock.take(limit_s=1):
        done = run("export", folder.base)
    assert (done.status, "stop it first" in done.err) == (1, True)
    assert read_token(folder, "shop") is None


def test_what_cannot_be_a_folder_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared_folder: Path
) -> None:
    make_session("shop")
    (tmp_path / "file").write_text("")
    assert "is not a folder" in run("export", tmp_path / "file").err
    assert "is not a folder" in run("export", tmp_path / "file" / "below").err
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    assert "a link to nothing" in run("export", tmp_path / "dangling").err
    assert "follows by itself" in run("export", shared_folder).err
    assert not shared_folder.exists()

    def not_ours(path: object, mode: int) -> bool:
        return False

    monkeypatch.setattr("sessions_app.folder.transfer.outgoing.os.access", not_ours)
    for options in ([], ["--dry-run"]):
        done = run("export", tmp_path / "out", *options)
        assert (done.status, "is not writable" in done.err) == (1, True)
    assert not (tmp_path / "out").exists()


def test_the_flat_layout_is_its_default_session(folder: SessionFolder) -> None:
    make_session("default")
    log_in(folder, "default", 1)
    base = folder.base
    (base / "default" / "token.json").rename(base / "token.json")
    (base / "default").rmdir()
    for options in (["--dry-run"], []):
        done = run("export", base, *options)
        assert (done.status, "holds other credentials" in done.out) == (1, True)
    assert read_token(folder, "default").token == "secret-1"  # type: ignore[union-attr]
