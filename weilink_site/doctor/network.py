"""The checks of the network: whether WeChat's two servers answer, and whether the clocks agree.

Nothing is sent but one GET without credentials; any answer proves that the way is open.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from django.conf import settings

from sessions_app.ilink.errors import ILinkError
from sessions_app.ilink.exchange import Exchange, Transports
from weilink_site.doctor.report import Finding, Status

ANSWER_S = 4.0
CLOCK_S = 5.0
"""A Date header is a second coarse, and its answer may have travelled for another."""
CLOCK_WRONG_S = 60.0


@dataclass(frozen=True, slots=True)
class Heard:
    """`ahead_s`: by how many seconds this machine's clock is ahead; None without a Date header."""

    status: int
    ahead_s: float | None


def check_ilink() -> Iterator[Finding]:
    url = settings.WEILINK_ILINK_URL
    try:
        heard = _heard_from(url)
    except (ILinkError, TimeoutError, OSError) as error:
        yield _silent("ilink", url, error)
        yield Finding("clock", Status.SKIPPED, "Nobody answered whose clock could be compared.")
        return
    yield Finding("ilink", Status.OK, f"{url} answers.")
    yield _clock(heard)


def check_cdn() -> Iterator[Finding]:
    url = settings.WEILINK_CDN_URL
    try:
        _heard_from(url)
    except (ILinkError, TimeoutError, OSError) as error:
        yield _silent("cdn", url, error)
    else:
        yield Finding("cdn", Status.OK, f"{url} answers.")


def _silent(name: str, url: str, error: Exception) -> Finding:
    words = str(error.__cause__ or error).partition("\n")[0] or f"no answer in {ANSWER_S:.0f} s"
    host = urlsplit(url).netloc
    if "CERTIFICATE" in words.upper():
        advice = "Check this machine's clock and its CA certificates; a proxy must not open TLS."
    else:
        advice = f"Check network and DNS, and let this machine connect to {host} directly."
    return Finding(name, Status.WRONG, f"{url} cannot be reached ({words}).", advice)


def _clock(heard: Heard) -> Finding:
    if heard.ahead_s is None:
        return Finding("clock", Status.SKIPPED, "The answer had no Date to compare with.")
    off_s = abs(heard.ahead_s)
    if off_s < CLOCK_S:
        return Finding("clock", Status.OK, "This machine's clock agrees with WeChat's.")
    side = "ahead of" if heard.ahead_s > 0 else "behind"
    return Finding(
        "clock",
        Status.WRONG if off_s >= CLOCK_WRONG_S else Status.LOOK,
        f"This machine's clock is {off_s:.0f} s {side} WeChat's, and reply windows with it.",
        "Let it follow a time server: `timedatectl set-ntp true`.",
    )


def _heard_from(url: str) -> Heard:
    """Raises ILinkError or TimeoutError. A resolver that hangs keeps only its own thread."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(_ask(url))
    finally:
        loop.close()


async def _ask(url: str) -> Heard:
    exchange = Exchange(Transports().open())
    try:
        async with (
            asyncio.timeout(ANSWER_S),
            exchange.open("GET", f"{url}/", {}, read_timeout_s=ANSWER_S) as reply,
        ):
            return Heard(reply.status, _ahead_s(reply.headers.get("date", "")))
    finally:
        await exchange.aclose()


def _ahead_s(date: str) -> float | None:
    try:
        theirs = parsedate_to_datetime(date)
    except ValueError:
        return None
    aware = theirs if theirs.tzinfo is not None else theirs.replace(tzinfo=UTC)
    return (datetime.now(UTC) - aware).total_seconds()
