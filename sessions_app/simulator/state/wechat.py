"""The simulated WeChat itself: its state, and the two requests that are held open.

Every public method may be called from any thread. One lock guards all state and is never held while
waiting. A bot's other requests are in `wire.replies`, the actions of customers in
`control.customers`. It does not know HTTP; `wire.api` does.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sessions_app.simulator.addresses import Addresses
from sessions_app.simulator.faults.rules import Faults
from sessions_app.simulator.media.cdn import Cdn
from sessions_app.simulator.state.accounts import Accounts, Bot, Bots
from sessions_app.simulator.state.bells import Bell, wait_for_ring
from sessions_app.simulator.state.chats import Chats
from sessions_app.simulator.state.clock import Clock
from sessions_app.simulator.state.logins import Login, Logins, LoginStatus
from sessions_app.simulator.state.messages import with_addresses
from sessions_app.simulator.state.people import SCRIPTED_NAMES
from sessions_app.simulator.state.records import SendRecord, Violations
from sessions_app.simulator.state.statefile import StateFile
from sessions_app.simulator.state.switches import Switches
from sessions_app.simulator.state.updates import cursor_for, position_of

SENDS_KEPT = 200_000
FIRST_MESSAGE_ID = 7_500_000_000_000_000_000
IDS_SINCE_MS = 1_700_000_000_000

Gone = asyncio.Future[Any]
"""Completes when the client closes its connection."""


class SimulatedWeChat:
    """Everything of WeChat that a bot can see, and the phones, which it cannot.

    `seed` makes the scripted people's choices repeatable; tokens are always random. With
    `state_file` (JSON; ciphertexts in a folder beside it) the state is loaded at the start and
    saved within a third of a second after a change.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        cursor_mode: str = "replay",
        gives_message_ids: bool = True,
        hold_s: float = 35.0,
        state_file: Path | None = None,
        scripted: bool = False,
        time_source: Callable[[], float] = time.time,
    ) -> None:
        self.lock = threading.RLock()
        self.random = random.Random(seed)  # noqa: S311 - choices of scripts, not a secret
        self.clock = Clock(time_source)
        self._first_switches: dict[str, Any] = {
            "cursor_mode": cursor_mode,
            "gives_message_ids": gives_message_ids,
            "hold_s": float(hold_s),
            "scripts_on": scripted,
        }
        self.state_file = StateFile(self, state_file) if state_file else None
        self.cdn = Cdn(state_file.with_suffix(".cdn") if state_file else None)
        self.page_bell = Bell()
        self.version = 0
        self.closing = False
        self.on_bound: list[Callable[[Bot], None]] = []
        """Called when a phone has bound a bot. The scripted people use it."""
        self.on_shown: list[Callable[[str, str], None]] = []
        """Called with (bot id, person id) when a reply has reached a phone."""
        self._start_empty()
        if self.state_file:
            self.state_file.load()

    def _start_empty(self) -> None:
        self.switches = Switches()
        self.switches.update(self._first_switches)
        self.accounts = Accounts()
        self.bots = Bots(self.accounts)
        self.logins = Logins(self.clock, self.switches)
        self.chats = Chats()
        self.faults = Faults()
        self.violations = Violations(self.clock)
        self.people: dict[str, str] = dict(SCRIPTED_NAMES)
        self.sends: deque[SendRecord] = deque(maxlen=SENDS_KEPT)
        self.send_numbers = itertools.count(1)
        self.requests: Counter[str] = Counter()
        self.last_uin: dict[str, str] = {}
        born = FIRST_MESSAGE_ID + max(0, int(time.time() * 1000) - IDS_SINCE_MS) * 1000
        self.next_message_id = born

    # The whole state

    def reset(self) -> None:
        """Reset to a new state. Bots end, so that their open polls are answered."""
        with self.lock:
            for bot in list(self.bots):
                self.bots.end(bot, "reset")
            for login in self.logins:
                self.logins.expire(login)
            self.cdn.clear()
            self.clock.offset_s = 0.0
            self._start_empty()
            self.changed()

    def changed(self) -> None:
        """Call this under the lock after every visible change."""
        self.version += 1
        self.page_bell.ring()
        if self.state_file:
            self.state_file.save_soon()

    def close(self) -> None:
        """Answer held requests and save. Call it at the end of a server or a test."""
        self.stop_holding()
        if self.state_file:
            self.state_file.save_now()

    def stop_holding(self) -> None:
        """Hold no more requests. Those held now get an empty answer."""
        with self.lock:
            self.closing = True
            self._ring_all()

    def hold_again(self) -> None:
        with self.lock:
            self.closing = False

    def advance(self, seconds: float) -> None:
        """Move the clock. QR codes that are now too old expire at once."""
        with self.lock:
            self.clock.advance(seconds)
            self._ring_all()
            self.changed()

    def take_message_id(self) -> int:
        """A 64-bit id near 7.5e18, increasing by uneven steps."""
        self.next_message_id += self.random.randrange(1, 900)
        return self.next_message_id

    def _ring_all(self) -> None:
        for login in self.logins:
            self.logins.find(login.handle)
            login.bell.ring()
        for bot in self.bots:
            bot.bell.ring()
        self.page_bell.ring()

    # Login

    def draw_qr_code(self, held_tokens: list[str]) -> Login:
        with self.lock:
            login = self.logins.draw(held_tokens)
            self.changed()
            return login

    def scan(
        self,
        handle: str,
        account_id: str,
        *,
        ask_code: bool = False,
        redirect: bool = False,
    ) -> Login:
        """Scan with an account's phone.

        If the account's bot is held by the client, the login is done.
        """
        with self.lock:
            account = self.accounts.get(account_id)
            login = self.logins.get(handle)
            bot = self.bots.find(account.bot_id or "")
            if bot is not None and bot.token in login.held_tokens:
                self.logins.already_bound(login, account.user_id)
            else:
                target = self.switches.redirect_host if redirect else None
                self.logins.scan(login, account.user_id, ask_code=ask_code, redirect_to=target)
            self.changed()
            return login

    def confirm(self, handle: str) -> Bot:
        """Confirm on the phone: binds the bot and ends the account's previous one."""
        with self.lock:
            login = self.logins.get(handle)
            self.logins.may_confirm(login)
            account = self.accounts.get(login.account_id)
            bot = self.bots.bind(account, self.clock.now(), same_id=self.switches.same_bot_id_again)
            self.logins.confirmed(login, bot.bot_id, bot.token)
            self.changed()
        for listener in self.on_bound:
            listener(bot)
        return bot

    def refuse(self, handle: str) -> None:
        with self.lock:
            self.logins.refuse(self.logins.get(handle))
            self.changed()

    def expire(self, handle: str) -> None:
        with self.lock:
            self.logins.expire(self.logins.get(handle))
            self.changed()

    def end_bot(self, bot_id: str, because: str = "logged_out") -> None:
        """Log the bot out on the owner's phone."""
        with self.lock:
            self.bots.end(self.bots.get(bot_id), because)
            self.changed()

    async def qrcode_status(
        self, handle: str, code: str, addresses: Addresses, gone: Gone
    ) -> dict[str, Any] | None:
        """Hold the request until the status changes. None if the client disconnected.

        An unknown handle is `expired`, so that the client requests a new code.
        """
        deadline = time.monotonic() + self.switches.hold_s
        while True:
            with self.lock:
                login = self.logins.find(handle)
                if login is None:
                    return {"ret": 0, "status": LoginStatus.EXPIRED}
                typed = bool(code) and self.logins.type_code(login, code)
                code = ""
                word = self.logins.word_for(login, addresses.host)
                left = deadline - time.monotonic()
                news = typed or word is not login.told or word.is_final
                if news or left <= 0 or self.closing:
                    return self._status_answer(login, word, addresses)
                ring = login.bell.listen()
                left = min(left, self.logins.seconds_left(login) + 0.01)
            if not await wait_for_ring(self.lock, login.bell, ring, gone, left):
                return None

    def _status_answer(
        self, login: Login, word: LoginStatus, addresses: Addresses
    ) -> dict[str, Any]:
        if word is not login.told:
            login.told = word
            self.changed()
        answer: dict[str, Any] = {"ret": 0, "status": str(word)}
        if word is LoginStatus.SCANED_BUT_REDIRECT:
            login.redirected = True
            answer["redirect_host"] = login.redirect_to or addresses.host
        elif word is LoginStatus.CONFIRMED:
            answer |= {
                "bot_token": login.bot_token,
                "ilink_bot_id": login.bot_id,
                "ilink_user_id": login.account_id,
                "baseurl": self.switches.baseurl or addresses.api,
            }
        return answer

    # Updates

    async def get_updates(
        self, token: str, cursor: str, addresses: Addresses, gone: Gone
    ) -> dict[str, Any] | None:
        """Hold the request until a message arrives. None if the client disconnected."""
        with self.lock:
            bot = self.bots.by_token(token)
            if bot is None:
                return self.expired_answer()
            if bot.stopped:
                bot.connect(notified=False)
            if bot.polls.enter():
                self.changed()
            position = position_of(cursor, bot.bot_id)
            if position is None:
                self.violations.record("/ilink/bot/getupdates", "get_updates_buf is not ours")
        try:
            return await self._hold_updates(bot, token, cursor, position or 0, addresses, gone)
        finally:
            with self.lock:
                bot.polls.leave()

    async def _hold_updates(
        self, bot: Bot, token: str, cursor: str, position: int, addresses: Addresses, gone: Gone
    ) -> dict[str, Any] | None:
        deadline = time.monotonic() + self.switches.hold_s
        while True:
            with self.lock:
                if self.bots.by_token(token) is not bot:
                    return self.expired_answer()
                answer = self._updates_answer(bot, cursor, position, addresses)
                left = deadline - time.monotonic()
                if answer["msgs"] or left <= 0 or self.closing:
                    return answer
                ring = bot.bell.listen()
            if not await wait_for_ring(self.lock, bot.bell, ring, gone, left):
                return None

    def _updates_answer(
        self, bot: Bot, cursor: str, position: int, addresses: Addresses
    ) -> dict[str, Any]:
        switches = self.switches
        consume = switches.cursor_mode == "consumed"
        batch = bot.updates.take(position, consume=consume, limit=switches.batch_limit)
        answer: dict[str, Any] = {"ret": 0, "msgs": batch.messages, "get_updates_buf": cursor}
        if batch.messages:
            answer["msgs"] = [with_addresses(message, addresses) for message in batch.messages]
            answer["get_updates_buf"] = cursor_for(bot.bot_id, batch.position)
            self.changed()
        if switches.tells_hold:
            answer["longpolling_timeout_ms"] = int(switches.hold_s * 1000)
        return answer

    def expired_answer(self) -> dict[str, Any]:
        """The code -14, in the field that the switch names."""
        where = self.switches.session_expired_in
        answer: dict[str, Any] = {"errmsg": "session timeout"}
        if where != "ret":
            answer["errcode"] = -14
        if where != "errcode":
            answer["ret"] = -14
        return answer

    async def wait_for_change(self, seen_version: int, wait_s: float, gone: Gone) -> int:
        """Return the version once it differs from `seen_version`. For the page."""
        deadline = time.monotonic() + wait_s
        while True:
            with self.lock:
                left = deadline - time.monotonic()
                if self.version != seen_version or left <= 0 or self.closing:
                    return self.version
                ring = self.page_bell.listen()
            if not await wait_for_ring(self.lock, self.page_bell, ring, gone, left):
                return seen_version
