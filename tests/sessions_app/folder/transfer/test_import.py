"""`sessions import DIR`: what is taken, what is left out and why, and that DIR stays as it is."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from messaging.models import Conversation, Message
from sessions_app.folder.store import KeptAnswer, SessionFolder, StoredContext
from sessions_app.models import Context, Session, SharedFolder, Stream
from sessions_app.sessions import services
from tests.messaging.builders import make_session, text_message

from .conftest import NOW_S, log_in, run, tree, write_context

pytestmark = pytest.mark.django_db
LINA = "lina@im.wechat"


def _line(out: str, name: str) -> str:
    return next(line for line in out.splitlines() if line.startswith(name))


def test_credentials_cursor_people_counts_and_default_are_taken(folder: SessionFolder) -> None:
    log_in(folder, "shop", 1)
    log_in(folder, "名字", 2)
    now_s = time.time()
    write_context(folder, "shop", LINA, StoredContext("k1", now_s, 3, now_s + 1, now_s - 9))
    with folder.changing() as change:
        change.set_default("名字")
    before = tree(folder.base)
    done = run("import", folder.base)
    assert done.status == 0, done
    shop = Session.objects.get(name="shop")
    assert (shop.token, shop.cursor, shop.state) == ("secret-1", "c1", "connecting")
    assert (shop.bot_id, shop.owner_id) == ("bot1@im.bot", "owner1@im.wechat")
    assert shop.created_at == shop.bound_at
    assert shop.bound_at is not None
    assert shop.bound_at.timestamp() == NOW_S + 1
    assert Session.objects.get(is_default=True).name == "名字"
    context = Context.objects.get()
    assert (context.token, context.replies_used) == ("k1", 3)
    assert context.received_at.timestamp() == pytest.approx(now_s, abs=1e-5)
    assert Conversation.objects.get().contact.user_id == LINA
    assert tree(folder.base) == before
    assert "2 imported, 0 left out." in done.out
    assert "Stop every program on" in done.out
    assert "secret-1" not in done.out + done.err
    assert "k1" not in done.out


def test_a_dry_run_says_the_same_and_changes_nothing(folder: SessionFolder) -> None:
    log_in(folder, "shop", 1)
    log_in(folder, "taken", 2)
    (folder.base / ".data.lock").unlink()
    (folder.base / "bad").mkdir()
    (folder.base / "bad" / "token.json").write_text("{")
    make_session("taken")
    streams = list(Stream.objects.values_list())
    before = tree(folder.base)
    dry = run("import", folder.base, "--dry-run")
    assert Session.objects.count() == 1
    assert list(Stream.objects.values_list()) == streams
    assert tree(folder.base) == before
    done = run("import", folder.base)
    assert (dry.status, done.status) == (1, 1)
    said = dry.out.removeprefix("Dry run: nothing is changed.\n").replace("would be ", "")
    assert said == done.out
    assert tree(folder.base) == before


def test_each_problem_is_one_sentence_and_the_rest_goes_on(
    folder: SessionFolder, tmp_path: Path
) -> None:
    log_in(folder, "good", 1)
    log_in(folder, "same bot", 1, token="older", created_at_s=NOW_S - 9)
    base = folder.base
    (base / "broken").mkdir()
    (base / "broken" / "token.json").write_text('{"token": "secret-9"')
    (base / "link").symlink_to(tmp_path)
    log_in(folder, "back", 5)
    with folder.changing() as change:
        change.rename("back", "home")
    (base / "back").mkdir()
    (base / "back" / "token.json").write_bytes((base / "home" / "token.json").read_bytes())
    log_in(folder, "contexts", 6)
    (base / "contexts" / "contexts.json").write_text("[]")
    done = run("import", base)
    assert done.status == 1
    assert sorted(Session.objects.values_list("name", flat=True)) == ["contexts", "good", "home"]
    for name, word in {
        "same bot": "holds the same bot", "broken": "not JSON", "link": "links are not followed",
        "back": "wrote this folder back",
    }.items():  # fmt: skip
        assert word in _line(done.out, name)
    assert "people and counts: contexts.json is broken" in done.out
    assert "3 imported, 5 left out." in done.out
    assert "secret" not in done.out


BAD = ["x" * 200, "a\nb", "a\x1b[2Jb", " a", "a:b", "a\\b", "\u202eevil", "e\u0301"]


@pytest.mark.parametrize("name", BAD, ids=ascii)
def test_a_bad_name_is_left_out_and_cannot_harm_a_terminal(
    folder: SessionFolder, name: str
) -> None:
    log_in(folder, "good", 1)
    (folder.base / name).mkdir()
    (folder.base / name / "token.json").write_text(json.dumps({
        "token": "t", "bot_id": "b", "base_url": "https://ilinkai.weixin.qq.com",
    }))  # fmt: skip
    done = run("import", folder.base)
    assert done.status == 1
    assert [one.name for one in Session.objects.all()] == ["good"]
    assert "1 imported, 1 left out." in done.out
    assert all(sign.isprintable() for sign in done.out.replace("\n", ""))
    assert max(len(line) for line in done.out.splitlines()[:2]) < 200


def test_a_name_that_is_no_unicode_is_left_out(folder: SessionFolder) -> None:
    log_in(folder, "good", 1)
    (folder.base / os.fsdecode(b"\xff\xfe")).mkdir()
    (folder.base / os.fsdecode(b"\xff\xfe") / "token.json").write_text("{}")
    done = run("import", folder.base)
    assert (done.status, Session.objects.count()) == (1, 1)
    done.out.encode("utf-8")


@pytest.mark.parametrize("name", ["名字", "🍜 小店", "x" * 64, "default", "Shop A"], ids=ascii)
def test_a_fine_name_is_taken_as_it_is(folder: SessionFolder, name: str) -> None:
    log_in(folder, name, 1)
    assert run("import", folder.base).status == 0
    assert Session.objects.get().name == name


def test_a_default_that_points_elsewhere_is_no_path(folder: SessionFolder) -> None:
    log_in(folder, "shop", 1)
    (folder.base / ".default_session").write_text("../x")
    assert run("import", folder.base).status == 0
    assert Session.objects.get(is_default=True).name == "shop"


def test_names_that_differ_in_case_only_clash_in_the_folder_and_here(folder: SessionFolder) -> None:
    make_session("SHOP")
    log_in(folder, "shop", 1)
    done = run("import", folder.base)
    assert (done.status, Session.objects.get().token) == (1, "token of SHOP")
    assert "“SHOP” is connected here; --replace takes the folder's." in done.out


def test_a_connected_session_is_replaced_only_when_asked(folder: SessionFolder) -> None:
    session = make_session("shop")
    log_in(folder, "shop", 1)
    assert run("import", folder.base).status == 1
    assert Session.objects.get().token == "token of shop"
    done = run("import", folder.base, "--replace")
    assert (done.status, "in place of the session here" in done.out) == (0, True)
    row = Session.objects.get()
    assert (row.pk, row.token, row.cursor, row.generation) == (session.pk, "secret-1", "c1", 2)


def test_a_logged_out_session_of_that_name_is_the_one(folder: SessionFolder) -> None:
    session = make_session("shop")
    services.log_out(session=session, user=None)
    log_in(folder, "shop", 1)
    assert run("import", folder.base).status == 0
    assert (Session.objects.get().pk, Session.objects.get().token) == (session.pk, "secret-1")


def test_an_unreadable_token_here_is_not_overwritten_by_itself(folder: SessionFolder) -> None:
    make_session("shop")
    Session.objects.update(encrypted_token="sealed elsewhere")
    log_in(folder, "shop", 1)
    done = run("import", folder.base)
    assert (done.status, Session.objects.get().encrypted_token) == (1, "sealed elsewhere")
    assert "WEILINK_CREDENTIAL_KEYS cannot read" in done.out
    assert run("import", folder.base, "--replace").status == 0
    assert Session.objects.get().token == "secret-1"


def test_the_same_bot_or_account_under_another_name_here_is_left_out(folder: SessionFolder) -> None:
    other = make_session("other")
    log_in(folder, "shop", 1, bot_id=other.bot_id)
    log_in(folder, "older scan", 2, user_id=other.owner_id, created_at_s=1.0)
    done = run("import", folder.base)
    assert (done.status, Session.objects.count()) == (1, 1)
    assert "“other” here holds the same bot" in _line(done.out, "shop")
    assert "the same WeChat account by a later scan" in _line(done.out, "older scan")


def test_a_second_import_takes_what_is_new_and_counts_nothing_twice(folder: SessionFolder) -> None:
    log_in(folder, "shop", 1)
    now_s = time.time()
    write_context(folder, "shop", LINA, StoredContext("k1", now_s, 3, now_s, now_s))
    assert run("import", folder.base).status == 0
    Session.objects.update(cursor="further")
    generation = Session.objects.get().generation
    write_context(folder, "shop", "bo@im.wechat", StoredContext("k2", now_s, 0, 0.0, now_s))
    done = run("import", folder.base)
    assert (done.status, "is here already" in done.out) == (0, True)
    assert Context.objects.get(user_id=LINA).replies_used == 3
    assert Context.objects.count() == 2
    row = Session.objects.get()
    assert (row.cursor, row.generation) == ("further", generation)


def test_what_no_database_can_hold_is_said(folder: SessionFolder) -> None:
    log_in(folder, "nul", 1, bot_id="a\0b")
    log_in(folder, "long", 2, base_url="https://" + "x" * 500)
    log_in(folder, "shop", 3)
    now_s = time.time()
    for user in ("a\0b", "\ud800", "x" * 201, LINA):
        write_context(folder, "shop", user, StoredContext("k1", now_s, 0, 0.0, now_s))
    write_context(folder, "shop", "far", StoredContext("k1", 1e300, 0, 0.0, now_s))
    done = run("import", folder.base)
    assert (done.status, Session.objects.get().name) == (1, "shop")
    assert Context.objects.get().user_id == LINA
    assert "it lacks bot_id" in _line(done.out, "nul")
    assert "its base_url is too long" in _line(done.out, "long")
    assert "4 people, whose entry no database can hold" in done.out


@pytest.mark.parametrize("contexts_moved", [False, True])
def test_the_flat_layout_is_understood_and_not_moved(
    folder: SessionFolder, contexts_moved: bool
) -> None:
    log_in(folder, "default", 1)
    now_s = time.time()
    write_context(folder, "default", LINA, StoredContext("k1", now_s, 1, now_s, now_s))
    base = folder.base
    (base / "default" / "token.json").rename(base / "token.json")
    if not contexts_moved:
        (base / "default" / "contexts.json").rename(base / "contexts.json")
        (base / "default").rmdir()
    before = tree(base)
    assert run("import", base).status == 0
    session = Session.objects.get()
    assert (session.name, session.token, session.is_default) == ("default", "secret-1", True)
    assert Context.objects.get().replies_used == 1
    assert tree(base) == before


def test_answers_that_nobody_read_are_stored_once_and_stay_there(folder: SessionFolder) -> None:
    log_in(folder, "shop", 1)
    body: dict[str, Any] = {"ret": 0, "msgs": [text_message("hello")], "get_updates_buf": "c2"}
    folder.keep_answer(KeptAnswer("bot1@im.bot", "c1", "c2", json.dumps(body).encode()))
    before = tree(folder.base)
    dry = run("import", folder.base, "--dry-run")
    assert "nobody read: 1 would be stored" in dry.out
    assert Message.objects.count() == 0
    for _time in range(2):
        done = run("import", folder.base)
        assert "nobody read: 1 stored" in done.out
        assert Message.objects.get().text == "hello"
        assert Session.objects.get().cursor == "c2"
    assert tree(folder.base) == before


def test_while_a_program_receives_on_the_folder_it_is_refused(folder: SessionFolder) -> None:
    log_in(folder, "shop", 1)
    held = folder.poll_lock.try_take()
    assert held is not None
    for options in ([], ["--dry-run"]):
        done = run("import", folder.base, *options)
        assert (done.status, done.out) == (1, "")
        assert done.err.startswith(f"A program is receiving on {folder.base}: ")
        assert f"(process {os.getpid()}); stop it first." in done.err
    assert Session.objects.count() == 0
    held.release()
    assert run("import", folder.base).status == 0


def test_a_folder_that_is_none_or_not_there_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert run("import", tmp_path / "file").err.endswith("file is not a folder.\n")
    assert run("import", tmp_path / "nothing").err.endswith("nothing is not there.\n")
    assert not (tmp_path / "nothing").exists()


def test_an_empty_folder_is_no_failure(tmp_path: Path) -> None:
    done = run("import", tmp_path)
    assert (done.status, done.out) == (0, "0 imported, 0 left out.\n")


def test_the_followed_folder_is_refused_and_another_one_is_not(
    folder: SessionFolder, shared_folder: Path, tmp_path: Path
) -> None:
    log_in(SessionFolder(shared_folder), "shop", 1)
    (tmp_path / "alias").symlink_to(shared_folder)
    for path in (shared_folder, tmp_path / "alias"):
        done = run("import", path)
        assert (done.status, "follows by itself" in done.err) == (1, True)
    other = SessionFolder(tmp_path / "other")
    log_in(other, "shop", 1)
    assert run("import", other.base).status == 0
    assert SharedFolder.objects.count() == 0
