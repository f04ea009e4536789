"""Faults on demand: which request gets which trouble; pure, no network.

`fault_lines` carries them out. A fault hits requests by path glob and token, for the next N or
until cleared, the newest rule first. It must never hit the page or the control interface.
"""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from sessions_app.simulator.errors import BadValueError


class FaultKind(StrEnum):
    """What happens to the request; see `Fault` for the numbers that belong to it."""

    STATUS = "status"
    """HTTP `status`, a gateway's HTML page as body."""
    RESET = "reset"
    """The TCP connection is reset before an answer."""
    LOST = "lost"
    """The request takes effect, then the connection is reset."""
    SLOW = "slow"
    """The request takes effect after `delay_s`, then answers normally."""
    DRIP = "drip"
    """The true answer, one byte each `delay_s`."""
    ENDLESS = "endless"
    """200 and a JSON body that never ends."""
    BAD_JSON = "bad_json"
    CUT_JSON = "cut_json"
    """The true answer cut in the middle, but a complete HTTP response."""
    CUT_BODY = "cut_body"
    """The true answer's headers, half its body, then a reset."""
    HTML = "html"
    """200 and an HTML page."""
    EMPTY = "empty"
    """200 and nothing."""
    BODY = "body"
    """`status` (200) with `body` and `content_type` as given."""
    RET = "ret"
    """200 and `{ret, errcode, errmsg}`, those of them that are given."""


EFFECT_BY_DEFAULT = {
    FaultKind.LOST,
    FaultKind.SLOW,
    FaultKind.DRIP,
    FaultKind.CUT_JSON,
    FaultKind.CUT_BODY,
}


@dataclass(slots=True)
class Fault:
    number: int
    kind: FaultKind
    path: str = "*"
    """Glob over the path below the mount, e.g. `/ilink/bot/getupdates` or `/c2c/*`."""
    token: str = ""
    """Only requests with this bot token; empty: all."""
    times: int | None = 1
    """How many requests are still to be hit; None: until cleared."""
    effect: bool | None = None
    """Whether the request is carried out all the same; None: as usual for the kind."""
    status: int = 0
    retry_after: str = ""
    """The header of this name, beside a `status`."""
    delay_s: float = 1.0
    wait_s: float = 0.0
    """How long the answer of any kind but `slow` and `drip` is kept waiting."""
    skip: int = 0
    """How many requests it lets pass first: 2 means "from the third on"."""
    body: str = ""
    content_type: str = "application/json"
    ret: int | None = None
    errcode: int | None = None
    errmsg: str = ""
    hits: int = 0

    @property
    def takes_effect(self) -> bool:
        return self.kind in EFFECT_BY_DEFAULT if self.effect is None else self.effect

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self._rules: dict[int, Fault] = {}
        self._numbers = itertools.count(1)

    def add(self, kind: str, **settings: Any) -> Fault:
        """BadValueError when the kind or a setting does not exist."""
        if kind not in set(FaultKind):
            raise BadValueError(f"kind is one of {', '.join(FaultKind)}")
        if {"number", "hits"} & settings.keys():
            raise BadValueError("number and hits are not settable")
        try:
            fault = Fault(next(self._numbers), FaultKind(kind), **settings)
        except TypeError as error:
            raise BadValueError(str(error).partition("__init__() ")[2]) from error
        self._rules[fault.number] = fault
        return fault

    def clear(self, number: int | None = None) -> None:
        """One rule or all; clearing what is spent already is fine."""
        if number is None:
            self._rules.clear()
        else:
            self._rules.pop(number, None)

    def take(self, path: str, token: str) -> Fault | None:
        """The rule that hits this request, counted."""
        for fault in reversed(self._rules.values()):
            if not (fnmatchcase(path, fault.path) and fault.token in ("", token)):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            return self._count(fault)
        return None

    def _count(self, fault: Fault) -> Fault:
        fault.hits += 1
        if fault.times is not None:
            fault.times -= 1
            if fault.times <= 0:
                self._rules.pop(fault.number)
        return fault

    def as_json(self) -> list[dict[str, Any]]:
        return [fault.as_json() for fault in self._rules.values()]
