"""The simulator's control panel as one flat object, used by tests, the page and the JSON API.

Every method may be called from any thread, takes plain values and returns JSON values. The
simulated WeChat itself never depends on it.
"""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Callable
from typing import Any

from sessions_app.simulator.control import customers
from sessions_app.simulator.control.customers import Writing
from sessions_app.simulator.errors import BadValueError, UnknownThingError
from sessions_app.simulator.media import aes
from sessions_app.simulator.state.chats import Chat
from sessions_app.simulator.state.logins import Login
from sessions_app.simulator.state.wechat import SimulatedWeChat

Json = dict[str, Any]
PEOPLE_SHOWN = 200
CHATS_SHOWN = 60


class Control:
    """Raises UnknownThingError, NotNowError and BadValueError (see `errors`)."""

    def __init__(
        self, wechat: SimulatedWeChat, on_reset: Callable[[], None] = lambda: None
    ) -> None:
        self.wechat = wechat
        self._on_reset = on_reset

    # The whole state

    def reset(self) -> Json:
        """Reset to the initial state: no bots, default switches, no faults, real time."""
        self._on_reset()
        self.wechat.reset()
        return {}

    def switches(self, **changes: Any) -> Json:
        """Set the given switches. Returns all switches."""
        with self.wechat.lock:
            self.wechat.switches.update(changes)
            if changes:
                self.wechat.changed()
            return self.wechat.switches.as_json()

    def advance(self, seconds: float) -> Json:
        """Move the clock forward."""
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
            raise BadValueError("seconds is a number that is not negative")
        self.wechat.advance(seconds)
        return self.clock()

    def clock(self) -> Json:
        clock = self.wechat.clock
        return {"now_ms": clock.now_ms(), "offset_s": clock.offset_s}

    # Phones and logins

    def accounts(self) -> list[Json]:
        with self.wechat.lock:
            return [dataclasses.asdict(account) for account in self.wechat.accounts]

    def add_account(self, name: str, user_id: str | None = None) -> Json:
        """Add a phone that can scan."""
        with self.wechat.lock:
            account = self.wechat.accounts.add(name, user_id)
            self.wechat.changed()
            return dataclasses.asdict(account)

    def logins(self, *, open_only: bool = False) -> list[Json]:
        """The QR codes, oldest first. `open_only`: only those that are not final."""
        with self.wechat.lock:
            logins = [self.wechat.logins.get(login.handle) for login in self.wechat.logins]
            return [self._login(lg) for lg in logins if not (open_only and lg.status.is_final)]

    def login(self, handle: str) -> Json:
        with self.wechat.lock:
            return self._login(self.wechat.logins.get(handle))

    def scan(
        self, handle: str, account: str, *, ask_code: bool = False, redirect: bool = False
    ) -> Json:
        """`account`: an id or a name ("Lin"). `ask_code`: the phone shows digits first."""
        self.wechat.scan(handle, account, ask_code=ask_code, redirect=redirect)
        return self.login(handle)

    def confirm(self, handle: str) -> Json:
        """Returns the bot that was bound: `{bot_id, token, account_id, …}`."""
        return self.bot(self.wechat.confirm(handle).bot_id)

    def refuse(self, handle: str) -> Json:
        """Refuse on the phone. The code becomes expired and cannot be used again."""
        self.wechat.refuse(handle)
        return self.login(handle)

    def expire(self, handle: str) -> Json:
        self.wechat.expire(handle)
        return self.login(handle)

    def bind(self, account: str, *, notified: bool = False) -> Json:
        """Draw, scan and confirm a QR code in one call, for tests.

        `notified`: as if the client had also called notifystart.
        """
        login = self.wechat.draw_qr_code([])
        self.wechat.scan(login.handle, account)
        bot = self.wechat.confirm(login.handle)
        bot.notified = notified
        return self.bot(bot.bot_id)

    # Bots

    def bots(self) -> list[Json]:
        with self.wechat.lock:
            return [self.bot(bot.bot_id) for bot in self.wechat.bots]

    def bot(self, bot_id: str) -> Json:
        """`{bot_id, token, account_id, bound_at, ended_because, alive, polls, waiting, …}`."""
        with self.wechat.lock:
            bot = self.wechat.bots.get(bot_id)
            return {
                "bot_id": bot.bot_id,
                "token": bot.token,
                "account_id": bot.account_id,
                "bound_at": bot.bound_at,
                "alive": bot.alive,
                "ended_because": bot.ended_because,
                "notified": bot.notified,
                "stopped": bot.stopped,
                "polls": bot.polls.as_json(),
                "polled": bot.polls.polled,
                "waiting": bot.updates.waiting,
                "acknowledged": bot.updates.acknowledged,
                "updates": bot.updates.newest,
            }

    def end_bot(self, bot_id: str) -> Json:
        """Log the bot out on the phone. All calls, including open polls, are answered with -14."""
        self.wechat.end_bot(bot_id)
        return self.bot(bot_id)

    def polls(self) -> Json:
        """Counts of getupdates: `{now, highest, total}` over all bots, and `by_bot`."""
        with self.wechat.lock:
            by_bot = {bot.bot_id: bot.polls.as_json() for bot in self.wechat.bots}
            return {
                "now": sum(polls["now"] for polls in by_bot.values()),
                "highest_of_one": max((p["highest"] for p in by_bot.values()), default=0),
                "total": sum(polls["total"] for polls in by_bot.values()),
                "by_bot": by_bot,
            }

    def requests(self) -> dict[str, int]:
        """The number of requests per path."""
        with self.wechat.lock:
            return dict(self.wechat.requests)

    # People

    def people(self) -> Json:
        """Returns `{id: name}` of all people who can write."""
        with self.wechat.lock:
            owners = {account.user_id: account.name for account in self.wechat.accounts}
            return {**self.wechat.people, **owners}

    def add_person(self, name: str, user_id: str | None = None) -> Json:
        with self.wechat.lock:
            user_id = user_id or f"guest-{len(self.wechat.people) + 1:04d}@im.wechat"
            if not name.strip() or not user_id.endswith("@im.wechat"):
                raise BadValueError("a person has a name and an id that ends in @im.wechat")
            self.wechat.people[user_id] = name.strip()
            self.wechat.changed()
            return {"user_id": user_id, "name": name.strip()}

    def write(
        self, bot_id: str, person_id: str, text: str = "", *, kind: str = "text", **details: Any
    ) -> Json:
        """Write as a customer. Returns the message as sent on the wire.

        `details`: lines (more text items), file_name, content (bytes) or content_base64, quote_of
        (message_id), key_encoding, address, plain; see `customers.Writing`.
        """
        if "content_base64" in details:
            details["content"] = base64.b64decode(details.pop("content_base64"))
        details["lines"] = tuple(details.get("lines", ()))
        try:
            writing = Writing(kind, text, **details)
        except TypeError as error:
            raise BadValueError(str(error).partition("__init__() ")[2]) from error
        return customers.write(self.wechat, bot_id, person_id, writing)

    def write_bulk(
        self,
        bots: list[str],
        *,
        count: int,
        people: int = 1,
        prefix: str = "message",
        first: int = 1,
    ) -> list[str]:
        """Write `count` texts "<prefix> <n>", in turn over bots and people.

        Returns the message ids.
        """
        lots = customers.write_bulk(
            self.wechat, bots, count=count, people=people, prefix=prefix, first=first
        )
        return [message_id for lot in lots for message_id in lot]

    def inject(self, bot_id: str, values: list[Any]) -> Json:
        """Add any JSON values to the bot's next updates, unchanged and in order."""
        customers.inject(self.wechat, bot_id, values)
        return self.bot(bot_id)

    def repeat_last(self, bot_id: str, person_id: str, *, new_token: bool = True) -> Json:
        """Send the person's newest message again: same message_id, another token."""
        return customers.repeat_last(self.wechat, bot_id, person_id, new_token=new_token)

    def chat(self, bot_id: str, person_id: str) -> Json:
        """What the person sees: `{bubbles, typing, context_token, replies, writes_until_ms}`."""
        with self.wechat.lock:
            chat = self.wechat.chats.find(bot_id, person_id)
            newest = chat.contexts[-1] if chat and chat.contexts else None
            return {
                "bubbles": [bubble.as_json() for bubble in chat.bubbles] if chat else [],
                "typing": bool(chat and chat.typing),
                "context_token": newest.token if newest else "",
                "replies": newest.replies if newest else 0,
                "written_at_ms": int(newest.given_at * 1000) if newest else 0,
            }

    def seen(self, bot_id: str, person_id: str) -> list[str]:
        """The texts of the bot's bubbles on the person's phone, in order."""
        bubbles = self.chat(bot_id, person_id)["bubbles"]
        return [bubble["text"] for bubble in bubbles if bubble["from_bot"]]

    # Sent messages and faults

    def sends(self, **wanted: str) -> list[Json]:
        """All calls of sendmessage, including refused and dropped ones, oldest first.

        Filters: bot_id, person_id, client_id, outcome, kind, text.
        """
        with self.wechat.lock:
            records = list(self.wechat.sends)
        try:
            return [
                record.as_json()
                for record in records
                if all(getattr(record, name) == value for name, value in wanted.items())
            ]
        except AttributeError as error:
            raise BadValueError(f"no such filter: {error.name}") from error

    def add_fault(self, kind: str, **settings: Any) -> Json:
        """Add a fault for the next requests.

        See `faults.rules.FaultKind` and `faults.rules.Fault`.
        """
        with self.wechat.lock:
            fault = self.wechat.faults.add(kind, **settings).as_json()
            self.wechat.changed()
            return fault

    def faults(self) -> list[Json]:
        with self.wechat.lock:
            return self.wechat.faults.as_json()

    def clear_faults(self, number: int | None = None) -> Json:
        with self.wechat.lock:
            self.wechat.faults.clear(number)
            self.wechat.changed()
        return {}

    def violations(self) -> Json:
        """Returns `{items: [{at_ms, path, what}], counts: {what: n}}`."""
        with self.wechat.lock:
            return self.wechat.violations.as_json()

    def clear_violations(self) -> Json:
        with self.wechat.lock:
            self.wechat.violations.clear()
            self.wechat.changed()
        return {}

    # The page

    def state(self) -> Json:
        """Everything that the page shows, except the open chat."""
        with self.wechat.lock:
            people = list(self.people().items())[:PEOPLE_SHOWN]
            return {
                "version": self.wechat.version,
                "clock": self.clock(),
                "scripts_on": self.wechat.switches.scripts_on,
                "accounts": self.accounts(),
                "logins": self.logins(open_only=True),
                "bots": [_without_token(bot) for bot in self.bots() if bot["alive"]],
                "people": [{"user_id": user_id, "name": name} for user_id, name in people],
                "chats": [_summary(chat) for chat in self.wechat.chats.recent(CHATS_SHOWN)],
                "faults": self.wechat.faults.as_json(),
                "violations": self.wechat.violations.as_json()["counts"],
            }

    def media(self, param: str) -> bytes:
        """The plain bytes of a file on the CDN, for pictures on the page."""
        with self.wechat.lock:
            encrypted = self.wechat.cdn.get(param)
            key = self.wechat.cdn.keys.get(param)
        if encrypted is None:
            raise UnknownThingError("no such file")
        return aes.decrypt(encrypted, key) if key else encrypted

    def _login(self, login: Login) -> Json:
        return {
            "handle": login.handle,
            "status": str(login.status),
            "account_id": login.account_id,
            "digits": login.digits,
            "wrong_codes": login.wrong_codes,
            "seconds_left": max(0, round(self.wechat.logins.seconds_left(login))),
            "bot_id": login.bot_id,
        }


def _summary(chat: Chat) -> Json:
    last = chat.bubbles[-1]
    return {
        "bot_id": chat.bot_id,
        "person_id": chat.person_id,
        "at_ms": last.at_ms,
        "kind": last.kind,
        "text": last.text[:80],
        "typing": chat.typing,
    }


def _without_token(bot: Json) -> Json:
    return {name: value for name, value in bot.items() if name != "token"}
