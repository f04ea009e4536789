"""Runs the scripted people: who writes to which bot, and when.

One daemon thread with a heap of scheduled lines, started when there is a first one. It uses real
time, not the simulator's clock, so that moving the clock does not make everybody write at once.
"""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

from sessions_app.simulator.control.customers import Writing, write
from sessions_app.simulator.errors import SimulatorError
from sessions_app.simulator.state.accounts import Bot
from sessions_app.simulator.state.people import PEOPLE, PEOPLE_BY_ID, Line, Person
from sessions_app.simulator.state.wechat import SimulatedWeChat

FIRST_LINE_AT_MOST_S = 1.0
AT_ONCE = 5
"""How many people start writing right after a bot is bound. The others follow later."""
LATER_S = (25.0, 240.0)


@dataclass(order=True, slots=True)
class Due:
    at: float
    order: int
    bot_id: str = field(compare=False)
    person_id: str = field(compare=False)
    line: Line = field(compare=False)


class ScriptedPeople:
    """Reacts to new bindings and shown replies of one simulated WeChat."""

    def __init__(self, wechat: SimulatedWeChat, seed: int = 0) -> None:
        self._wechat = wechat
        self._seed = seed
        self._heap: list[Due] = []
        self._order = itertools.count()
        self._reacted: dict[tuple[str, str], int] = {}
        self._woken = threading.Condition()
        self._thread: threading.Thread | None = None
        self._stopped = False
        wechat.on_bound.append(self.begin)
        wechat.on_shown.append(self.react)

    def begin(self, bot: Bot) -> None:
        """Let some people, different ones for each bot, write to this bot one after another."""
        if not self._wechat.switches.scripts_on:
            return
        order = list(PEOPLE)
        chance = random.Random(f"{self._seed}:{len(self._wechat.bots)}")  # noqa: S311
        chance.shuffle(order)
        early, late = order[:AT_ONCE], order[AT_ONCE : AT_ONCE + 4]
        for number, person in enumerate(early):
            self._schedule_openers(bot.bot_id, person, number * 1.4)
        for person in late:
            self._schedule_openers(bot.bot_id, person, chance.uniform(*LATER_S))

    def react(self, bot_id: str, person_id: str) -> None:
        """Schedule the person's next reaction, a few seconds after a reply."""
        person = PEOPLE_BY_ID.get(person_id)
        if person is None or not self._wechat.switches.scripts_on:
            return
        done = self._reacted.get((bot_id, person_id), 0)
        if done < len(person.reactions):
            self._reacted[bot_id, person_id] = done + 1
            line = person.reactions[done]
            self._schedule(line.after_s, bot_id, person_id, line)

    def forget(self) -> None:
        with self._woken:
            self._heap.clear()
            self._reacted.clear()

    def stop(self) -> None:
        with self._woken:
            self._stopped = True
            self._woken.notify()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(2)

    def _schedule_openers(self, bot_id: str, person: Person, from_s: float) -> None:
        at = from_s
        for number, line in enumerate(person.opening):
            at += min(line.after_s, FIRST_LINE_AT_MOST_S) if number == 0 else line.after_s
            self._schedule(at, bot_id, person.user_id, line)

    def _schedule(self, after_s: float, bot_id: str, person_id: str, line: Line) -> None:
        with self._woken:
            due = Due(time.monotonic() + after_s, next(self._order), bot_id, person_id, line)
            heapq.heappush(self._heap, due)
            if self._thread is None and not self._stopped:
                self._thread = threading.Thread(
                    target=self._run, name="scripted people", daemon=True
                )
                self._thread.start()
            self._woken.notify()

    def _run(self) -> None:
        while (due := self._next_due()) is not None:
            if self._wechat.switches.scripts_on:
                # If the bot is gone by now, nobody writes to it.
                with suppress(SimulatorError):
                    write(self._wechat, due.bot_id, due.person_id, self._writing(due))

    def _next_due(self) -> Due | None:
        """Wait for the next line. None when stopped."""
        with self._woken:
            while not self._stopped:
                left = self._heap[0].at - time.monotonic() if self._heap else None
                if left is not None and left <= 0:
                    return heapq.heappop(self._heap)
                self._woken.wait(left)
        return None

    def _writing(self, due: Due) -> Writing:
        line = due.line
        quote = ""
        if line.quotes_reply:
            with self._wechat.lock:
                chat = self._wechat.chats.open(due.bot_id, due.person_id)
                replies = [bubble for bubble in chat.bubbles if bubble.from_bot]
                quote = replies[-1].message_id if replies else ""
        return Writing(line.kind, line.text, line.more, line.file_name, quote_of=quote)
