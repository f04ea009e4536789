"""Keeps the simulated WeChat over a restart in one JSON file, written atomically.

It saves shortly after a change, in its own thread, which the interpreter waits for at exit. Faults,
polls and everything that belongs to open connections are not saved.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sessions_app.simulator.state.accounts import Account, Bot
from sessions_app.simulator.state.chats import Bubble, Chat, Context
from sessions_app.simulator.state.updates import Updates

if TYPE_CHECKING:
    from sessions_app.simulator.state.wechat import SimulatedWeChat

SAVE_AFTER_S = 0.25
SAVE_SHARE = 20
"""Under many changes, saving takes at most 1/20 of the time."""
ACKNOWLEDGED_KEPT = 200
BUBBLES_SAVED = 100
KEYS_KEPT = 2_000
BOT_FIELDS = (
    "bot_id",
    "token",
    "account_id",
    "bound_at",
    "ended_because",
    "notified",
    "stopped",
    "shown_since_connect",
)


class StateFile:
    def __init__(self, wechat: SimulatedWeChat, path: Path) -> None:
        self._wechat = wechat
        self._path = path
        self._timer: threading.Timer | None = None
        self._writing = threading.Lock()
        self._took_s = 0.0

    def save_soon(self) -> None:
        """Called under the simulator's lock. Many changes are saved in one write."""
        if self._timer is None:
            wait_s = max(SAVE_AFTER_S, self._took_s * SAVE_SHARE)
            self._timer = threading.Timer(wait_s, self.save_now)
            # At interpreter exit no thread can be started. `close` saves the last change.
            with suppress(RuntimeError):
                self._timer.start()

    def save_now(self) -> None:
        started = time.monotonic()
        with self._writing:
            with self._wechat.lock:
                if self._timer is not None:
                    self._timer.cancel()
                    self._timer = None
                text = json.dumps(snapshot(self._wechat))
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._path.with_name(f".{self._path.name}.new")
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            fresh.replace(self._path)
            self._took_s = time.monotonic() - started

    def load(self) -> None:
        if self._path.is_file():
            with self._wechat.lock:
                restore(self._wechat, json.loads(self._path.read_text(encoding="utf-8")))


def snapshot(wechat: SimulatedWeChat) -> dict[str, Any]:
    return {
        "clock_offset_s": wechat.clock.offset_s,
        "switches": wechat.switches.as_json(),
        "next_message_id": wechat.next_message_id,
        "people": wechat.people,
        "accounts": [asdict(account) for account in wechat.accounts],
        "bots": [_bot_state(bot) for bot in wechat.bots],
        "keys": {p: key.hex() for p, key in list(wechat.cdn.keys.items())[-KEYS_KEPT:]},
        "chats": [_chat_state(chat) for chat in wechat.chats.oldest_first()],
    }


def restore(wechat: SimulatedWeChat, state: dict[str, Any]) -> None:
    wechat.clock.offset_s = state["clock_offset_s"]
    known = wechat.switches.as_json()
    saved = {name: value for name, value in state["switches"].items() if name in known}
    # Whether the scripted people are active is decided at each start.
    saved.pop("scripts_on", None)
    wechat.switches.update(saved)
    wechat.next_message_id = max(wechat.next_message_id, state["next_message_id"])
    wechat.people.update(state["people"])
    for account in state["accounts"]:
        wechat.accounts.restore(Account(**account)).bot_id = account["bot_id"]
    for bot in state["bots"]:
        updates = Updates.from_state(bot.pop("updates"))
        wechat.bots.restore(Bot(**bot, updates=updates))
    wechat.cdn.keys |= {param: bytes.fromhex(key) for param, key in state["keys"].items()}
    for chat in state["chats"]:
        _restore_chat(wechat, chat)


def _bot_state(bot: Bot) -> dict[str, Any]:
    state: dict[str, Any] = {name: getattr(bot, name) for name in BOT_FIELDS}
    state["updates"] = bot.updates.to_state(ACKNOWLEDGED_KEPT if bot.alive else 0)
    return state


def _chat_state(chat: Chat) -> dict[str, Any]:
    return {
        "bot_id": chat.bot_id,
        "person_id": chat.person_id,
        "contexts": [asdict(context) for context in chat.contexts],
        "calls": list(chat.calls),
        "bubbles": [bubble.as_json() for bubble in list(chat.bubbles)[-BUBBLES_SAVED:]],
        "bubble_count": chat.bubble_count,
        "ticket": chat.ticket,
        "ticket_at": chat.ticket_at,
        "last_message": chat.last_message,
    }


def _restore_chat(wechat: SimulatedWeChat, state: dict[str, Any]) -> None:
    chat = wechat.chats.open(state["bot_id"], state["person_id"])
    chat.contexts.extend(Context(**context) for context in state["contexts"])
    chat.calls = deque(state["calls"])
    chat.bubbles.extend(Bubble(**bubble) for bubble in state["bubbles"])
    chat.bubble_count = state["bubble_count"]
    if chat.bubbles:
        wechat.chats.touch(chat)
    chat.ticket, chat.ticket_at = state["ticket"], state["ticket_at"]
    chat.last_message = state["last_message"]
