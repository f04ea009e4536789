"""Sessions, names and the default follow the folder, and the folder follows them."""

import json
import shutil
import stat

from sessions_app.models import Session, SessionEvent, SharedFolder
from sessions_app.realtime.streams import announcing
from sessions_app.sessions import services
from sessions_app.sessions.binding import Credentials, bind
from tests.session_folder import read_token
from tests.sessions_app.folder.mirror.conftest import NOW_S, Site


def _names() -> list[str]:
    return list(Session.objects.filter(deleted_at=None).values_list("name", flat=True))


def test_a_scan_here_is_in_the_folder(site: Site) -> None:
    session = site.session("shop", cursor="c7")
    site.sweep()
    stored = read_token(site.program, "shop")
    assert stored is not None
    assert (stored.token, stored.bot_id, stored.cursor) == (session.token, session.bot_id, "c7")
    assert stored.user_id == session.owner_id
    folder, file = site.base / "shop", site.base / "shop" / "token.json"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_login_of_another_program_is_a_session_here(site: Site) -> None:
    site.program_logs_in("shop", cursor="c3")
    site.sweep()
    session = Session.objects.get()
    assert (session.name, session.token, session.cursor) == ("shop", "t1", "c3")
    assert (session.state, session.is_default) == ("connecting", True)
    assert session.owner_id == "owner-of-t1@im.wechat"


def test_a_new_login_of_another_program_replaces_the_binding(site: Site) -> None:
    session = site.session("shop")
    site.sweep()
    site.program_logs_in("shop", "t2", created_at_s=4_000_000_000.0)
    site.sweep()
    row = site.row(session)
    assert (row.token, row.generation, row.state) == ("t2", 2, "connecting")
    assert SessionEvent.objects.filter(session=row, kind="bound", code="elsewhere").exists()


def test_a_logged_out_session_of_that_name_is_the_one_that_was_logged_in(site: Site) -> None:
    session = site.session("shop")
    services.log_out(session=session, user=None)
    site.sweep()
    site.program_logs_in("shop")
    site.sweep()
    assert _names() == ["shop"]
    assert site.row(session).token == "t1"


def test_a_rename_of_another_program_is_followed(site: Site) -> None:
    session = site.session("shop")
    site.sweep()
    with site.program.changing() as change:
        change.rename("shop", "名字 🙂")
    site.sweep()
    row = site.row(session)
    assert (row.name, row.token, row.state) == ("名字 🙂", session.token, session.state)
    assert SessionEvent.objects.filter(kind="renamed", detail="shop → 名字 🙂").count() == 1


def test_a_rename_here_moves_the_folder_with_all_that_is_in_it(site: Site) -> None:
    session = site.session("shop")
    site.sweep()
    (site.base / "shop" / "notes.txt").write_text("of another program")
    services.rename_session(session=session, new_name="store", user=None)
    site.sweep()
    assert not (site.base / "shop").exists()
    assert (site.base / "store" / "notes.txt").read_text() == "of another program"
    assert read_token(site.program, "store") is not None


def test_the_default_keeps_being_the_default_when_it_is_renamed(site: Site) -> None:
    first, second = site.session("default"), site.session("b")
    site.sweep()
    services.rename_session(session=first, new_name="main", user=None)
    site.sweep()
    assert site.program.scan().default_name == "main"
    assert site.row(first).is_default
    assert not site.row(second).is_default


def test_a_name_that_another_program_took_meanwhile_is_given_back(site: Site) -> None:
    session = site.session("shop")
    site.sweep()
    services.rename_session(session=session, new_name="store", user=None)
    site.program_logs_in("store", "t2")
    site.sweep()
    assert site.row(session).name == "shop"
    assert sorted(_names()) == ["shop", "store"]


def test_a_log_out_here_forgets_the_files(site: Site) -> None:
    session = site.session("shop")
    site.sweep()
    services.log_out(session=session, user=None)
    site.sweep()
    assert not (site.base / "shop").exists()
    assert (site.row(session).filed_name, site.row(session).state) == ("", "logged_out")


