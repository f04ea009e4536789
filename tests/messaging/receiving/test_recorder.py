"""The recorder: an answer in hand is stored, spooled or kept raw, whatever happens, and once."""

import asyncio
import shutil
import stat
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from messaging.models import Message, RawAnswer
from messaging.receiving import inbound
from messaging.receiving.answers import Received
from messaging.receiving.recorder import Recorder, Spool, spool_folder
from sessions_app.models import Session, SessionEvent, Team
from sessions_app.simulator.serve import SimulatorServer
from tests.conftest import in_thread, until
from tests.messaging.builders import answer, make_session, text_message
from tests.messaging.rig import Rig, bound_session


class Database:
    """`inbound.store` with a database that can be away, or cannot bear one answer."""

    def __init__(self) -> None:
        self.is_away = False
        self.poison: type[Exception] | None = None

    def store(self, answers: Sequence[Received]) -> int:
        if self.is_away:
            raise OperationalError("the database is away")
        if self.poison and any(b"poison" in one.updates.raw for one in answers):
            raise self.poison("no such answer can be stored")
        return inbound.store(answers)

    def takes_writes(self) -> bool:
        return not self.is_away


@pytest.fixture
def database() -> Database:
    return Database()


MakeRecorder = Callable[[], Any]


@pytest.fixture
async def start(seeded: Team, tmp_path: Path, database: Database) -> AsyncIterator[MakeRecorder]:
    made: list[Recorder] = []

    async def start() -> Recorder:
        made.append(
            Recorder(
                Spool(tmp_path / "spool"),
                store=database.store,
                takes_writes=database.takes_writes,
                away_retry_s=0.05,
            )
        )
        await made[-1].start()
        return made[-1]

    yield start
    for one in made:
        await one.stop()


@pytest.fixture
async def session(seeded: Team) -> Session:
    made: Session = await in_thread(make_session)()
    return made


def _texts() -> list[str]:
    return list(Message.objects.order_by("id").values_list("text", flat=True))


async def _is_open(one: Recorder) -> bool:
    try:
        await asyncio.wait_for(one.until_open(), 0.01)
    except TimeoutError:
        return False
    return True


async def test_while_the_database_is_away_answers_lie_sealed_in_the_spool(
    start: MakeRecorder, database: Database, session: Session
) -> None:
    one = await start()
    database.is_away = True
    await one.store(answer(session, [text_message("secret words")]))

    [path] = one.spool.waiting()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"secret words" not in path.read_bytes()
    assert not await _is_open(one)


async def test_on_return_the_spool_is_stored_first_and_in_order(
    start: MakeRecorder, database: Database, session: Session
) -> None:
    one = await start()
    database.is_away = True
    await one.store(answer(session, [text_message("1"), text_message("2")], cursor="c1"))
    await one.store(answer(session, [text_message("3")], cursor="c2", asked_with="c1"))
    database.is_away = False
    await asyncio.wait_for(one.until_open(), 5)
    await one.store(answer(session, [text_message("4")], cursor="c3", asked_with="c2"))

    assert await in_thread(_texts)() == ["1", "2", "3", "4"]
    assert one.spool.waiting() == []
    assert (await Session.objects.aget()).cursor == "c3"


async def test_no_new_poll_starts_while_the_database_is_away(
    start: MakeRecorder, database: Database, simulator: SimulatorServer
) -> None:
    one = await start()
    session, bot = await in_thread(bound_session)(simulator, "Lin")
    simulator.control.switches(hold_s=0.1)
    database.is_away = True
    simulator.control.write(bot["bot_id"], "lina@im.wechat", "hello")
    rig = Rig(simulator, session, one)
    rig.start()
    await until(lambda: one.spool.waiting(), "the answer in the spool")
    for _ in range(20):  # far longer than a poll's way, were there one
        await asyncio.sleep(0.02)
    assert simulator.control.polls()["total"] == 1
    database.is_away = False
    await until(lambda: simulator.control.polls()["total"] > 1, "polling goes on")
    assert await in_thread(_texts)() == ["hello"]
    await rig.stop()


async def test_a_crash_between_storing_and_deleting_stores_nothing_twice(
    start: MakeRecorder, database: Database, session: Session, tmp_path: Path
) -> None:
    one = await start()
    database.is_away = True
    await one.store(answer(session, [text_message("once"), {"no": "message"}]))
    [path] = one.spool.waiting()
    kept = shutil.copy(path, tmp_path / "kept")
    database.is_away = False
    await asyncio.wait_for(one.until_open(), 5)
    shutil.copy(kept, path)

    again = await start()
    assert again.spool.waiting() == []
    assert await in_thread(_texts)() == ["once"]
    assert await RawAnswer.objects.acount() == 1


async def test_an_answer_that_fails_alone_is_kept_raw_shown_and_passed_by(
    start: MakeRecorder, database: Database, session: Session
) -> None:
    database.poison = ValueError
    one = await start()
    answers = [
        answer(session, [text_message("before")], cursor="c1"),
        answer(session, [text_message("poison")], cursor="c2", asked_with="c1"),
        answer(session, [text_message("after")], cursor="c3", asked_with="c2"),
    ]
    await asyncio.gather(*(one.store(each) for each in answers))

    assert await in_thread(_texts)() == ["before", "after"]
    assert await RawAnswer.objects.acount() == 1
    assert await SessionEvent.objects.filter(session=session, kind="stray").acount() == 1
    assert (await Session.objects.aget()).cursor == "c3"
    assert await _is_open(one)


