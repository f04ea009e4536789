"""Context tokens and counts: the later message wins, the same token's replies are added up."""

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone

from sessions_app.folder.store import Change, StoredContext
from sessions_app.models import Context, Session
from sessions_app.sessions import services
from tests.sessions_app.folder.mirror.conftest import Site, make_context

LINA, WANG = "lina@im.wechat", "wang@im.wechat"


def _at(seconds_ago: float) -> datetime:
    return timezone.now() - timedelta(seconds=seconds_ago)


def _ours(session: Session, token: str = "k1", used: int = 0, ago_s: float = 60) -> Context:
    return make_context(session, LINA, token, received_at=_at(ago_s), replies_used=used)


def _row() -> Context:
    return Context.objects.get(user_id=LINA)


def _answer_here(site: Site) -> None:
    """As `quota.count` counts it."""
    Context.objects.update(replies_used=F("replies_used") + 1, unfiled=True)


def _program_answers(site: Site, times: int = 1) -> None:
    entry = site.on_disk("shop", LINA)
    site.program_writes(
        "shop",
        LINA,
        StoredContext(
            entry.token,
            entry.received_at_s,
            entry.replies_used + times,
            time.time(),
            entry.first_seen_s,
        ),
    )


def test_a_message_received_here_is_in_the_folder(site: Site) -> None:
    context = _ours(site.session("shop"), used=2)
    site.sweep()
    stored = site.on_disk("shop", LINA)
    assert (stored.token, stored.replies_used) == ("k1", 2)
    assert stored.received_at_s == context.received_at.timestamp()
    assert not _row().unfiled


def test_a_message_received_by_another_program_is_here(site: Site) -> None:
    site.session("shop")
    site.sweep()
    now_s = time.time()
    site.program_writes("shop", LINA, StoredContext("k1", now_s, 0, 0.0, now_s))
    site.sweep()
    row = _row()
    assert (row.token, row.replies_used) == ("k1", 0)
    assert row.received_at == datetime.fromtimestamp(now_s, UTC)
    (told,) = site.conversations.told
    assert (told.user_id, told.received_at) == (LINA, row.received_at)


def test_its_newer_token_replaces_ours_and_its_older_one_does_not(site: Site) -> None:
    _ours(site.session("shop"), used=7)
    site.sweep()
    site.program_writes("shop", LINA, StoredContext("old", time.time() - 900, 9))
    site.sweep()
    assert (_row().token, _row().replies_used) == ("k1", 7)
    assert site.on_disk("shop", LINA).token == "k1"
    site.program_writes("shop", LINA, StoredContext("k2", time.time()))
    site.sweep()
    assert (_row().token, _row().replies_used) == ("k2", 0)


def test_replies_of_both_are_added_up(site: Site) -> None:
    _ours(site.session("shop"))
    site.sweep()
    for _turn in range(3):
        _answer_here(site)
        _program_answers(site)
        site.sweep()
    assert _row().replies_used == 6
    assert site.on_disk("shop", LINA).replies_used == 6
    assert sum(one.replies for one in site.conversations.told) == 3


def test_a_count_taken_back_is_taken_back_in_the_folder(site: Site) -> None:
    _ours(site.session("shop"), used=3)
    site.sweep()
    Context.objects.update(replies_used=F("replies_used") - 1, unfiled=True)
    site.sweep()
    assert site.on_disk("shop", LINA).replies_used == 2


def test_an_old_count_beside_a_new_token_is_not_believed(site: Site) -> None:
    context = _ours(site.session("shop"), used=9)
    site.sweep()
    context = _row()
    context.begin_token("k2", waiting=0)
    context.received_at, context.unfiled = timezone.now(), True
    context.save()
    site.sweep()
    entry = site.on_disk("shop", LINA)
    # A running SDK never resets its count: it writes 9 beside the new token.
    site.program_writes("shop", LINA, StoredContext("k2", entry.received_at_s, 9))
    site.sweep()
    assert _row().replies_used == 0
    assert site.on_disk("shop", LINA).replies_used == 0
    _program_answers(site)
    site.sweep()
    assert _row().replies_used == 1


