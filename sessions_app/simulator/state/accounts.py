"""WeChat accounts (phones that can scan) and the bots bound to them.

This module holds the binding rule: an account has one live bot; a second one ends the first at
once. When a binding happens is decided by `logins`.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from sessions_app.simulator.errors import BadValueError, UnknownThingError
from sessions_app.simulator.state.bells import Bell
from sessions_app.simulator.state.updates import Updates

FIXED_ACCOUNTS = {
    "o9cq80sim0Lin00000000000001@im.wechat": "Lin",
    "o9cq80sim0Guo00000000000002@im.wechat": "Guo",
    "o9cq80sim0Mei00000000000003@im.wechat": "Mei",
    "o9cq80sim0Zhou0000000000004@im.wechat": "周杰",
}
NAME_LIMIT = 60
SILENT_AFTER_S = 3.0


@dataclass(slots=True)
class Account:
    user_id: str
    name: str
    bot_id: str | None = None
    """The live bot bound to the account."""


@dataclass(slots=True)
class Polls:
    """The getupdates requests of one token: open now, the most ever open at once, and the total."""

    now: int = 0
    highest: int = 0
    total: int = 0
    left_at: float = -SILENT_AFTER_S
    """When the last one ended, by the monotonic clock."""

    def enter(self) -> bool:
        """Count one more open poll. Returns True if there was none for a while."""
        returned = not self.now and time.monotonic() - self.left_at > SILENT_AFTER_S
        self.now += 1
        self.total += 1
        self.highest = max(self.highest, self.now)
        return returned

    def leave(self) -> None:
        self.now -= 1
        self.left_at = time.monotonic()

    @property
    def polled(self) -> bool:
        """Whether a client polls or did a moment ago: the gap between two polls does not count."""
        return bool(self.now) or time.monotonic() - self.left_at <= SILENT_AFTER_S

    def as_json(self) -> dict[str, int]:
        return {"now": self.now, "highest": self.highest, "total": self.total}


@dataclass(slots=True)
class Bot:
    bot_id: str
    token: str
    account_id: str
    bound_at: float
    ended_because: str = ""
    """Why it answers -14. Empty while it is alive."""
    notified: bool = False
    """notifystart was called since the client last connected."""
    stopped: bool = False
    """notifystop was called. A later getupdates without notifystart is a silent connect."""
    shown_since_connect: int = 0
    updates: Updates = field(default_factory=Updates)
    polls: Polls = field(default_factory=Polls)
    bell: Bell = field(default_factory=Bell)

    @property
    def alive(self) -> bool:
        return not self.ended_because

    def connect(self, *, notified: bool) -> None:
        self.notified, self.stopped, self.shown_since_connect = notified, False, 0


class Accounts:
    """Accounts by WeChat id. The fixed ones always exist."""

    def __init__(self) -> None:
        self._by_id = {user_id: Account(user_id, name) for user_id, name in FIXED_ACCOUNTS.items()}

    def __iter__(self) -> Any:
        return iter(self._by_id.values())

    def add(self, name: str, user_id: str | None = None) -> Account:
        name = name.strip()
        if not name or len(name) > NAME_LIMIT:
            raise BadValueError(f"a name has 1 to {NAME_LIMIT} characters")
        user_id = user_id or f"o9cq80{secrets.token_hex(11)}@im.wechat"
        if not user_id.endswith("@im.wechat"):
            raise BadValueError("a WeChat id ends in @im.wechat")
        if user_id in self._by_id:
            raise BadValueError(f"{user_id} is there already")
        return self.restore(Account(user_id, name))

    def restore(self, account: Account) -> Account:
        return self._by_id.setdefault(account.user_id, account)

    def get(self, name_or_id: str) -> Account:
        """By id, or by the name of a fixed account ("Lin")."""
        found = self._by_id.get(name_or_id)
        found = found or next((a for a in self._by_id.values() if a.name == name_or_id), None)
        if found is None:
            raise UnknownThingError(f"no WeChat account {name_or_id!r}")
        return found


class Bots:
    """All bots that ever existed, by id; the live ones also by token."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._by_id: dict[str, Bot] = {}
        self._by_token: dict[str, Bot] = {}

    def __iter__(self) -> Any:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def bind(self, account: Account, now: float, *, same_id: bool) -> Bot:
        """A new bot for this account. The account's previous bot answers -14 from now on."""
        former = self._by_id.get(account.bot_id or "")
        if former is not None:
            self.end(former, "displaced")
        bot_id = former.bot_id if former and same_id else f"{secrets.token_hex(8)}@im.bot"
        bot = Bot(bot_id, f"{bot_id}:{secrets.token_hex(20)}", account.user_id, now)
        if former and same_id:
            bot.updates = former.updates
        account.bot_id = bot_id
        return self.restore(bot)

    def restore(self, bot: Bot) -> Bot:
        self._by_id[bot.bot_id] = bot
        if bot.alive:
            self._by_token[bot.token] = bot
        return bot

    def end(self, bot: Bot, because: str) -> None:
        """`because`: "displaced" or "logged_out".

        The bot's open long polls are answered at once.
        """
        if not bot.alive:
            return
        bot.ended_because = because
        self._by_token.pop(bot.token, None)
        account = self._accounts.get(bot.account_id)
        if account.bot_id == bot.bot_id:
            account.bot_id = None
        bot.bell.ring()

    def by_token(self, token: str) -> Bot | None:
        return self._by_token.get(token)

    def find(self, bot_id: str) -> Bot | None:
        return self._by_id.get(bot_id)

    def get(self, bot_id: str) -> Bot:
        bot = self._by_id.get(bot_id)
        if bot is None:
            raise UnknownThingError(f"no bot {bot_id!r}")
        return bot
