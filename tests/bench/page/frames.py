"""The frames of `/ws/live/`, as far as a page client reads them, and what it says of itself there.

A frame is a JSON object. What is used here:

    type            "hello", "hint", "beat", "frame", "reload", "notice" and others
    streams         {stream: number}, of all but a "frame": that far the page should come
    html            of a "frame": the markup of what changed; its `data-streams` are its numbers
    from            of a "frame": {stream: number} that a page must have to apply it
    list            of a "frame": the list that its rows are for; null if it has none
    conversations   of a "frame": changed ones; it fits only pages that have none of them open
    away, parts     of a "hello" and a "trouble": what the console cannot reach at the moment
    open            of a "frame" without `conversations`: the open conversation that it is for

A console that sends no "frame" sends a "hint" instead, and the page asks.
"""

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Frame:
    kind: str
    streams: dict[str, int]
    start: dict[str, int] = field(default_factory=dict)
    html: str = ""
    fits: dict[str, Any] = field(default_factory=dict)
    away: tuple[str, ...] | None = None

    @classmethod
    def read(cls, text: str) -> "Frame":
        values: dict[str, Any] = json.loads(text)
        kind, markup = str(values.get("type", "")), str(values.get("html", ""))
        if kind != "frame":
            away = values.get("parts", values.get("away"))
            told = None if away is None else tuple(away)
            return cls(kind, values.get("streams") or {}, away=told)
        streams = parse(attribute(markup, "data-streams"))
        return cls(kind, streams, values.get("from") or {}, markup, values)

    @property
    def has_content(self) -> bool:
        return bool(self.html)

    def is_for(self, shown: Mapping[str, str]) -> bool:
        """Whether it was made for a page that shows this list and this conversation."""
        if self.fits.get("list") != shown["list"]:
            return False
        if "conversations" in self.fits:
            return shown["open"] not in self.fits["conversations"]
        return bool(self.fits.get("open", "") == shown["open"])


def showing(shown: Mapping[str, str], *, language: str, zone: str) -> str:
    """What a page says of itself once its websocket is open, so that frames fit it."""
    said = {"type": "showing", "kind": "inbox", **shown, "account": ""}
    return json.dumps({**said, "language": language, "zone": zone})


class Numbers:
    """The stream numbers that a page has applied, and those that it has heard of."""

    def __init__(self, text: str) -> None:
        """`text`: “team:1:124,user:3:7”, as pages carry it."""
        self.applied = parse(text)
        self._heard = dict(self.applied)

    @property
    def are_behind(self) -> bool:
        return any(self._heard[key] > number for key, number in self.applied.items())

    def hear(self, streams: Mapping[str, int]) -> None:
        for key in self.applied.keys() & streams.keys():
            self._heard[key] = max(self._heard[key], streams[key])

    def advance(self, streams: Mapping[str, int]) -> None:
        self.hear(streams)
        for key in self.applied.keys() & streams.keys():
            self.applied[key] = max(self.applied[key], streams[key])

    def follow(self, start: Mapping[str, int]) -> bool:
        """Whether the page has all that came up to these numbers."""
        return all(self.applied.get(key, -1) >= number for key, number in start.items())

    def __str__(self) -> str:
        return ",".join(f"{key}:{number}" for key, number in self.applied.items())


def parse(text: str) -> dict[str, int]:
    pairs = (part.rpartition(":") for part in text.split(",") if part)
    return {key: int(number) for key, _, number in pairs}


def attribute(page: str, name: str) -> str:
    """The first of this name: of a page that is its body's own."""
    found = re.search(rf'{name}="([^"]*)"', page)
    return html.unescape(found[1]) if found else ""
