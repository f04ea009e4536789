"""The hub's ear: it notices that it hears nothing any more, and listens anew when it can."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sessions_app.realtime import ear
from sessions_app.realtime.ear import Ear, Event
from sessions_app.realtime.streams import group_of

KEYS = ("team:1", "user:1")


class Layer:
    """A channel layer that can be away, or forget all who listen, as Redis does."""

    def __init__(self) -> None:
        self.is_away = False
        self.queues: dict[str, asyncio.Queue[Event]] = {}
        self.groups: dict[str, set[str]] = defaultdict(set)
        self.channels_made = 0

    def forget(self) -> None:
        self.groups.clear()
        for channel in self.queues:
            self.queues[channel] = asyncio.Queue()

    def _look(self) -> None:
        if self.is_away:
            raise ConnectionError("Connection refused")

    async def new_channel(self, _prefix: str) -> str:
        self._look()
        self.channels_made += 1
        channel = f"pages-{self.channels_made}"
        self.queues[channel] = asyncio.Queue()
        return channel

    async def group_add(self, group: str, channel: str) -> None:
        self._look()
        self.groups[group].add(channel)

    async def group_discard(self, group: str, channel: str) -> None:
        self._look()
        self.groups[group].discard(channel)

    async def send(self, channel: str, event: Event) -> None:
        self._look()
        if channel in self.queues:
            self.queues[channel].put_nowait(event)

    async def group_send(self, key: str, event: Event) -> None:
        for channel in self.groups[group_of(key)]:
            await self.send(channel, event)

    async def receive(self, channel: str) -> Event:
        return await self.queues[channel].get()


class Listening:
    """An ear on a layer, and what it has heard."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self.heard: list[Any] = []
        self.ear = Ear(self._take)

    async def _take(self, event: Event) -> None:
        self.heard.append(event["number"])

    async def checks(self, count: int) -> None:
        for _ in range(count):
            await self.ear.check()
            await _turns()

    async def hears(self, number: int) -> bool:
        for key in KEYS:
            await self.layer.group_send(key, {"type": "stream.hint", "number": (key, number)})
        await _turns()
        return [(key, number) for key in KEYS] == self.heard[-len(KEYS) :]


async def _turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
async def listening(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Listening]:
    layer = Layer()
    monkeypatch.setattr(ear, "get_channel_layer", lambda: layer)
    made = Listening(layer)
    yield made
    await made.ear.end()


async def _with_keys(listening: Listening) -> Listening:
    for key in KEYS:
        await listening.ear.add(key)
    await _turns()  # it waits for its first event
    return listening


async def test_it_hears_and_goes_on_hearing(listening: Listening) -> None:
    await _with_keys(listening)
    assert await listening.hears(1)
    await listening.checks(10)
    assert listening.ear.is_hearing
    assert listening.layer.channels_made == 1


async def test_while_the_layer_is_away_it_says_so_and_then_it_hears_again(
    listening: Listening,
) -> None:
    await _with_keys(listening)
    listening.layer.is_away = True
    await listening.checks(10)
    assert not listening.ear.is_hearing
    listening.layer.is_away = False
    await listening.checks(1)
    assert listening.ear.is_hearing
    assert await listening.hears(1)


async def test_forgotten_by_the_layer_it_joins_its_groups_again(listening: Listening) -> None:
    """Nothing fails, and nothing is heard: the receive that waits would wait for ever."""
    await _with_keys(listening)
    listening.layer.forget()
    assert not await listening.hears(1)
    await listening.checks(ear.ANEW_AFTER)
    assert not listening.ear.is_hearing
    await listening.checks(1)
    assert listening.ear.is_hearing
    assert await listening.hears(2)


async def test_begun_while_the_layer_is_away_it_listens_later(listening: Listening) -> None:
    listening.layer.is_away = True
    await _with_keys(listening)
    assert not listening.ear.is_hearing
    listening.layer.is_away = False
    await listening.checks(1)
    assert await listening.hears(1)


async def test_a_stream_that_nobody_follows_is_not_heard(listening: Listening) -> None:
    await _with_keys(listening)
    await listening.ear.discard(KEYS[0])
    await listening.hears(1)
    assert listening.heard == [(KEYS[1], 1)]