def test_a_log_out_of_another_program_is_followed(site: Site) -> None:
    session, other = site.session("shop"), site.session("b")
    site.sweep()
    with site.program.changing() as change:
        change.log_out("shop")
    site.sweep()
    row = site.row(session)
    assert (row.state, row.token, row.error_code) == (
        "logged_out", "", "another_program_logged_out",
    )  # fmt: skip
    assert site.row(other).state == "connected"


def test_a_deleted_session_leaves_the_folder(site: Site) -> None:
    session = site.session("shop", state="expired")
    site.sweep()
    services.delete_session(session=session, user=None)
    site.sweep()
    assert not (site.base / "shop").exists()
    assert _names() == []


def test_the_folder_that_went_away_logs_nobody_out(site: Site) -> None:
    session = site.session("shop")
    site.sweep()
    site.base.rename(site.base.with_name("elsewhere"))
    site.sweep()
    row = site.row(session)
    assert (row.state, row.error_code, bool(row.token)) == ("failing", "folder_absent", True)
    assert not site.base.exists()
    site.base.with_name("elsewhere").rename(site.base)
    site.sweep()
    assert (site.row(session).state, site.row(session).error_code) == ("connecting", "")


def test_an_empty_folder_in_its_place_logs_nobody_out(site: Site) -> None:
    session = site.session("shop")
    site.sweep()
    shutil.rmtree(site.base)
    site.base.mkdir()
    site.sweep()
    row = site.row(session)
    assert (row.state, row.error_code, bool(row.token)) == ("failing", "folder_empty", True)
    assert not (site.base / "shop").exists()


def test_a_broken_file_is_said_and_never_overwritten(site: Site) -> None:
    session, other = site.session("shop"), site.session("b")
    site.sweep()
    file = site.base / "shop" / "token.json"
    whole = file.read_bytes()
    file.write_text('{"bot_id": "half')
    site.sweep()
    row = site.row(session)
    assert (row.state, row.error_code) == ("failing", "folder_file")
    assert "token.json is broken" in row.error_detail
    assert file.read_text() == '{"bot_id": "half'
    assert site.row(other).state == "connected"
    file.write_bytes(whole)
    site.sweep()
    assert site.row(session).state == "connecting"


def test_a_folder_written_back_after_a_log_out_is_set_aside(site: Site) -> None:
    session = site.session("shop")
    site.sweep()
    token = (site.base / "shop" / "token.json").read_bytes()
    services.log_out(session=session, user=None)
    site.sweep()
    (site.base / "shop").mkdir()
    (site.base / "shop" / "token.json").write_bytes(token)
    site.sweep()
    assert site.row(session).state == "logged_out"
    (aside,) = SharedFolder.objects.get().set_aside
    assert (aside["name"], aside["problem"]) == ("shop", "written_back")


def test_an_older_token_written_over_a_new_scan_is_written_over_again(site: Site) -> None:
    session = site.session("shop")
    site.sweep()
    old = (site.base / "shop" / "token.json").read_bytes()
    with announcing() as change:
        new = Credentials("new", session.bot_id, session.base_url, session.owner_id)
        bind(change, session, new, who=None)
    site.sweep()
    (site.base / "shop" / "token.json").write_bytes(old)
    site.sweep()
    stored = read_token(site.program, "shop")
    assert stored is not None
    assert stored.token == "new"
    assert site.row(session).token == "new"


def test_one_bot_in_two_folders_is_one_session(site: Site) -> None:
    session = site.session("shop")
    site.sweep()
    shutil.copytree(site.base / "shop", site.base / "a copy")
    site.sweep()
    assert _names() == ["shop"]
    assert site.row(session).filed_name == "shop"
    services.rename_session(session=session, new_name="store", user=None)
    site.sweep()
    assert _names() == ["store"]


