"""One poll loop: what it does when WeChat is ill, when a token dies, and when nothing is wrong."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from messaging.models import Message
from messaging.recorder import Recorder, Spool
from sessions_app.models import Session, SessionEvent, Team
from sessions_app.simulator.serve import SimulatorServer
from tests.conftest import in_thread, until
from tests.messaging.rig import Rig, bound_session

UPDATES = "/ilink/bot/getupdates"
NOTIFY_START = "/ilink/bot/msg/notifystart"
LINA = "lina@im.wechat"

ILL: list[tuple[str, dict[str, Any], str]] = [
    ("status", {"status": 502}, "http"),
    ("html", {}, "unreadable"),
    ("empty", {}, "unreadable"),
    ("bad_json", {}, "unreadable"),
    ("cut_json", {}, "unreadable"),
    ("body", {"body": "[1, 2]"}, "unreadable"),
    ("reset", {}, "line_broken"),
    ("cut_body", {}, "line_broken"),
    ("endless", {}, "line_broken"),
    ("ret", {"ret": -1}, "refused"),
    ("ret", {"errcode": -1}, "refused"),
    ("ret", {"ret": 0, "errcode": 7}, "refused"),
]

MakeRig = Callable[[str], Any]


@pytest.fixture
async def recorder(seeded: Team, tmp_path: Path) -> AsyncIterator[Recorder]:
    made = Recorder(Spool(tmp_path / "spool"))
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def make_rig(recorder: Recorder, simulator: SimulatorServer) -> AsyncIterator[MakeRig]:
    simulator.control.switches(hold_s=0.2)
    made: list[Rig] = []

    async def make(account: str) -> tuple[Rig, dict[str, Any]]:
        session, bot = await in_thread(bound_session)(simulator, account)
        made.append(Rig(simulator, session, recorder))
        return made[-1], bot

    yield make
    for rig in made:
        await rig.stop()


@pytest.mark.parametrize(("kind", "details", "code"), ILL, ids=lambda value: str(value))
async def test_an_ill_gateway_is_asked_again_after_2_2_and_then_30_seconds(
    make_rig: MakeRig, simulator: SimulatorServer, kind: str, details: dict[str, Any], code: str
) -> None:
    rig, bot = await make_rig("Lin")
    neighbour, its_bot = await make_rig("Guo")
    simulator.control.add_fault(kind, path=UPDATES, token=bot["token"], times=None, **details)
    rig.start()
    neighbour.start()
    await until(lambda: len(rig.pauses) >= 4, "four failures")
    simulator.control.write(its_bot["bot_id"], LINA, "to the neighbour")
    await until(lambda: Message.objects.exists(), "the neighbour's message stored")
    assert await Session.objects.filter(pk=rig.session.pk, state="failing").aexists()
    simulator.control.clear_faults()
    simulator.control.write(bot["bot_id"], LINA, "to the ill one")
    await until(lambda: Message.objects.count() == 2, "both messages stored")

    await until(lambda: Session.objects.filter(pk=rig.session.pk, state="connected").exists())
    assert rig.pauses[:4] == [2.0, 2.0, 30.0, 30.0]
    assert rig.states[:4] == ["connected", "connected", "failing", "failing"]
    events = SessionEvent.objects.filter(session=rig.session.pk, kind="state").order_by("pk")
    assert [(one.state, one.code) async for one in events] == [("failing", code), ("connected", "")]
    assert neighbour.pauses == []


@pytest.mark.parametrize("where", ["ret", "errcode", "both"])
async def test_a_dead_token_is_expired_within_one_poll_and_never_asked_with_again(
    make_rig: MakeRig, simulator: SimulatorServer, where: str
) -> None:
    rig, bot = await make_rig("Lin")
    neighbour, its_bot = await make_rig("Guo")
    simulator.control.switches(session_expired_in=where)
    neighbour.start()
    simulator.control.end_bot(bot["bot_id"])
    asked = _asked(simulator, its_bot)

    await asyncio.wait_for(rig.start(), 5)

    session = await Session.objects.aget(pk=rig.session.pk)
    assert (session.state, session.error_code) == ("expired", "signed_out")
    assert rig.pauses == []
    everybody = simulator.control.requests()[UPDATES]
    its_own = _asked(simulator, its_bot)
    await until(lambda: _asked(simulator, its_bot) >= its_own + 3, "the neighbour polls on")
    by_others = simulator.control.requests()[UPDATES] - _asked(simulator, its_bot)
    assert by_others == everybody - its_own == 1, asked


async def test_an_open_poll_of_a_token_that_dies_ends_at_once(
    make_rig: MakeRig, simulator: SimulatorServer
) -> None:
    simulator.control.switches(hold_s=30.0)
    rig, bot = await make_rig("Lin")
    task = rig.start()
    await until(lambda: simulator.control.polls()["now"] == 1, "the poll open")
    simulator.control.end_bot(bot["bot_id"])
    await asyncio.wait_for(task, 5)
    assert (await Session.objects.aget(pk=rig.session.pk)).state == "expired"


async def test_a_notifystart_that_did_not_arrive_is_repeated(
    make_rig: MakeRig, simulator: SimulatorServer
) -> None:
    rig, _bot = await make_rig("Lin")
    simulator.control.add_fault("reset", path=NOTIFY_START, times=2)
    rig.start()
    await until(lambda: simulator.control.requests().get(UPDATES, 0) >= 4, "polling")
    assert simulator.control.faults() == []
    assert simulator.control.requests()[NOTIFY_START] == 3


async def test_a_server_that_never_holds_is_asked_ever_more_rarely(
    make_rig: MakeRig, simulator: SimulatorServer
) -> None:
    rig, _bot = await make_rig("Lin")
    simulator.control.switches(hold_s=0.0, tells_hold=False)
    rig.start()
    await until(lambda: len(rig.pauses) >= 6, "pauses")
    assert rig.pauses[:6] == [2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert (await Session.objects.aget(pk=rig.session.pk)).state == "connected"


def _asked(simulator: SimulatorServer, bot: dict[str, Any]) -> int:
    return int(simulator.control.polls()["by_bot"][bot["bot_id"]]["total"])
