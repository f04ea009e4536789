"""The server's half of the live pages: which numbers a page was drawn at, and which it asks from.

The numbers are read before the rows; a page drawn at 124 may show more, never less.
"""

from dataclasses import dataclass

from django.http import HttpRequest

from sessions_app.realtime.numbers import live_numbers

_KEPT = "_live_numbers"
_MESSAGES = "message"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page has (`since`; None: it wants everything) and what it shows beside its rows.

    `account`: the key of the one that its reader last saw on the Send button.
    """

    since: dict[str, int] | None
    open: int | None
    login: str
    account: int | None


def pin_numbers(request: HttpRequest) -> dict[str, int]:
    """Read the stream numbers once for this request. Call it before any row is read."""
    known: dict[str, int] | None = getattr(request, _KEPT, None)
    if known is None:
        known = live_numbers(request.user, besides=(_MESSAGES,))
        setattr(request, _KEPT, known)
    return {key: number for key, number in known.items() if key != _MESSAGES}


def newest_message(request: HttpRequest) -> int:
    """The last message id that was given when the numbers were read: what is later is news."""
    pin_numbers(request)
    known: dict[str, int] = getattr(request, _KEPT)
    return known[_MESSAGES]


def asked(request: HttpRequest) -> Asked:
    """From the query of a fetch, or from the headers that the page adds to what it posts."""
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
    """“team:1:124,user:3:7” → {"team:1": 124, "user:3": 7}; what cannot be read is left out."""
    numbers: dict[str, int] = {}
    for part in text[:20_000].split(","):
        key, _, number = part.rpartition(":")
        if key and number.isascii() and number.isdigit() and len(number) < 19:
            numbers[key] = int(number)
    return numbers
