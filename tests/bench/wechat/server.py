"""`python -m tests.bench.wechat.server --bots N`: the fake WeChat as a process.

Prints its port. `/ilink/bot/…` is the protocol; `/control/…` is for the benchmark: `write`
messages, `set` how many an answer holds, read the `state`, the `polls` by bot, and the `sends` with
the time at which each arrived. Times are of the monotonic clock, which all processes share.
"""

import argparse
import asyncio
import json
import re
import time
from collections.abc import Callable
from typing import Any

from tests.bench.wechat.bots import Bot, Bots, person_of

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TOKEN = re.compile(rb"\r\nauthorization: *bearer ([^\r]+)", re.IGNORECASE)
_CLOSE = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_EXPIRED = b'{"ret":-14,"errcode":-14,"errmsg":"session timeout"}'


class World:
    """The bots, and what they sent."""

    def __init__(self, bots: Bots) -> None:
        self.bots = bots
        self.sends: list[tuple[str, float]] = []
        self.violations = 0

    def send(self, body: dict[str, Any]) -> bytes:
        text = body["msg"]["item_list"][0]["text_item"]["text"]
        self.sends.append((text, time.monotonic()))
        return b'{"ret":0,"message_id":"%d"}' % (8_000_000_000_000_000_000 + len(self.sends))

    def control(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        bots, at = self.bots, time.monotonic()
        if what == "write":
            bots.write((one[0], one[1], one[2]) for one in body["messages"])
        elif what == "flood":
            bots.write(_flood(len(bots.all), body["each"], body["people"], body["prefix"]))
        elif what == "large":
            bots.write([(0, person_of(0), "words " * (body["characters"] // 6))])
        elif what == "set":
            bots.batch = body["batch"]
        elif what == "forget":
            bots.forget()
        elif what == "polls":
            return {"at": at, "polls": [[one.polls, one.last_poll_at] for one in bots.all]}
        elif what == "sends":
            return {"at": at, "sends": self.sends[body["after"] :]}
        return {
            "at": at, "done_at": time.monotonic(), "pending": bots.pending,
            "waiting": bots.waiting, "settled_at": bots.settled_at,
            "met": bots.met, "met_at": bots.met_at,
            "acknowledged_at": bots.acknowledged_at, "polls": bots.polls,
            "overlaps": bots.overlaps, "violations": self.violations,
        }  # fmt: skip


def _flood(bots: int, each: int, people: int, prefix: str) -> list[tuple[int, str, str]]:
    """`each` messages to every bot, from `people` people of each, bot by bot in turn."""
    return [
        (bot, person_of(bot, number % people), f"{prefix} {bot}-{number}")
        for number in range(each)
        for bot in range(bots)
    ]


class Connection(asyncio.Protocol):
    """One client's connection: HTTP/1.1 with bodies of a known length, one request at a time."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None
        self._held: Bot | None = None
        self._closes = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if self._held is not None:
            self._world.bots.drop(self._held, self)

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        head = bytes(self._received[:end])
        length = _LENGTH.search(head)
        total = end + 4 + (int(length[1]) if length else 0)
        if len(self._received) < total:
            return
        body = bytes(self._received[end + 4 : total])
        del self._received[:total]
        self._closes = bool(_CLOSE.search(head))
        self._take(head, body)

    def _take(self, head: bytes, body: bytes) -> None:
        path = head.split(b" ", 2)[1].partition(b"?")[0].decode()
        values: dict[str, Any] = json.loads(body) if body else {}
        room, _, what = path.strip("/").rpartition("/")
        if room == "control":
            self.answer(json.dumps(self._world.control(what, values)).encode())
            return
        token = _TOKEN.search(head)
        bot = self._world.bots.by_token.get(token[1].decode()) if token else None
        self._world.violations += b"ilink-app-id" not in head.lower()
        if bot is None:
            self.answer(_EXPIRED)
        elif what == "getupdates":
            self._held = bot
            self._world.bots.poll(bot, self, values.get("get_updates_buf", ""))
        else:
            self.answer(self._other(what, values))

    def _other(self, what: str, values: dict[str, Any]) -> bytes:
        if what == "sendmessage":
            return self._world.send(values)
        if what == "getconfig":
            return b'{"ret":0,"typing_ticket":"YmVuY2g="}'
        if what in ("sendtyping", "notifystart", "notifystop"):
            return b'{"ret":0}'
        return b'{"ret":-1,"errmsg":"not in this WeChat"}'

    def answer(self, body: bytes) -> None:
        self._held = None
        assert self._transport is not None
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % len(body) + body)
        if self._closes:
            self._transport.close()


async def serve(bots: int, *, hold_s: float, batch: int, say: Callable[[int], None]) -> None:
    loop = asyncio.get_running_loop()
    world = World(Bots(bots, hold_s=hold_s, batch=batch, later=loop.call_later))
    server = await loop.create_server(lambda: Connection(world), "127.0.0.1", 0, backlog=5_000)
    say(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bots", type=int, required=True)
    parser.add_argument("--hold", type=float, default=35.0)
    parser.add_argument("--batch", type=int, default=50)
    options = parser.parse_args()
    say = lambda port: print(port, flush=True)  # noqa: E731
    asyncio.run(serve(options.bots, hold_s=options.hold, batch=options.batch, say=say))


if __name__ == "__main__":
    main()
