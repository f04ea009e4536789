"""One person's chat with one bot, as on the person's phone, and what WeChat counts about it.

Whether a reply is accepted is decided in `quotas`; the wire's format is in `messages`.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import islice
from typing import Any

BUBBLES_KEPT = 500
CONTEXTS_KEPT = 5


@dataclass(slots=True)
class Context:
    """A context token: whom it lets reply, until when, and how often it was used."""

    token: str
    given_at: float
    replies: int = 0


@dataclass(frozen=True, slots=True)
class Bubble:
    """What the person sees. `media`: a key for the picture route of the control interface."""

    number: int
    from_bot: bool
    kind: str
    text: str
    at_ms: int
    message_id: str
    client_id: str = ""
    media: str = ""
    file_name: str = ""
    quote: str = ""
    broken: bool = False
    """The bot's media cannot be decrypted: key or size in the message are wrong."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(slots=True)
class Chat:
    bot_id: str
    person_id: str
    contexts: deque[Context] = field(default_factory=lambda: deque(maxlen=CONTEXTS_KEPT))
    """The newest is last."""
    calls: deque[float] = field(default_factory=deque)
    """The times of sendmessage calls for this person, including refused ones."""
    bubbles: deque[Bubble] = field(default_factory=lambda: deque(maxlen=BUBBLES_KEPT))
    bubble_count: int = 0
    typing: bool = False
    ticket: str = ""
    ticket_at: float = 0.0
    last_message: dict[str, Any] | None = None
    """The person's newest message as sent, so that it can be repeated."""

    def new_context(self, now: float) -> Context:
        context = Context(secrets.token_urlsafe(24), now)
        self.contexts.append(context)
        return context

    def learn_context(self, token: str, given_at: float) -> None:
        """Remember a token from an injected update."""
        if all(known.token != token for known in self.contexts):
            self.contexts.append(Context(token, given_at))

    def show(self, bubble: Bubble) -> None:
        self.bubbles.append(bubble)
        self.bubble_count += 1
        if bubble.from_bot:
            self.typing = False

    def bubble(self, message_id: str) -> Bubble | None:
        return next((b for b in reversed(self.bubbles) if b.message_id == message_id), None)

    def typing_ticket(self, now: float, lifetime_s: float) -> str:
        """The current ticket while it is valid, else a new one."""
        if not self.ticket or now - self.ticket_at >= lifetime_s:
            self.ticket, self.ticket_at = secrets.token_urlsafe(18), now
        return self.ticket

    def ticket_is_good(self, ticket: object, now: float, lifetime_s: float) -> bool:
        return bool(self.ticket) and ticket == self.ticket and now - self.ticket_at < lifetime_s


class Chats:
    """All chats, by bot and person."""

    def __init__(self) -> None:
        self._by_pair: dict[tuple[str, str], Chat] = {}
        self._recent: OrderedDict[tuple[str, str], None] = OrderedDict()

    def __iter__(self) -> Iterator[Chat]:
        return iter(self._by_pair.values())

    def __len__(self) -> int:
        return len(self._by_pair)

    def touch(self, chat: Chat) -> None:
        """Make this the most recent chat, because something was shown in it."""
        self._recent[chat.bot_id, chat.person_id] = None
        self._recent.move_to_end((chat.bot_id, chat.person_id))

    def recent(self, limit: int) -> list[Chat]:
        """The chats in which something was shown, newest first."""
        return [self._by_pair[key] for key in islice(reversed(self._recent), limit)]

    def oldest_first(self) -> list[Chat]:
        """All chats. Those in which nothing was shown come first."""
        silent = [chat for key, chat in self._by_pair.items() if key not in self._recent]
        return silent + [self._by_pair[key] for key in self._recent]

    def find(self, bot_id: str, person_id: str) -> Chat | None:
        return self._by_pair.get((bot_id, person_id))

    def open(self, bot_id: str, person_id: str) -> Chat:
        """The chat of the two, created if it does not exist."""
        key = (bot_id, person_id)
        chat = self._by_pair.get(key)
        if chat is None:
            chat = self._by_pair[key] = Chat(bot_id, person_id)
        return chat