async def test_a_poisoned_answer_that_looks_like_a_database_away_does_not_stop_the_worker(
    start: MakeRecorder, database: Database, session: Session
) -> None:
    """SQLite says “too many SQL variables” with the very error of a database that is away."""
    database.poison = OperationalError
    one = await start()
    await one.store(answer(session, [text_message("poison")], cursor="c2"))

    await asyncio.wait_for(one.until_open(), 10)
    assert one.spool.waiting() == []
    assert await RawAnswer.objects.acount() == 1
    assert (await Session.objects.aget()).cursor == "c2"


async def test_with_a_full_disk_the_answer_is_held_until_it_is_safe(
    start: MakeRecorder, database: Database, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = await start()
    database.is_away = True
    tried = 0

    def full(_answer: Received) -> None:
        nonlocal tried
        tried += 1
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(one.spool, "put", full)
    storing = asyncio.ensure_future(one.store(answer(session, [text_message("held")])))
    await until(lambda: tried >= 3, "tried again")
    assert not storing.done()
    database.is_away = False
    await asyncio.wait_for(storing, 5)
    assert await in_thread(_texts)() == ["held"]
    await asyncio.wait_for(one.until_open(), 5)


async def test_a_spooled_file_that_cannot_be_read_is_set_aside_and_blocks_nothing(
    start: MakeRecorder, session: Session, tmp_path: Path
) -> None:
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "20260101T000000-0.answer").write_bytes(b"sealed with a lost key")
    one = await start()
    assert await _is_open(one)
    assert [path.suffix for path in (tmp_path / "spool").iterdir()] == [".unreadable"]


async def test_a_stop_stores_what_is_in_hand(session: Session, tmp_path: Path) -> None:
    one = Recorder(Spool(tmp_path / "spool"))
    await one.start()
    storing = asyncio.ensure_future(one.store(answer(session, [text_message("last words")])))
    await asyncio.sleep(0)
    await one.stop()
    assert storing.done()
    assert await in_thread(_texts)() == ["last words"]


async def test_a_stop_spools_what_a_hanging_database_holds(
    session: Session, tmp_path: Path
) -> None:
    hangs, goes_on = threading.Event(), threading.Event()

    def store(answers: Sequence[Received]) -> int:
        hangs.set()
        goes_on.wait(10)
        return inbound.store(answers)

    one = Recorder(Spool(tmp_path / "spool"), store=store, stop_s=0.2)
    await one.start()
    storing = [asyncio.ensure_future(one.store(answer(session, [text_message("in hand")])))]
    await until(hangs.is_set, "hanging")
    storing.append(asyncio.ensure_future(one.store(answer(session, [text_message("queued")]))))
    await asyncio.sleep(0)
    await asyncio.wait_for(one.stop(), 2)
    assert all(each.done() for each in storing)
    assert len(one.spool.waiting()) == 2
    goes_on.set()
    one._thread.shutdown(wait=True)

    again = Recorder(Spool(tmp_path / "spool"))
    await again.start()
    await again.stop()
    assert sorted(await in_thread(_texts)()) == ["in hand", "queued"]


@pytest.mark.parametrize(("sqlstate", "times"), [("40P01", 3), ("40001", 3), ("", 1)])
async def test_who_lost_against_another_transaction_stores_again_at_once(
    session: Session, tmp_path: Path, sqlstate: str, times: int
) -> None:
    lost = 0

    def store(answers: Sequence[Received]) -> int:
        nonlocal lost
        if lost < times:
            lost += 1
            cause = Exception()
            cause.sqlstate = sqlstate  # type: ignore[attr-defined]
            raise OperationalError("database is locked" if not sqlstate else "clash") from cause
        return inbound.store(answers)

    one = Recorder(Spool(tmp_path / "spool"), store=store)
    await one.start()
    await one.store(answer(session, [text_message("hello")]))
    assert not (tmp_path / "spool").exists()
    assert await _is_open(one)
    assert (await in_thread(_texts)(), lost) == (["hello"], times)
    await one.stop()


def test_each_database_of_a_server_has_a_spool_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sessions of two databases have the same numbers: an answer must not reach the other's."""
    server = {**connection.settings_dict, "HOST": "db.example.org", "PORT": "5432"}
    monkeypatch.setattr(connection, "vendor", "postgresql")
    folders = set()
    for name in ("shop", "try/out"):
        monkeypatch.setattr(connection, "settings_dict", {**server, "NAME": name})
        folders.add(spool_folder(tmp_path))
    names = {"db.example.org_5432_shop", "db.example.org_5432_try%2Fout"}
    assert folders == {tmp_path / "spool" / name for name in names}
    monkeypatch.setattr(connection, "vendor", "sqlite")
    assert spool_folder(tmp_path) == tmp_path / "spool"
