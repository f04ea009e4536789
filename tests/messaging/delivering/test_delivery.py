"""Sending when the database or a stop gets in between: no reply is left hanging in `sending`."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError

from messaging.delivering import outbox
from messaging.delivering.delivery import Delivery
from messaging.delivering.outbox import Claim
from messaging.models import Conversation, Message, SendAttempt
from messaging.receiving.client_pool import ClientPool
from sessions_app.ilink.hosts import HostPolicy
from sessions_app.models import Context, Team
from sessions_app.sessions import leases
from tests.conftest import Running, in_thread, until
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply
from weilink_site.version import wire_identity

NOWHERE = "http://127.0.0.1:9"


def _queued_replies(*senders: str) -> None:
    """One reply waiting for each of these people."""
    leases.register("w1")
    session = make_session()
    for number, sender in enumerate(senders):
        receive(session, text_message("hello", sender=sender), cursor=f"c{number}")
        thread = Conversation.objects.get(contact__user_id=sender)
        send_reply(user=None, conversation=thread, text=sender, draft_key=sender)


async def test_a_stop_in_the_middle_of_a_claim_hands_it_back(seeded: Team) -> None:
    await in_thread(_queued_replies)("lina@im.wechat")
    claimed, released = threading.Event(), threading.Event()

    def slowly(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        found = function(*args, **kwargs)
        claimed.set()
        released.wait(10)
        return found

    async def run_in_database_thread(
        function: Callable[..., Any], /, *args: Any, **kwargs: Any
    ) -> Any:
        return await asyncio.shield(in_thread(slowly)(function, *args, **kwargs))

    clients = ClientPool(identity=wire_identity(), hosts=HostPolicy(NOWHERE, NOWHERE))
    delivery = Delivery(run_in_database_thread=run_in_database_thread, clients=clients)
    delivery.worker_id = "w1"
    task = asyncio.ensure_future(delivery.run())
    await until(claimed.is_set, "claimed")
    assert await Message.objects.filter(status="sending").aexists()
    task.cancel()
    released.set()
    await asyncio.gather(task, return_exceptions=True)
    await delivery.stop()

    reply = await Message.objects.aget(direction="out")
    assert (reply.status, reply.claimed_by, reply.error_code) == ("queued", "", "")
    assert not await SendAttempt.objects.aexists()
    assert (await Context.objects.aget()).replies_used == 1


async def test_the_fate_of_a_send_is_written_when_the_database_is_back(running: Running) -> None:
    session = await running.scan("Shop A")
    running.control.write(session.bot_id, "lina@im.wechat", "hello")
    await until(lambda: Message.objects.exists(), "the message stored")
    delivery = running.worker.delivery
    run_in_database_thread, refused = delivery.run_in_database_thread, 0

    async def failing_once(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        nonlocal refused
        if function is outbox.mark_sent and not refused:
            refused += 1
            raise OperationalError("the database is away")
        return await run_in_database_thread(function, *args, **kwargs)

    delivery.run_in_database_thread = failing_once

    def reply() -> None:
        thread = Conversation.objects.get()
        send_reply(user=None, conversation=thread, text="hi", draft_key="hi")

    await in_thread(reply)()
    await until(lambda: Message.objects.filter(text="hi", status="sent").exists(), "sent")
    assert refused == 1
    assert len(running.control.sends(bot_id=session.bot_id)) == 1


@pytest.mark.django_db
def test_what_was_claimed_before_the_database_failed_is_sent(
    seeded: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    _queued_replies("lina@im.wechat", "tom@im.wechat")
    claim_one = outbox._claim

    def failing_second(*args: Any, **facts: Any) -> Claim | None:
        if Message.objects.filter(status="sending").exists():
            raise OperationalError("the database is away")
        return claim_one(*args, **facts)

    monkeypatch.setattr(outbox, "_claim", failing_second)
    assert [claim.text for claim in outbox.claim_next("w1", limit=10)] == ["lina@im.wechat"]
    with pytest.raises(OperationalError):
        outbox.claim_next("w1", limit=10)


async def test_a_stop_ends_the_loop_though_the_claim_fails_in_that_moment() -> None:
    asked = asyncio.Event()

    async def run_in_database_thread(*_args: Any, **_facts: Any) -> Any:
        asked.set()
        await asyncio.sleep(0.05)
        raise OperationalError("the database is away")

    delivery = Delivery(run_in_database_thread=run_in_database_thread, clients=_lines())
    delivery.worker_id = "w1"
    task = asyncio.ensure_future(delivery.run())
    await asked.wait()
    task.cancel()
    await asyncio.wait({task}, timeout=2)
    assert task.cancelled()


async def test_a_fate_that_cannot_be_written_does_not_keep_a_stop() -> None:
    tried = 0

    async def run_in_database_thread(*_args: Any, **_facts: Any) -> Any:
        nonlocal tried
        tried += 1
        raise OperationalError("the database is away")

    delivery = Delivery(run_in_database_thread=run_in_database_thread, clients=_lines())
    sending = asyncio.ensure_future(delivery._send(CLAIM))
    delivery._sending.add(sending)
    await until(lambda: tried, "tried")
    await asyncio.wait_for(delivery.stop(), 1)
    await asyncio.wait_for(sending, 1)
    assert tried == 2


async def test_an_error_nobody_thought_of_is_unconfirmed_not_left_sending() -> None:
    fates: list[str] = []

    async def run_in_database_thread(
        function: Callable[..., Any], /, *_args: Any, **_facts: Any
    ) -> Any:
        fates.append(function.__name__)
        if function is outbox.put_back:
            raise KeyError("a bug")

    await Delivery(run_in_database_thread=run_in_database_thread, clients=_lines())._send(CLAIM)
    assert fates == ["put_back", "mark_broken"]


def _lines() -> ClientPool:
    return ClientPool(identity=wire_identity(), hosts=HostPolicy(NOWHERE, NOWHERE))


CLAIM = Claim(1, 1, 1, 1, NOWHERE, "bot-token", "lina@im.wechat", "context", "client-1", "hi")