def test_people_that_another_program_forgot_are_written_again(site: Site) -> None:
    _ours(site.session("shop"))
    site.sweep()
    (site.base / "shop" / "contexts.json").write_text("{}")
    site.sweep()
    assert site.on_disk("shop", LINA).token == "k1"


def test_after_a_restart_nothing_is_lost_and_nothing_told_twice(site: Site) -> None:
    _ours(site.session("shop"), used=1)
    site.sweep()
    _program_answers(site)
    site.mirror = site.start()
    _answer_here(site)
    site.sweep()
    assert _row().replies_used == 3
    assert site.on_disk("shop", LINA).replies_used == 3
    site.mirror = site.start()
    site.sweep()
    assert sum(one.replies for one in site.conversations.told) == 1
    assert _row().replies_used == 3


def test_killed_between_the_file_and_its_note_a_reply_is_counted_once(site: Site) -> None:
    _ours(site.session("shop"))
    site.sweep()
    Context.objects.update(replies_used=F("replies_used") + 1, last_reply_at=timezone.now())
    row = _row()
    assert row.last_reply_at is not None
    entry = replace(
        site.on_disk("shop", LINA), replies_used=1, replied_at_s=row.last_reply_at.timestamp()
    )
    site.program_writes("shop", LINA, entry)  # our own write; the row still says 0
    site.mirror = site.start()
    site.sweep()
    assert (_row().replies_used, _row().filed_count) == (1, 1)
    assert site.conversations.told == []
    _program_answers(site)
    site.sweep()
    assert _row().replies_used == 2


def test_a_token_that_comes_while_the_file_is_written_keeps_its_own_counts(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    _ours(site.session("shop"), used=9)
    site.sweep()
    write = Change.write_contexts

    def write_late(change: Change, *arguments: Any) -> None:
        write(change, *arguments)
        row = _row()
        row.begin_token("k2", waiting=0)
        row.received_at, row.unfiled = timezone.now(), True
        row.save()

    monkeypatch.setattr(Change, "write_contexts", write_late)
    _answer_here(site)
    site.sweep(times=1)
    monkeypatch.undo()
    site.sweep()
    entry = site.on_disk("shop", LINA)
    assert (entry.token, entry.replies_used) == ("k2", 0)
    site.program_writes("shop", LINA, replace(entry, replies_used=9))
    site.sweep()
    assert _row().replies_used == 0, "the old count was believed"


def test_broken_contexts_are_said_never_overwritten_and_hold_no_reply_back(site: Site) -> None:
    session = site.session("shop")
    _ours(session)
    site.sweep()
    file = site.base / "shop" / "contexts.json"
    file.write_text("{half")
    _answer_here(site)
    site.sweep()
    row = site.row(session)
    assert (row.state, row.error_code) == ("failing", "contexts_file")
    assert not _row().unfiled
    assert file.read_text() == "{half"
    file.unlink()
    site.sweep()
    assert site.row(session).state == "connecting"
    assert site.on_disk("shop", LINA).replies_used == 1


def test_a_busy_folder_holds_a_reply_back_until_it_is_counted(site: Site) -> None:
    _ours(site.session("shop"))
    site.sweep()
    with site.program.changing():
        _answer_here(site)
        assert site.sweep(times=1).is_busy
        assert _row().unfiled
    site.sweep()
    assert not _row().unfiled
    assert site.on_disk("shop", LINA).replies_used == 1


def test_a_log_out_forgets_the_contexts_on_both_sides(site: Site) -> None:
    session = site.session("shop")
    _ours(session)
    site.sweep()
    services.log_out(session=session, user=None)
    site.sweep()
    assert not (site.base / "shop").exists()
    assert not Context.objects.exists()


def test_a_look_at_what_did_not_change_reads_no_contexts(site: Site) -> None:
    for number in range(20):
        site.program_logs_in(f"s{number:03d}", f"t{number}")
    site.sweep(times=2)
    reads: list[str] = []
    read = site.mirror.folder.read_contexts
    site.mirror.folder.read_contexts = lambda name: reads.append(name) or read(name)  # type: ignore[method-assign,func-returns-value]
    site.sweep(times=2)
    assert reads == []
