"""A worker whose heartbeats do not arrive stops polling by itself, and goes on afterwards."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from django.db import OperationalError

from messaging.models import Message
from messaging.worker.pauses import Pauses
from sessions_app.models import Session
from sessions_app.sessions import leases
from tests.conftest import QUICK, Running, in_thread, until

LINA = "lina@im.wechat"


@pytest.fixture
def pauses() -> Pauses:
    return replace(QUICK, lapses_after_s=1.0)


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Undo it to let heartbeats arrive again."""

    def fail(*given: object, **facts: object) -> bool:
        raise OperationalError("the server is away")

    monkeypatch.setattr(leases, "beat", fail)
    yield monkeypatch
    monkeypatch.undo()


def _polls(running: Running) -> dict[str, int]:
    polls: dict[str, int] = running.control.polls()["by_bot"][running.bots["Shop A"]]
    return polls


async def test_without_heartbeats_no_poll_begins_and_then_polls_go_on(
    running: Running, request: pytest.FixtureRequest
) -> None:
    await running.scan("Shop A")
    running.control.switches(hold_s=20.0)
    await until(lambda: _polls(running)["now"] == 1, "polled")
    cut_off: pytest.MonkeyPatch = request.getfixturevalue("cut_off")
    await until(lambda: not running.worker.lease.is_current, "the lease runs out")
    await until(lambda: _polls(running)["now"] == 0, "its poll ends")
    total = _polls(running)["total"]
    running.control.write(running.bots["Shop A"], LINA, "meanwhile")
    await running.worker._look_around()
    assert _polls(running)["total"] == total
    cut_off.undo()
    await until(lambda: Message.objects.filter(text="meanwhile").exists(), "received afterwards")
    assert _polls(running)["highest"] == 1


async def test_a_worker_gives_up_what_is_beyond_its_share(running: Running) -> None:
    """Another worker is heard: half of the sessions are freed, after their polls have ended."""
    await running.scan("Shop A", "Lin")
    await running.scan("Shop B", "Guo")
    running.control.switches(hold_s=20.0)
    await until(lambda: running.control.polls()["now"] == 2, "both polled")
    await in_thread(leases.register)("another")
    await until(lambda: Session.objects.filter(lease_owner="").count() == 1, "one is freed")
    assert running.control.polls()["now"] == 1
    held = await in_thread(leases.share_sessions)("another", limit=10)
    assert [one.lease_number for one in held.sessions] == [2]
    await in_thread(leases.retire)("another")
    await until(lambda: running.control.polls()["now"] == 2, "taken back")
    assert running.control.polls()["highest_of_one"] == 1
