"""Two processes without Redis: what one of them sends to a group reaches the channels of both."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from sessions_app.realtime import linked_layer
from sessions_app.realtime.linked_layer import LinkedChannelLayer

WITHIN_S = 10.0


class Pair:
    """Two layers, each with a channel in the group "news", and the link between them."""

    def __init__(self) -> None:
        self.layers = [LinkedChannelLayer(capacity=10), LinkedChannelLayer(capacity=10)]
        self.ends = socket.socketpair()
        self.links = [
            asyncio.ensure_future(layer.link(end))
            for layer, end in zip(self.layers, self.ends, strict=True)
        ]

    async def joined(self) -> "Pair":
        for number, layer in enumerate(self.layers):
            await layer.group_add("news", f"channel.{number}")
        while not all(layer._loop for layer in self.layers):
            await asyncio.sleep(0)
        return self

    async def heard(self, number: int) -> Any:
        channel = f"channel.{number}"
        return await asyncio.wait_for(self.layers[number].receive(channel), WITHIN_S)

    async def close(self) -> None:
        for link in self.links:
            link.cancel()
        await asyncio.gather(*self.links, return_exceptions=True)


@pytest_asyncio.fixture
async def pair() -> AsyncIterator[Pair]:
    made = await Pair().joined()
    yield made
    await made.close()


@pytest.mark.parametrize("sender", [0, 1])
async def test_both_hear_what_one_sends_once(pair: Pair, sender: int) -> None:
    for text in ("first", "x" * 300_000, "last"):
        await pair.layers[sender].group_send("news", {"type": "hint", "about": [text]})
        for number in (0, 1):
            assert await pair.heard(number) == {"type": "hint", "about": [text]}
    await pair.layers[1 - sender].group_send("news", {"type": "end"})
    assert [await pair.heard(number) for number in (0, 1)] == [{"type": "end"}] * 2


async def test_another_thread_may_send(pair: Pair) -> None:
    def send() -> None:
        asyncio.run(pair.layers[0].group_send("news", {"type": "hint"}))

    await asyncio.to_thread(send)
    assert await pair.heard(1) == {"type": "hint"}


async def test_the_link_ends_with_the_other_process_and_sending_goes_on(pair: Pair) -> None:
    pair.links[1].cancel()
    await asyncio.wait_for(pair.links[0], WITHIN_S)
    await pair.layers[0].group_send("news", {"type": "hint"})
    assert await pair.heard(0) == {"type": "hint"}


async def test_a_process_that_does_not_read_costs_messages_and_no_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(linked_layer, "MOST_UNREAD", 50_000)
    ours, silent = socket.socketpair()
    layer = LinkedChannelLayer(capacity=10)
    link = asyncio.ensure_future(layer.link(ours))
    with silent:
        while layer._writer is None:
            await asyncio.sleep(0)
        for _ in range(200):
            await layer.group_send("news", {"type": "hint", "about": ["x" * 10_000]})
        assert layer._writer.transport.get_write_buffer_size() < 100_000
    await asyncio.wait_for(link, WITHIN_S)
