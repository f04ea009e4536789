"""The server side of live pages: the stream numbers of a page, and those it asks for changes since.

Numbers are read before rows, so a page with number 124 may show later changes, but never lacks
earlier ones.
"""

from dataclasses import dataclass

from django.http import HttpRequest

from sessions_app.realtime.numbers import live_numbers

_KEPT = "_live_numbers"
_MESSAGES = "message"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page's request says about itself. `since`: its stream numbers, None to get everything.

    `account`: the key of the account that the Send button last named. The other fields name what
    the page shows beside its rows.
    """

    since: dict[str, int] | None
    open: int | None
    login: str
    account: int | None


def pin_numbers(request: HttpRequest) -> dict[str, int]:
    """Read the stream numbers once per request. Call this before reading any rows."""
    known: dict[str, int] | None = getattr(request, _KEPT, None)
    if known is None:
        known = live_numbers(request.user, besides=(_MESSAGES,))
        setattr(request, _KEPT, known)
    return {key: number for key, number in known.items() if key != _MESSAGES}


def newest_message(request: HttpRequest) -> int:
    """The highest message id at the time the numbers were read. Higher ids are new to the page."""
    pin_numbers(request)
    known: dict[str, int] = getattr(request, _KEPT)
    return known[_MESSAGES]


def asked(request: HttpRequest) -> Asked:
    """Parse the query of a fetch, or the headers that the page adds to a POST."""
    since = request.GET.get("since", request.headers.get("Live-Since", ""))
    return Asked(
        since=parse_numbers(since) if since else None,
        open=_key(request, "open"),
        account=_key(request, "account"),
        login=request.GET.get("login", request.headers.get("Live-Login", ""))[:64],
    )


def _key(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, request.headers.get(f"Live-{name.title()}", ""))
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def parse_numbers(text: str) -> dict[str, int]:
    """Parse “team:1:124,user:3:7” to {"team:1": 124, "user:3": 7}. Invalid parts are ignored."""
    numbers: dict[str, int] = {}
    for part in text[:20_000].split(","):
        key, _, number = part.rpartition(":")
        if key and number.isascii() and number.isdigit() and len(number) < 19:
            numbers[key] = int(number)
    return numbers
