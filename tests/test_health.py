"""`/readyz` asks the channel layer and leaves nothing behind in it."""

import asyncio
import errno
import os
from pathlib import Path

import pytest
from channels_redis.pubsub import RedisPubSubChannelLayer

from tests.api.redis_server import running_redis
from weilink_site import health
from weilink_site.host import disk


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
    assert await health._status_word(health._ask_channel_layer()) == "no answer"


@pytest.mark.parametrize(
    ("number", "free", "word"),
    [
        (errno.ENOSPC, 1 << 30, "full"),
        (errno.EDQUOT, 1 << 30, "full"),
        (errno.EROFS, 1 << 30, "read-only"),
        (0, 1 << 20, "full"),
        (0, 1 << 30, "ok"),
    ],
)
def test_a_disk_is_named_by_what_writing_meets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, free: int, word: str
) -> None:
    """No test can fill this machine's disk: the system's answers are made up."""

    def write_bytes(path: Path, data: bytes) -> int:
        if number:
            raise OSError(number, os.strerror(number), str(path))
        return len(data)

    class Room:
        f_bavail, f_frsize = free // 4096, 4096

    monkeypatch.setattr(Path, "write_bytes", write_bytes)
    monkeypatch.setattr(os, "statvfs", lambda path: Room)
    assert disk.state_of(tmp_path) == word


def test_a_folder_that_is_a_file_is_not_ok(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert disk.state_of(tmp_path / "file" / "media") == "read-only"
    assert disk.state_of(tmp_path / "made") == "ok"
    assert list((tmp_path / "made").iterdir()) == []
