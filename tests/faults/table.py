"""What must be seen in each cell: endpoint × fault → what people see while the fault lasts.

Each endpoint's story (`stories`) says what its words are about: the state and the reason on the
board, then what an agent or an operator sees. How it ends is the same everywhere: all that was
written or queued gets through, once, with no more help than a page offers.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.faults.faults import (
    CLOCKS,
    CODES,
    FAULTS,
    LONG,
    ONCE,
    SIGNED_OUT,
    STATUSES,
    Endpoint,
    Fault,
)

BROKEN = ("reset before", "reset after", "lost")
REFUSED_STATUSES = ("403", "425")
OPEN_STATUSES = ("408", "500", "502", "524")
UNREADABLE = ("html", "empty", "cut", "wrong json", "50 MB")
MOST = {ONCE: 8, LONG: 80}
"""Requests in a minute, and in 15 minutes: nothing is asked in a hot loop."""


@dataclass(frozen=True)
class Seen:
    """`most`: requests of the endpoint while the fault lasts."""

    words: str
    most: int


Table = dict[str, Seen]


def _table(*groups: tuple[Iterable[str], str, str]) -> Table:
    """(faults, how often, what is seen); a later group has priority."""
    found: Table = {}
    for names, lasts, words in groups:
        for name in names:
            found[Fault(name, lasts).name] = Seen(words, MOST[lasts])
    return found


ANY_ONCE = [one.what for one in FAULTS if one.is_once]
ANY_LONG = [one.what for one in FAULTS if not one.is_once]


def _always(words: str) -> Table:
    return _table((ANY_ONCE, ONCE, words), (ANY_LONG, LONG, words))


def _receiving() -> Table:
    nothing = "· received 0"
    return _table(
        (ANY_ONCE, ONCE, "connected · received 1"),
        (["endless"], ONCE, f"connected {nothing}"),  # it is cut after 70 s
        (STATUSES, LONG, f"failing http_for {nothing}"),
        (["redirect"], LONG, f"failing http_for {nothing}"),
        (["refused"], LONG, f"failing unreachable {nothing}"),
        ([*BROKEN, "endless"], LONG, f"failing line_broken {nothing}"),
        (["slow", "replayed", "repeated"], LONG, "connected · received 1"),
        (SIGNED_OUT, LONG, f"expired signed_out {nothing}"),
        (["html", "empty", "wrong types"], LONG, f"failing unreadable {nothing}"),
        (["cut", "wrong json", "50 MB"], LONG, f"failing broke_off {nothing}"),
        (CODES, LONG, f"failing refused {nothing}"),
        (["reordered"], LONG, "connected · received 1 · token during"),
    )


def _replying() -> Table:
    """The first reply to Li Na, the one behind it, and the one to Mei."""

    def fates(first: str, second: str, to_mei: str) -> str:
        return f"connected · {first} · {second} · {to_mei}"

    def both(fate: str) -> str:
        return fates(fate, "queued", fate)

    def first(fate: str) -> str:
        return fates(fate, "queued", "sent")

    all_sent, broken = fates("sent", "sent", "sent"), "unconfirmed line_broken"
    return _table(
        (["refused", "slow", *CLOCKS], ONCE, all_sent),
        ([*BROKEN, "endless", *OPEN_STATUSES], ONCE, first(broken)),
        (REFUSED_STATUSES, ONCE, first("failed refused")),
        (["429"], ONCE, first("failed rate_limited")),
        (SIGNED_OUT, ONCE, first("failed in_doubt")),
        (["slow"], LONG, all_sent),
        (["refused"], LONG, both("failed not_reached")),
        ([*BROKEN, "endless", *OPEN_STATUSES, "redirect", *UNREADABLE], LONG, both(broken)),
        ([*REFUSED_STATUSES, "-1", "unknown code"], LONG, both("failed refused")),
        (["429", "-2 for the whole bot"], LONG, both("failed rate_limited")),
        (SIGNED_OUT, LONG, both("failed in_doubt")),
        (["-2 for one person"], LONG, first("failed no_reason")),
        (["wrong types"], LONG, fates(*["unconfirmed no_id"] * 3)),
    )


def _uploading(refused: str) -> Table:
    """A file to Li Na, the text behind it, and a text to Mei. Nothing left: it is tried again."""

    def held(fate: str) -> str:
        return f"connected · {fate} · queued · sent"

    sent = "connected · sent · sent · sent"
    return _table(
        (ANY_ONCE, ONCE, sent),
        (["429"], ONCE, held("queued upload_busy")),  # for the minute that was asked for
        (ANY_LONG, LONG, held("failed upload_failed")),
        (["slow"], LONG, sent),
        (CODES, LONG, held(refused)),
    )


def _logging_in() -> Table:
    return _table(
        (ANY_ONCE, ONCE, "waiting"),
        (STATUSES, LONG, "failed http"),
        (["redirect"], LONG, "failed http"),
        (["refused"], LONG, "failed unreachable"),
        ([*BROKEN, "endless", "50 MB"], LONG, "failed line_broken"),
        (["slow"], LONG, "expired too_many_codes"),
        ([*SIGNED_OUT, *CODES], LONG, "failed refused"),
        (["html", "empty", "cut", "wrong json", "wrong types"], LONG, "failed unreadable"),
    )


def _scanning() -> Table:
    """The code was scanned and confirmed: whoever waits learns why nothing is seen of it."""
    return {
        **_logging_in(),
        **_table(
            (ANY_ONCE, ONCE, "confirmed"),
            (["endless"], ONCE, "scanned"),  # it is cut after 65 s
            (["slow"], LONG, "confirmed"),
            (["500", "502", "524"], LONG, "failed http_for"),
        ),
    }


def _uploading_to_cdn() -> Table:
    return {
        **_uploading("failed upload_failed"),
        **_table((["403"], LONG, "connected · failed upload_refused · queued · sent")),
    }


def _fetching() -> Table:
    later = "connected · remote cdn_unavailable"
    return _table(
        (ANY_ONCE, ONCE, "connected · stored"),
        (["429"], ONCE, "connected · remote cdn_busy"),  # for the minute that was asked for
        (["endless"], ONCE, "connected · fetching"),
        (["refused", *BROKEN, "500", "502", "524", "redirect", "html", "empty"], LONG, later),
        (["408", "425"], LONG, "connected · remote cdn_busy"),
        (["429"], LONG, "connected · failed cdn_unavailable"),
        (["403"], LONG, "connected · failed gone"),
        (["cut", "50 MB"], LONG, "connected · failed wrong_key"),
        (["slow"], LONG, "connected · stored"),
        (["endless"], LONG, "connected · fetching cdn_unavailable"),
    )


TABLE: dict[Endpoint, Table] = {
    Endpoint.GETUPDATES: _receiving(),
    Endpoint.SENDMESSAGE: _replying(),
    Endpoint.GETCONFIG: _always("connected · sent"),
    Endpoint.SENDTYPING: _always("connected · sent"),
    Endpoint.GETUPLOADURL: _uploading("failed upload_refused"),
    Endpoint.CDN_UPLOAD: _uploading_to_cdn(),
    Endpoint.CDN_DOWNLOAD: _fetching(),
    Endpoint.GET_BOT_QRCODE: _logging_in(),
    Endpoint.GET_QRCODE_STATUS: _scanning(),
    Endpoint.NOTIFYSTART: _always("connected · received 1"),
    Endpoint.NOTIFYSTOP: {
        **_always("paused · received 0"),
        # The poll in flight goes on while WeChat is told; it is cut 42 s later.
        **_table(
            (["endless"], ONCE, "paused · received 1"), (["endless"], LONG, "paused · received 1")
        ),
    },
}
