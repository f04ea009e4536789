"""The bots of the fake WeChat: messages that wait, polls that are held, and their times. No I/O."""

import base64
import binascii
import json
import random
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

FIRST_MESSAGE_ID = 7_500_000_000_000_000_000
Later = Callable[[float, Callable[[], None]], "Cancellable"]


class Cancellable(Protocol):
    def cancel(self) -> None: ...


class Line(Protocol):
    """A request that waits for its answer."""

    def answer(self, body: bytes) -> None: ...


@dataclass(slots=True)
class Bot:
    number: int
    messages: deque[bytes] = field(default_factory=deque)
    """Those that no poll has acknowledged by its cursor."""
    before_first: int = 0
    serial: int = 0
    polls: int = 0
    last_poll_at: float = 0.0
    waiter: Line | None = None
    timer: Cancellable | None = None

    @property
    def newest(self) -> int:
        return self.before_first + len(self.messages)


def token_of(number: int) -> str:
    return f"bench-token-{number}"


def bot_id_of(number: int) -> str:
    return f"bench{number}@im.bot"


def person_of(number: int, which: int = 0) -> str:
    return f"person{number}x{which}@im.wechat"


def cursor_of(bot: Bot, position: int) -> str:
    """Opaque to clients, and another one with every answer."""
    bot.serial += 1
    return base64.b64encode(f"{position}|{bot.serial}|{bot_id_of(bot.number)}".encode()).decode()


def position_of(cursor: str) -> int:
    """0 for an empty cursor and for one that is not ours."""
    try:
        return int(base64.b64decode(cursor, validate=True).partition(b"|")[0])
    except (binascii.Error, ValueError):
        return 0


class Bots:
    """All bots. A message is kept, and given again, until a poll's cursor acknowledges it."""

    def __init__(self, count: int, *, hold_s: float, batch: int, later: Later) -> None:
        self.all = [Bot(number) for number in range(count)]
        self.by_token = {token_of(bot.number): bot for bot in self.all}
        self.hold_s, self.batch = hold_s, batch
        self.pending = self.waiting = self.overlaps = self.polls = self.written = 0
        self.met = 0
        self.met_at = 0.0
        self.settled_at = 0.0
        self.acknowledged_at = 0.0
        self._later = later
        self._random = random.Random(5)

    def write(self, writes: Iterable[tuple[int, str, str]]) -> None:
        """Messages of (bot, person, text); polls that are held bring them at once."""
        touched: dict[int, Bot] = {}
        for number, person, text in writes:
            bot = touched[number] = self.all[number]
            bot.messages.append(self._message(bot, person, text))
            self.pending += 1
        for bot in touched.values():
            if bot.waiter is not None:
                self._bring(bot, self._let_go(bot), bot.before_first)

    def _message(self, bot: Bot, person: str, text: str) -> bytes:
        self.written += 1
        message_id, at_ms = FIRST_MESSAGE_ID + self.written, int(time.time() * 1000)
        message = {
            "seq": bot.newest + 1, "message_id": message_id, "from_user_id": person,
            "to_user_id": bot_id_of(bot.number), "client_id": f"wx{message_id}",
            "create_time_ms": at_ms, "update_time_ms": at_ms, "delete_time_ms": 0,
            "session_id": f"{person}#{bot_id_of(bot.number)}", "group_id": "",
            "message_type": 1, "message_state": 2,
            "item_list": [{"type": 1, "text_item": {"text": text}, "msg_id": str(message_id)}],
            "context_token": f"context-{message_id}",
        }  # fmt: skip
        return json.dumps(message).encode()

    def poll(self, bot: Bot, line: Line, cursor: str) -> None:
        """A getupdates: answered at once if something waits, else held."""
        bot.polls += 1
        self.polls += 1
        bot.last_poll_at = time.monotonic()
        if bot.polls == 1:
            self.met, self.met_at = self.met + 1, bot.last_poll_at
        if bot.waiter is not None:
            self.overlaps += 1
            older = self._let_go(bot)
            older.answer(self._empty(bot))
        self._acknowledge(bot, position_of(cursor))
        if bot.messages:
            self._bring(bot, line, max(position_of(cursor), bot.before_first))
            return
        # The first holds differ, so that all later ones are spread as in a long run.
        hold_s = self.hold_s * self._random.uniform(0.05, 1.0) if bot.polls == 1 else self.hold_s
        bot.waiter = line
        bot.timer = self._later(hold_s, lambda: self._time_out(bot, line))
        self.waiting += 1
        if self.waiting == len(self.all):
            self.settled_at = time.monotonic()

    def forget(self) -> None:
        """Nobody was polled yet: another client begins."""
        self.met = 0
        for bot in self.all:
            bot.polls = 0

    def drop(self, bot: Bot, line: Line) -> None:
        """The client has hung up."""
        if bot.waiter is line:
            self._let_go(bot)

    def _time_out(self, bot: Bot, line: Line) -> None:
        if bot.waiter is line:
            self._let_go(bot).answer(self._empty(bot))

    def _let_go(self, bot: Bot) -> Line:
        line = bot.waiter
        assert line is not None
        if bot.timer is not None:
            bot.timer.cancel()
        bot.waiter = bot.timer = None
        self.waiting -= 1
        return line

    def _acknowledge(self, bot: Bot, position: int) -> None:
        while bot.messages and bot.before_first < position:
            bot.messages.popleft()
            bot.before_first += 1
            self.pending -= 1
            if not self.pending:
                self.acknowledged_at = time.monotonic()

    def _bring(self, bot: Bot, line: Line, after: int) -> None:
        start = after - bot.before_first
        chosen = list(islice(bot.messages, start, start + self.batch))
        line.answer(self._updates(bot, chosen, after + len(chosen)))

    def _empty(self, bot: Bot) -> bytes:
        return self._updates(bot, [], bot.newest)

    def _updates(self, bot: Bot, messages: list[bytes], position: int) -> bytes:
        cursor = cursor_of(bot, position).encode()
        hold_ms = b"%d" % int(self.hold_s * 1000)
        return (
            b'{"ret":0,"msgs":[' + b",".join(messages) + b'],"get_updates_buf":"' + cursor
            + b'","longpolling_timeout_ms":' + hold_ms + b"}"
        )  # fmt: skip
