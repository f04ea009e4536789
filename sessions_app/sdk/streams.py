"""One bot's stream of answers: its cursor, when it may be polled next, and which messages it had.

Keeps state and makes decisions; no network and no disk.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from sessions_app.folder.store import StoredContext, StoredToken
from sessions_app.ilink.backoff import Backoff
from sessions_app.ilink.wire import IncomingMessage, MessageType, Updates, dedupe_keys

from .messages import Message, messages_of

REMEMBERED = 5_000
INSTANT_S = 0.3
LONGEST_REST_S = 30.0
DOUBT_PAUSE_S = 2.0
FIRST_HOLD_MS = 35_000


@dataclass
class Batch:
    """One answer on its way to the caller. `keys`: the files that keep it until then."""

    token: StoredToken
    session: str
    messages: list[Message]
    cursor_after: str | None
    keys: list[str] = field(default_factory=list)


class Stream:
    """`random` returns floats in [0, 1). Times are those of the event loop."""

    def __init__(self, token: StoredToken, session: str, random: Callable[[], float]) -> None:
        self.token = token
        self.session = session
        self.cursor = token.cursor
        self.hold_ms = FIRST_HOLD_MS
        self.not_before = 0.0
        self.is_open = False
        self.is_storing = False
        self.in_doubt = False
        self._backoff = Backoff(random)
        self._empty_at_once = 0
        self._seen: OrderedDict[str, None] = OrderedDict()

    def fresh(self, updates: Updates) -> list[IncomingMessage]:
        """The messages that people sent and this stream has not had before. Remembers them.

        WeChat may deliver a message twice, even with another context token. Echoes of the bot's own
        messages are skipped.
        """
        fresh = []
        keys = dedupe_keys(updates.messages, self.cursor)
        for key, message in zip(keys, updates.messages, strict=True):
            if _is_own(message, self.token.bot_id):
                continue
            if key not in self._seen:
                fresh.append(message)
            self._seen[key] = None
            self._seen.move_to_end(key)
        while len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return fresh

    def batch(self, updates: Updates, fresh: list[IncomingMessage]) -> Batch:
        """The batch of an answer. Moves the cursor in memory, except for a refused answer."""
        after = updates.cursor if updates.code == 0 else None
        self.cursor = after if after is not None else self.cursor
        shown = [one for message in fresh for one in messages_of(message, self.token.bot_id)]
        return Batch(self.token, self.session, shown, after)

    def succeeded(self, updates: Updates, took_s: float, now: float) -> None:
        """Slow down if empty answers come at once, unless the server declared a short hold time."""
        if not updates.timed_out:
            self.in_doubt = False
        self._backoff.succeeded()
        self.hold_ms = updates.longpoll_timeout_ms or self.hold_ms
        declared_s = (updates.longpoll_timeout_ms or FIRST_HOLD_MS) / 1000
        if updates.messages or updates.timed_out or took_s >= min(INSTANT_S, 0.8 * declared_s):
            self._empty_at_once = 0
            return
        self._empty_at_once += 1
        self.not_before = now + min(LONGEST_REST_S, 2.0**self._empty_at_once)

    def doubted(self, now: float) -> bool:
        """WeChat answered -14, which once is only a suspicion.

        Returns True if it was the second time.
        """
        if self.in_doubt:
            return True
        self.in_doubt, self.not_before = True, now + DOUBT_PAUSE_S
        return False

    def failed(self, now: float) -> None:
        self.not_before = now + self._backoff.failed()


def contexts_of(updates: Updates, bot_id: str, now_s: float) -> dict[str, StoredContext]:
    """The newest context token of each person, also from messages received before."""
    contexts: dict[str, StoredContext] = {}
    for message in updates.messages:
        user_id = message.from_user_id
        if not message.context_token or not user_id or _is_own(message, bot_id):
            continue
        at_s = message.create_time_ms / 1000 if message.create_time_ms else now_s
        known = contexts.get(user_id)
        if known is None or at_s >= known.received_at_s:
            first_s = known.first_seen_s if known else at_s
            contexts[user_id] = StoredContext(
                token=message.context_token, received_at_s=at_s, first_seen_s=first_s
            )
    return contexts


def _is_own(message: IncomingMessage, bot_id: str) -> bool:
    return message.message_type is MessageType.BOT or message.from_user_id == bot_id
