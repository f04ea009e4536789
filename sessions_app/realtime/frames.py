"""What the websocket needs to know of a page, and who fills its frames with content.

`realtime` knows streams and sockets, not conversations. The room above hands in a `Content`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sessions_app.people.models import User
from sessions_app.people.roles import Capability


@dataclass(frozen=True, slots=True)
class Shown:
    """What a page shows, as it says itself. An empty `kind` wants hints without content.

    `kind`: "inbox", or "told" for a page without rows of its own. `query`: the list, as its URL
    would name it. `open`: the open conversation. `account`: the one that the Send button named.
    """

    kind: str = ""
    query: str = ""
    open: int | None = None
    account: int | None = None
    language: str = ""
    zone: str = ""

    @classmethod
    def parse(cls, said: Mapping[str, Any]) -> "Shown":
        """Read a frame of the page. Invalid values count as not said."""

        def text(name: str, most: int) -> str:
            value = said.get(name)
            return value if isinstance(value, str) and len(value) <= most else ""

        def number(name: str) -> int | None:
            value = text(name, 18)
            return int(value) if value.isascii() and value.isdigit() else None

        kind = text("kind", 10)
        return cls(
            kind=kind if kind in ("inbox", "told") else "",
            query=text("list", 2_000),
            open=number("open"),
            account=number("account"),
            language=text("language", 20),
            zone=text("zone", 64),
        )


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks at a page and what it shows.

    `cookies`: the page's own, for the tokens in its forms.
    """

    user: User
    teams: frozenset[int]
    may: frozenset[Capability]
    shown: Shown
    cookies: Mapping[str, str] = field(default_factory=dict)

    @property
    def may_read(self) -> bool:
        return Capability.READ_CONVERSATIONS in self.may

    @property
    def may_answer(self) -> bool:
        return Capability.ANSWER in self.may


@dataclass(frozen=True, slots=True)
class Span:
    """The changes of one stream after number `start`, up to and including `end`.

    `about`: their topics.
    """

    key: str
    start: int
    end: int
    about: frozenset[str]


class Loaded(Protocol):
    """The changes of one span, read once for all readers. Called in a database thread."""

    def frames(self, readers: Sequence[Reader]) -> list[str | None]:
        """One frame as JSON for each reader; None for a reader who must ask instead."""
        ...

    def is_open_at(self, reader: Reader) -> bool:
        """Whether the conversation that the reader has open changed, so that `frame_for` is due."""
        ...

    def frame_for(self, reader: Reader, known: Mapping[str, int]) -> str | None:
        """A frame with the open conversation too. `known`: the numbers of all their streams."""
        ...


class Content(Protocol):
    """Fills frames. All methods run in a database thread, one at a time."""

    def load(self, span: Span, readers: Collection[Reader]) -> Loaded | None:
        """Read what changed; None if there is no reader, or if only the pages can ask for it."""
        ...

    def counts(self, readers: Sequence[Reader]) -> list[str | None]:
        """The numbers in the navigation as JSON frames; None where a reader has none."""
        ...

    def pulse(self) -> str:
        """A value that changes when something changed that no stream numbers."""
        ...