def test_unsafe_names_and_links_are_shown_and_never_followed(site: Site) -> None:
    site.program_logs_in("shop")
    token = (site.base / "shop" / "token.json").read_text()
    outside = site.base.parent / "outside"
    outside.mkdir()
    (outside / "token.json").write_text(token.replace("t1", "t9"))
    (site.base / "linked").symlink_to(outside)
    (site.base / "a:b").mkdir()
    (site.base / "a:b" / "token.json").write_text(token.replace("t1", "t8"))
    site.sweep()
    assert _names() == ["shop"]
    aside = {one["name"]: one["problem"] for one in SharedFolder.objects.get().set_aside}
    assert aside == {"a:b": "bad_name", "linked": "link"}


def test_the_default_follows_both_ways(site: Site) -> None:
    first, second = site.session("a"), site.session("b")
    site.sweep()
    with site.program.changing() as change:
        change.set_default("b")
    site.sweep()
    assert site.row(second).is_default
    services.set_default(session=first, user=None)
    site.sweep()
    assert site.program.scan().default_name == "a"
    assert site.row(first).is_default


def test_a_logged_out_default_stays_the_default_here(site: Site) -> None:
    first, second = site.session("a"), site.session("b")
    site.sweep()
    services.log_out(session=first, user=None)
    site.sweep()
    assert site.row(first).is_default
    assert not site.row(second).is_default
    first = site.row(first)
    first.token, first.generation, first.state = "again", 3, "connected"
    first.save()
    site.sweep()
    assert site.program.scan().default_name == "a"


def test_the_layout_before_0_5_moves_and_is_a_session(site: Site) -> None:
    site.program_logs_in("default")
    (site.base / "default" / "token.json").rename(site.base / "token.json")
    (site.base / "default").rmdir()
    site.sweep()
    assert _names() == ["default"]
    assert (site.base / "default" / "token.json").exists()


def test_a_restart_changes_nothing(site: Site) -> None:
    session = site.session("shop")
    site.program_logs_in("b", "t2")
    site.sweep()
    before = [site.row(session), *Session.objects.order_by("pk").values()]
    site.mirror = site.start()
    site.sweep()
    assert [site.row(session), *Session.objects.order_by("pk").values()] == before


def test_a_busy_folder_is_read_all_the_same_and_written_later(site: Site) -> None:
    first, second = site.session("a"), site.session("b")
    site.sweep()
    with site.program.changing() as change:
        change.rename("a", "c")
        services.rename_session(session=second, new_name="d", user=None)
        last = site.sweep(times=1)
        assert last.is_busy
        assert site.row(first).name == "c"
        assert (site.base / "b").exists()
    site.sweep()
    assert (site.base / "d").exists()


def test_a_session_vanishing_in_the_middle_of_a_move_is_no_log_out(site: Site) -> None:
    session = site.session("shop")
    site.sweep()
    with site.program.changing():
        (site.base / "shop" / "token.json").rename(site.base / ".moving")
        site.sweep(times=1)
        assert site.row(session).token
        (site.base / "store").mkdir()
        (site.base / ".moving").rename(site.base / "store" / "token.json")
    site.sweep()
    assert (site.row(session).name, site.row(session).state) == ("store", "connected")


def test_unknown_keys_of_other_programs_stay(site: Site) -> None:
    site.program_logs_in("shop")
    file = site.base / "shop" / "token.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "note": "mine"}))
    site.sweep(wants=True)
    Session.objects.update(cursor="c9")
    site.sweep(wants=True)
    fields = json.loads(file.read_text())
    assert (fields["note"], fields["cursor"], fields["created_at"]) == ("mine", "c9", NOW_S)


def test_a_session_moved_over_another_one_takes_nothing_from_it(site: Site) -> None:
    """A running SDK knows nothing of sessions that were made after it began."""
    first, second = site.session("a"), site.session("b")
    site.sweep()
    (site.base / "a" / "token.json").rename(site.base / "b" / "token.json")
    shutil.rmtree(site.base / "a")
    site.sweep()
    assert (site.row(first).token, site.row(first).name) == (first.token, "a")
    assert (site.row(second).token, site.row(second).name) == (second.token, "b")
    for session in (first, second):
        stored = read_token(site.program, session.name)
        assert stored is not None
        assert stored.token == session.token
        assert site.row(session).state == "connected"
