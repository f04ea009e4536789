"""Hints over Redis: one wait that times out leaves the next one able to hear."""

import asyncio

import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer

from sessions_app.realtime import streams
from tests.ports import free_port

HINT = {"type": streams.HINT, "streams": {"team:1": 1}, "about": []}


@pytest.mark.services
async def test_a_wait_hears_after_one_that_timed_out(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = RedisPubSubChannelLayer(hosts=[redis_url])
    theirs = RedisPubSubChannelLayer(hosts=[redis_url])
    monkeypatch.setattr(streams, "get_channel_layer", lambda: ours)
    async with streams.hearing(["team:1", "user:1"]) as hints:
        assert not await hints.wait_for_hint(0.1)
        for _ in range(2):
            await theirs.group_send(streams.group_of("team:1"), HINT)
            async with asyncio.timeout(20):
                assert await hints.wait_for_hint(60)
        await theirs.group_send(streams.group_of("team:2"), HINT)
        assert not await hints.wait_for_hint(0.2)
    assert ours.channels == {}
    assert not any(ours.groups.values())
    await ours.flush()
    await theirs.flush()


async def test_without_a_channel_layer_the_time_passes_and_nothing_breaks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    away = RedisPubSubChannelLayer(hosts=[f"redis://127.0.0.1:{free_port()}/0"])
    monkeypatch.setattr(streams, "get_channel_layer", lambda: away)
    async with streams.hearing(["team:1"]) as hints:
        assert not await hints.wait_for_hint(0.1)
