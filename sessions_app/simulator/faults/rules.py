"""Fault injection: which request gets which fault. Pure, no network.

`faults.wire` carries the faults out. A fault applies to requests by path glob and token, for the
next N requests or until cleared; the newest rule has priority. It never affects the page or the
control interface.
"""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any

from sessions_app.simulator.errors import BadValueError


class FaultKind(StrEnum):
    """What happens to the request. `Fault` lists the parameters."""

    STATUS = "status"
    """The HTTP status `status`, with a gateway's HTML page as body."""
    RESET = "reset"
    """Reset the TCP connection before an answer."""
    LOST = "lost"
    """Carry out the request, then reset the connection."""
    SLOW = "slow"
    """Carry out the request after `delay_s`, then answer normally."""
    DRIP = "drip"
    """The real answer, one byte every `delay_s`."""
    ENDLESS = "endless"
    """Status 200 and a JSON body that never ends."""
    BAD_JSON = "bad_json"
    CUT_JSON = "cut_json"
    """The first half of the real answer's JSON, in a complete HTTP response."""
    CUT_BODY = "cut_body"
    """The real answer's headers and half its body, then a reset."""
    HTML = "html"
    """Status 200 and an HTML page."""
    EMPTY = "empty"
    """Status 200 and an empty body."""
    BODY = "body"
    """`status` (200) with the given `body` and `content_type`."""
    RET = "ret"
    """Status 200 and those of `{ret, errcode, errmsg}` that are given."""


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
    """Glob for the path below the mount, such as `/ilink/bot/getupdates` or `/c2c/*`."""
    token: str = ""
    """Only requests with this bot token. Empty: all."""
    times: int | None = 1
    """The number of requests still to be affected. None: until cleared."""
    effect: bool | None = None
    """Whether the request is carried out all the same. None: as usual for the kind."""
    status: int = 0
    retry_after: str = ""
    """The value of the header Retry-After, for `status`."""
    delay_s: float = 1.0
    wait_s: float = 0.0
    """Delay before the answer, for all kinds except `slow` and `drip`."""
    skip: int = 0
    """How many requests to let pass first: 2 means "from the third on"."""
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
    """The active rules."""

    def __init__(self) -> None:
        self._rules: dict[int, Fault] = {}
        self._numbers = itertools.count(1)

    def add(self, kind: str, **settings: Any) -> Fault:
        """Add a rule. Raises BadValueError if the kind or a setting does not exist."""
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
        """Remove one rule or all. A rule that is used up may be removed, too."""
        if number is None:
            self._rules.clear()
        else:
            self._rules.pop(number, None)

    def take(self, path: str, token: str) -> Fault | None:
        """Find the rule for this request and count it."""
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
