"""Pause, resume, stop and start-over: no session goes deaf, and what is on its way is kept."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

from messaging.models import Conversation, Message
from messaging.worker.worker import Worker
from sessions_app.login import attempts
from sessions_app.models import LoginAttempt, Session, Team, WorkerBeat
from sessions_app.sessions import services
from tests.conftest import Running, in_thread, until
from tests.replies import send_reply
from weilink_site.version import wire_identity

LINA = "lina@im.wechat"
SEND = "/ilink/bot/sendmessage"


def _pause(session: Session, paused: bool) -> None:
    row = Session.objects.get(pk=session.pk)
    services.set_paused(session=row, paused=paused, user=None)


def _reply() -> Message:
    conversation = Conversation.objects.get()
    return send_reply(user=None, conversation=conversation, text="yo", draft_key="k")


def _is(status: str) -> Callable[[], bool]:
    return lambda: Message.objects.filter(text="yo", status=status).exists()


async def _with_a_slow_send(running: Running, delay_s: float) -> Session:
    """A session whose one reply is on the wire."""
    session = await running.scan("Shop")
    running.control.write(session.bot_id, LINA, "hello")
    await until(lambda: Message.objects.exists(), "received")
    running.control.add_fault("slow", path=SEND, delay_s=delay_s)
    await in_thread(_reply)()
    await until(_is("sending"), "sending")
    return session


async def test_a_session_resumed_at_once_hears_again(running: Running) -> None:
    running.control.switches(hold_s=5.0)
    session = await running.scan("Shop")
    polls = running.worker.polls
    await until(lambda: running.control.polls()["now"] == 1, "the poll open")
    await in_thread(_pause)(session, True)
    await until(lambda: not polls._loops, "let go")
    await in_thread(_pause)(session, False)
    await until(lambda: polls._loops and not polls._ending, "begun again")
    running.control.write(session.bot_id, LINA, "still there?")
    await until(lambda: Message.objects.exists(), "received")
    row = await Session.objects.aget(pk=session.pk)
    assert (row.state, row.errors_in_row) == ("connected", 0)


async def test_a_pause_does_not_break_the_send_on_its_way(running: Running) -> None:
    session = await _with_a_slow_send(running, 3.0)
    await in_thread(_pause)(session, True)
    await until(lambda: not _is("sending")(), "settled")
    assert await in_thread(_is("sent"))()


async def test_a_log_out_closes_the_lines_even_of_a_paused_session(running: Running) -> None:
    first, other = await running.scan("Shop"), await running.scan("Repairs", "Guo")
    await in_thread(_pause)(first, True)
    await until(lambda: len(running.worker.polls._loops) == 1, "let go")
    for session in (first, other):
        await in_thread(_log_out)(session)
    await until(lambda: not running.worker.clients.bindings(), "closed")


def _log_out(session: Session) -> None:
    services.log_out(session=Session.objects.get(pk=session.pk), user=None)


async def test_a_stop_stores_the_answer_that_is_on_its_way(running: Running) -> None:
    """WeChat may not give it again: so in the mode `consumed`."""
    session = await running.scan("Shop")
    running.control.switches(cursor_mode="consumed", hold_s=30.0)
    running.control.add_fault("slow", path="*/getupdates", delay_s=0.4, times=None)
    await until(lambda: running.control.faults()[0]["hits"], "a poll under the fault")
    running.control.write(session.bot_id, LINA, "precious")
    await until(lambda: not running.control.bot(session.bot_id)["waiting"], "on its way")
    await asyncio.wait_for(running.worker.stop(), 30)
    assert await Message.objects.filter(text="precious").aexists()


async def test_declared_dead_a_worker_finishes_its_sends_and_drives_each_login_once(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _with_a_slow_send(running, 3.0)
    attempt = await in_thread(_ask_for_a_code)(running.team_id)
    await until(lambda: LoginAttempt.objects.get(pk=attempt.pk).qrcode, "a code")
    driver, _ = running.worker.logins._driven[attempt.pk]
    old = running.worker.worker_id
    await WorkerBeat.objects.all().adelete()
    await until(lambda: WorkerBeat.objects.exclude(pk=old).exists(), "started over")
    await until(_is("sent"), "sent")
    await until(lambda: running.worker.polls._loops, "polling again")
    assert [task for task, _ in running.worker.logins._driven.values()] == [driver]
    assert not driver.done()


def _ask_for_a_code(team_id: int) -> LoginAttempt:
    team = Team.objects.get(pk=team_id)
    return attempts.start_login(user=None, session_name="New", team=team)


async def test_a_worker_that_hangs_on_its_database_still_stops(
    running: Running,
) -> None:
    await _with_a_slow_send(running, 30.0)
    worker = running.worker
    run_in_database_thread = worker.run_in_database_thread

    async def hanging(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        await asyncio.Event().wait()
        return await run_in_database_thread(function, *args, **kwargs)

    worker.run_in_database_thread = worker.polls.run_in_database_thread = (
        worker.delivery.run_in_database_thread
    ) = hanging
    await asyncio.wait_for(worker.stop(), 30)
    await WorkerBeat.objects.all().adelete()
    again = Worker(identity=wire_identity(), data_dir=settings.DATA_DIR, alone=True)
    await again.start()
    await until(lambda: not _is("sending")(), "unconfirmed")
    await again.stop()
