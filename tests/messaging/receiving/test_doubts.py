"""A single -14 condemns nothing: notifystart and one poll decide, whatever call it came on."""

from collections.abc import Callable
from typing import Any

import pytest

from messaging.models import Conversation, Message
from messaging.replying import sending, typing_sign
from messaging.replying.reasons import reason_of
from messaging.replying.sending import Wish
from messaging.transfers import uploads
from messaging.transfers.replies import Wanted
from sessions_app.models import Session, User
from sessions_app.sessions import services
from sessions_app.team_settings.limits import team_settings
from tests.conftest import Running, in_thread, until
from tests.replies import send_reply

LINA = "lina@im.wechat"
PEOPLE = [f"guest-{number}@im.wechat" for number in range(5)]
BOT = "/ilink/bot/"
CALLS = ["sendmessage", "getupdates", "msg/notifystart", "getconfig", "sendtyping"]
WHERE: dict[str, dict[str, int]] = {
    "in ret": {"ret": -14},
    "in errcode": {"errcode": -14},
    "in both": {"ret": -14, "errcode": -14},
}


def _row(session: Session) -> Session:
    return Session.objects.get(pk=session.pk)


def _reply(text: str) -> Message:
    conversation = Conversation.objects.get(contact__user_id=LINA)
    return send_reply(user=None, conversation=conversation, text=text, draft_key=text)


def _is(text: str, status: str) -> Callable[[], bool]:
    return lambda: Message.objects.filter(text=text, status=status).exists()


def _settled(session: Session) -> Callable[[], bool]:
    return lambda: _row(session).doubted_at is None


async def _meet(running: Running, call: str, answer: dict[str, Any]) -> None:
    """The next call of this kind is answered so, and something makes that call."""
    running.control.add_fault("ret", path=BOT + call, errmsg="session timeout", **answer)
    match call:
        case "sendmessage":
            await in_thread(_reply)("met it")
            await until(_is("met it", "failed"), "refused")
        case "getconfig" | "sendtyping":
            await in_thread(_type)()
        case "msg/notifystart":
            session = await Session.objects.aget()
            loops = running.worker.polls._loops
            await in_thread(services.set_paused)(session=session, paused=True, user=None)
            await until(lambda: not loops, "let go")
            await in_thread(services.set_paused)(session=session, paused=False, user=None)
    await until(lambda: not running.control.faults(), "the call was made")


def _type() -> None:
    conversation = Conversation.objects.get(contact__user_id=LINA)
    typing_sign.show(conversation, Session.objects.get().pk)


async def _with_lina(running: Running) -> Session:
    running.control.switches(hold_s=0.2)
    session = await running.scan("Shop A")
    running.control.write(session.bot_id, LINA, "hello")
    await until(lambda: Message.objects.exists(), "received")
    return session


@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("call", CALLS)
async def test_a_healthy_session_lives_on_after_one(
    running: Running, call: str, where: str
) -> None:
    session = await _with_lina(running)
    await _meet(running, call, WHERE[where])
    for person in PEOPLE:
        running.control.write(session.bot_id, person, "are you there?")
    await until(lambda: Message.objects.filter(text="are you there?").count() == 5, "received")
    await until(_settled(session), "a verdict")
    if call == "sendmessage":
        met = await in_thread(Message.objects.select_related("session").get)(text="met it")
        assert (met.status, met.error_code) == ("failed", "in_doubt")
        assert "session timeout" not in reason_of(met)
        assert reason_of(met).endswith("but it is not")
        assert len(running.control.sends()) == 0
        await in_thread(Message.objects.filter(pk=met.pk).update)(holds_queue=False)
    await in_thread(_reply)("afterwards")
    await until(_is("afterwards", "sent"), "the next reply goes")
    assert running.control.seen(session.bot_id, LINA) == ["afterwards"]
    row = await in_thread(_row)(session)
    assert (row.state, row.error_code) == ("connected", "")


def _send_file() -> Message:
    user = User.objects.create(username="wei")
    brought = uploads.bring_pieces(owner=user, pieces=[b"%PDF-1.7"], file_name="bill.pdf")
    wish = Wish("", draft_key="f", files=(Wanted(brought.pk),))
    conversation = Conversation.objects.get()
    [made] = sending.send(user=user, conversation=conversation, wish=wish, limits=team_settings())
    return made


async def test_one_on_an_upload_costs_the_file_a_second_try(running: Running) -> None:
    session = await _with_lina(running)
    running.control.add_fault("ret", path=BOT + "getuploadurl", errcode=-14)
    message = await in_thread(_send_file)()
    await until(lambda: Message.objects.filter(pk=message.pk, status="sent").exists(), "sent")
    assert (await in_thread(_row)(session)).state == "connected"


@pytest.mark.parametrize("call", ["sendmessage", "getupdates", "sendtyping"])
async def test_of_a_dead_session_it_is_the_end(running_on_either: Running, call: str) -> None:
    running = running_on_either
    session = await _with_lina(running)
    running.control.add_fault("slow", path=BOT + "getupdates", delay_s=0.3, times=None)
    running.control.end_bot(session.bot_id)
    if call == "sendmessage":
        await in_thread(_reply)("met it")
        await until(_is("met it", "failed"), "refused")
    elif call == "sendtyping":
        await in_thread(_type)()
    await until(lambda: _row(session).state == "expired", "a verdict")
    row = await in_thread(_row)(session)
    assert (row.error_code, row.doubted_at) == ("signed_out", None)
    for message in await in_thread(_failed)():
        assert message.error_code == "session_offline"
        assert reason_of(message) == "“Shop A” is signed out; its QR code must be scanned again"


def _failed() -> list[Message]:
    return list(Message.objects.filter(status="failed").select_related("session"))


@pytest.mark.parametrize("dead", [False, True])
async def test_a_paused_session_is_judged_without_a_poll(running: Running, dead: bool) -> None:
    session = await _with_lina(running)
    await in_thread(services.set_paused)(session=session, paused=True, user=None)
    await until(lambda: not running.worker.polls._loops and not running.worker.polls._ending)
    if dead:
        running.control.end_bot(session.bot_id)
    else:
        running.control.add_fault("ret", path=BOT + "sendmessage", ret=-14)
    polled = running.control.requests()[BOT + "getupdates"]
    await in_thread(_reply)("met it")
    await until(_is("met it", "failed"), "refused")
    await until(_settled(session), "a verdict")
    assert (await in_thread(_row)(session)).state == ("expired" if dead else "paused")
    assert running.control.requests()[BOT + "getupdates"] == polled


async def test_the_verdict_outlives_the_worker_that_doubted(running: Running) -> None:
    """Written down, it is asked for by whoever polls next."""
    session = await _with_lina(running)
    await in_thread(Session.objects.filter(pk=session.pk).update)(
        doubted_at=session.bound_at, state="connecting"
    )
    await until(_settled(session), "a verdict")
    assert (await in_thread(_row)(session)).state in {"connected", "connecting"}
