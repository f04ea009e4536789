"""One poll loop: what it does when WeChat is ill, when a token dies, and when nothing is wrong."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from messaging.models import Message
from messaging.receiving.poller import DOUBT_PAUSE_S
from messaging.receiving.recorder import Recorder, Spool
from sessions_app.ilink import client as client_module
from sessions_app.models import Session, SessionEvent, Team
from sessions_app.simulator.serve import SimulatorServer
from tests.conftest import in_thread, until
from tests.messaging.builders import text_message
from tests.messaging.rig import Rig, bound_session

UPDATES = "/ilink/bot/getupdates"
NOTIFY_START = "/ilink/bot/msg/notifystart"
LINA = "lina@im.wechat"

ILL: list[tuple[str, dict[str, Any], str]] = [
    ("status", {"status": 502}, "http"),
    ("html", {}, "unreadable"),
    ("empty", {}, "unreadable"),
    ("bad_json", {}, "broke_off"),
    ("cut_json", {}, "broke_off"),
    ("body", {"body": "[1, 2]"}, "unreadable"),
    ("reset", {}, "line_broken"),
    ("cut_body", {}, "broke_off"),
    ("endless", {}, "broke_off"),
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
async def test_a_dead_token_is_expired_after_a_second_look_and_never_asked_with_again(
    make_rig: MakeRig, simulator: SimulatorServer, where: str
) -> None:
    rig, bot = await make_rig("Lin")
    neighbour, its_bot = await make_rig("Guo")
    simulator.control.switches(session_expired_in=where)
    neighbour.start()
    simulator.control.end_bot(bot["bot_id"])

    await asyncio.wait_for(rig.start(), 5)

    session = await Session.objects.aget(pk=rig.session.pk)
    assert (session.state, session.error_code) == ("expired", "signed_out")
    assert rig.pauses == []
    everybody = simulator.control.requests()[UPDATES]
    its_own = _asked(simulator, its_bot)
    await until(lambda: _asked(simulator, its_bot) >= its_own + 3, "the neighbour polls on")
    by_others = simulator.control.requests()[UPDATES] - _asked(simulator, its_bot)
    assert by_others == everybody - its_own == 1


async def test_a_token_that_dies_while_polled_is_asked_about_once_more(
    make_rig: MakeRig, simulator: SimulatorServer
) -> None:
    rig, bot = await make_rig("Lin")
    task = rig.start()
    await until(lambda: _asked(simulator, bot) >= 2, "polling")
    simulator.control.end_bot(bot["bot_id"])
    await asyncio.wait_for(task, 5)
    assert rig.pauses == [DOUBT_PAUSE_S]
    assert (await Session.objects.aget(pk=rig.session.pk)).state == "expired"


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


async def test_a_gateway_that_gives_up_at_once_is_asked_ever_more_rarely(
    make_rig: MakeRig, simulator: SimulatorServer
) -> None:
    rig, bot = await make_rig("Lin")
    simulator.control.add_fault("status", path=UPDATES, token=bot["token"], times=None, status=524)
    rig.start()
    await until(lambda: len(rig.pauses) >= 4, "pauses")
    assert rig.pauses[:4] == [2.0, 4.0, 8.0, 16.0]
    assert rig.heard == {}  # a gateway that gives up is no answer of WeChat
    assert [one.status for one in rig.poller.given_up.values()] == [524]


async def test_messages_that_never_move_the_cursor_are_no_reason_to_hurry(
    make_rig: MakeRig, simulator: SimulatorServer
) -> None:
    rig, bot = await make_rig("Lin")
    body = json.dumps({"ret": 0, "msgs": [text_message("again")], "get_updates_buf": ""})
    simulator.control.add_fault("body", path=UPDATES, token=bot["token"], times=None, body=body)
    rig.start()
    await until(lambda: len(rig.pauses) >= 3, "pauses")
    assert rig.pauses[:3] == [2.0, 2.0, 4.0]
    assert await Message.objects.acount() == 1


async def test_a_poll_that_nobody_answers_is_neither_a_failure_nor_evidence(
    make_rig: MakeRig, simulator: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client_module, "POLL_MARGIN_S", 0.4)
    rig, bot = await make_rig("Lin")
    rig.poller.hold_ms = 100
    simulator.control.add_fault("slow", path=UPDATES, token=bot["token"], times=None, delay_s=5.0)
    rig.start()
    await until(lambda: simulator.control.faults()[0]["hits"] >= 3, "polls nobody answers")
    assert (rig.heard, rig.pauses) == ({}, [])
    assert not rig.poller.is_silent()
    real = rig.poller.clock
    rig.poller.clock = lambda: real() + 91
    assert rig.poller.is_silent()


def _asked(simulator: SimulatorServer, bot: dict[str, Any]) -> int:
    return int(simulator.control.polls()["by_bot"][bot["bot_id"]]["total"])
