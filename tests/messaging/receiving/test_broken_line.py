"""A reply on a broken line: nothing is sent twice, nothing is claimed, and the count is right."""

from typing import Any

import pytest

from messaging.models import Conversation, Message
from messaging.replying import services
from sessions_app.models import Context
from sessions_app.simulator.serve import SimulatorServer
from tests.conftest import Running, in_thread, until
from tests.replies import send_reply

LINA = "lina@im.wechat"
SEND = "/ilink/bot/sendmessage"


@pytest.fixture
async def bot(running: Running) -> str:
    """A session with one person who has written."""
    session = await running.scan("Shop A")
    running.control.write(session.bot_id, LINA, "hello")
    await until(lambda: Message.objects.exists(), "the message stored")
    return session.bot_id


def _reply(text: str) -> Message:
    conversation = Conversation.objects.get()
    return send_reply(user=None, conversation=conversation, text=text, draft_key=text)


def _fates() -> list[tuple[str, str, str]]:
    rows = Message.objects.filter(direction="out").order_by("id")
    return list(rows.values_list("text", "status", "error_code"))


def _used() -> tuple[int, int]:
    """Replies counted: by the context, and as the thread shows it."""
    return Context.objects.get().replies_used, Conversation.objects.get().replies_used


@pytest.mark.parametrize("kind", ["lost", "cut_json", "cut_body"])
async def test_an_answer_lost_after_it_took_effect_is_unconfirmed_and_never_repeated(
    running: Running, bot: str, kind: str
) -> None:
    running.control.add_fault(kind, path=SEND)
    await in_thread(_reply)("first")
    await in_thread(_reply)("second")
    lost = [("first", "unconfirmed", "line_broken"), ("second", "queued", "")]
    await until(lambda: _fates() == lost, "the fate told")

    await in_thread(_decide)("first", "arrived")
    await until(lambda: _fates()[1] == ("second", "sent", ""), "the next one sent")
    assert running.control.seen(bot, LINA) == ["first", "second"]
    assert await in_thread(_used)() == (2, 2)


async def test_sent_again_by_an_agent_it_is_a_new_message_and_counts_again(
    running: Running, bot: str
) -> None:
    running.control.add_fault("lost", path=SEND)
    await in_thread(_reply)("first")
    await until(lambda: _fates() == [("first", "unconfirmed", "line_broken")])
    await in_thread(_decide)("first", "retry")
    await until(lambda: _fates() == [("first", "sent", "")], "sent again")

    sends = running.control.sends(bot_id=bot)
    assert len({send["client_id"] for send in sends}) == len(sends) == 2
    assert await in_thread(_used)() == (2, 2)


@pytest.mark.parametrize(
    ("fault", "fate"),
    [
        ({"kind": "status", "status": 502}, ("unconfirmed", "line_broken")),
        ({"kind": "html"}, ("unconfirmed", "line_broken")),
        ({"kind": "status", "status": 408}, ("unconfirmed", "line_broken")),
        ({"kind": "status", "status": 403}, ("failed", "refused")),
        ({"kind": "ret", "ret": -1}, ("failed", "refused")),
    ],
    ids=str,
)
async def test_what_may_have_left_stays_counted(
    running: Running, bot: str, fault: dict[str, Any], fate: tuple[str, str]
) -> None:
    running.control.add_fault(path=SEND, **fault)
    await in_thread(_reply)("first")
    await until(lambda: _fates() == [("first", *fate)], f"{fate}")
    assert running.control.seen(bot, LINA) == []
    assert await in_thread(_used)() == (1, 1)


async def test_no_connection_puts_it_back_and_it_goes_out_once_when_wechat_returns(
    running: Running, bot: str, simulator: SimulatorServer
) -> None:
    simulator.stop()
    await in_thread(_reply)("first")
    await until(lambda: _fates() == [("first", "queued", "not_reached")], "put back")
    assert await in_thread(_used)() == (1, 1)

    with SimulatorServer(simulator.wechat, port=simulator.port) as again:
        await until(lambda: _fates() == [("first", "sent", "")], "sent after the return")
        assert again.control.seen(bot, LINA) == ["first"]
        assert len(again.control.sends(bot_id=bot)) == 1
        assert await in_thread(_used)() == (1, 1)
        # The poll loop finds its way back too, before the worker is stopped.
        again.control.write(bot, LINA, "are you there?")
        await until(lambda: Message.objects.filter(text="are you there?").exists(), "received")


async def test_without_a_receipt_it_is_taken_not_confirmed_and_the_next_one_goes(
    running: Running, bot: str
) -> None:
    running.control.switches(gives_message_ids=False)
    await in_thread(_reply)("first")
    await in_thread(_reply)("second")
    no_receipt = ("unconfirmed", "no_id")
    await until(lambda: _fates() == [("first", *no_receipt), ("second", *no_receipt)])
    assert await in_thread(_used)() == (2, 2)


def _decide(text: str, decision: str) -> None:
    message = Message.objects.get(text=text)
    if decision == "arrived":
        services.mark_arrived(message=message, user=None)
    else:
        services.retry_message(message=message, user=None)
