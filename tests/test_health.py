"""`/readyz` asks the channel layer and leaves nothing behind in it."""

import asyncio
from pathlib import Path

import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer

from tests.api.redis_server import running_redis
from weilink_site import health


async def test_asking_the_redis_layer_leaves_no_subscription(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_redis(tmp_path) as url:
        layer = RedisPubSubChannelLayer(hosts=[url])
        monkeypatch.setattr(health, "get_channel_layer", lambda: layer)
        for _ in range(3):
            assert await health._ask_channel_layer()
        inner = layer._get_layer()
        assert inner.channels == {}
        assert inner._shards[0]._subscribed_to == set()
        await layer.flush()


async def test_a_layer_that_swallows_messages_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        async def new_channel(self, prefix: str) -> str:
            return prefix

        async def send(self, channel: str, message: object) -> None: ...

        async def receive(self, channel: str) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr(health, "get_channel_layer", Silent)
    monkeypatch.setattr(health, "CHECK_S", 0.05)
    assert await health._word(health._ask_channel_layer()) == "no answer"
