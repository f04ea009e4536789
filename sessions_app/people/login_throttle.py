"""Limits how often and how many at once may try a password, wherever one is asked for.

Three buckets count each try before it is made: of the name from this address, of the address, and
of the name from anywhere. The last one would let strangers keep a person out, so a browser in which
that person has signed in before is counted by itself instead. It never says whether a name exists.
"""

import contextlib
import hashlib
import ipaddress
import logging
import re
import secrets
import threading
import time
import unicodedata
from collections.abc import Iterator

from django.conf import settings
from django.core import signing
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from sessions_app.people import throttle
from sessions_app.people.models import User
from sessions_app.people.throttle import Bucket, Empty
from sessions_app.recording.actions import Action, Kind
from sessions_app.recording.record import Subject, person_subject, record

logger = logging.getLogger(__name__)

QUARTER_S = 15 * 60
HERE = Bucket(capacity=10, refill_s=QUARTER_S)
"""One name from one address, or in a browser that is known."""
ADDRESS = Bucket(capacity=100, refill_s=QUARTER_S)
"""An office behind one address has many people, and right passwords are given back."""
NAME = Bucket(capacity=50, refill_s=3_600)
KNOWN_COOKIE = "weilink_known"
KNOWN_S = 365 * 24 * 3_600
AT_ONCE = 2
"""Passwords looked at by this process at the same time: each takes a core for a quarter second."""
WAIT_S = 3.0
_LIKE_A_NAME = re.compile(r"[^\W\d]+([._@ -][^\W\d]+)*")
LONGEST_NAME = 30
_looking = threading.BoundedSemaphore(AT_ONCE)


class Refused(Exception):  # noqa: N818 - a statement
    """The password was not looked at. `words`: why, for the person; `code`: for the log."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(words)
        self.code, self.words = code, words


@contextlib.contextmanager
def one_try(request: HttpRequest | None, username: str) -> Iterator[None]:
    """Look at a password within the block. Raises Refused instead, and logs it."""
    try:
        _count(request, username)
        with _a_place():
            yield
    except Refused as refused:
        say_refused(request, username, refused.code)
        raise


def was_right(request: HttpRequest | None, username: str) -> None:
    """The password was right: its try does not count, nor those before it from here."""
    here, *wider = _buckets(request, username)
    throttle.refill(here[0])
    for name, _bucket in wider:
        throttle.give_back(name)


def remember(request: HttpRequest, response: HttpResponse, username: str) -> None:
    """This person has signed in with this browser: strangers cannot use up its tries."""
    value = f"{_name(username)}:{secrets.token_hex(8)}"
    response.set_signed_cookie(
        KNOWN_COOKIE,
        value,
        salt=KNOWN_COOKIE,
        max_age=KNOWN_S,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def say_wrong(request: HttpRequest | None, username: str, why: str) -> None:
    """A password was looked at and was wrong: that is in the audit log, too.

    Tries that are refused before are not, so that strangers cannot fill it.
    """
    say_refused(request, username, why)
    person = User.objects.filter(username=username.replace("\0", "")).first()
    subject = Subject(Kind.PERSON, name=_kept(username))
    record(Action.SIGN_IN_FAILED, person_subject(person) if person is not None else subject)


def _kept(username: str) -> str:
    """What is kept of a name that nobody has: it may be a password in the wrong field."""
    looks_like_a_name = len(username) <= LONGEST_NAME and _LIKE_A_NAME.fullmatch(username)
    return username if looks_like_a_name else ""


def say_refused(request: HttpRequest | None, username: str, why: str) -> None:
    """A log line, for whoever watches who tries to get in. Escaped: strangers choose the name."""
    address = _address(request)
    extra = {"ids_only": f"sign-in from {address} is refused: {why}", "code": why}
    logger.warning(
        "sign-in as %r from %s is refused: %s", username[:150], address, why, extra=extra
    )


def say_signed_in(request: HttpRequest, username: str) -> None:
    address = _address(request)
    extra = {"ids_only": f"sign-in from {address}", "code": "signed in"}
    logger.info("sign-in as %r from %s", username[:150], address, extra=extra)


def _count(request: HttpRequest | None, username: str) -> None:
    now = time.time()
    for name, bucket in _buckets(request, username):
        try:
            throttle.take(name, bucket, now)
        except Empty as empty:
            raise Refused("too many tries", _too_many(empty.wait_s)) from None


def _too_many(wait_s: int) -> str:
    minutes = -(-wait_s // 60)
    words = ngettext(
        "Too many attempts. Try again in %(minutes)d minute.",
        "Too many attempts. Try again in %(minutes)d minutes.",
        minutes,
    )
    return words % {"minutes": minutes}


def _buckets(request: HttpRequest | None, username: str) -> list[tuple[str, Bucket]]:
    """Names of the buckets that one try takes from; the first is of this person here."""
    person, network = _name(username), network_of(_address(request))
    by_address = (f"sign-in from {network}", ADDRESS)
    if known := _known_browser(request, person):
        return [(f"sign-in of {person} in {known}", HERE), by_address]
    return [
        (f"sign-in of {person} from {network}", HERE),
        by_address,
        (f"sign-in of {person}", NAME),
    ]


@contextlib.contextmanager
def _a_place() -> Iterator[None]:
    if not _looking.acquire(blocking=False):
        if not connection.in_atomic_block:
            connection.close()  # who waits keeps nothing that others need
        if not _looking.acquire(timeout=WAIT_S):
            words = _("Too many people are signing in at this moment. Try again in a few seconds.")
            raise Refused("too many at once", words)
    try:
        yield
    finally:
        _looking.release()


def _known_browser(request: HttpRequest | None, person: str) -> str:
    """A number of this browser if the person has signed in with it; else ""."""
    if request is None:
        return ""
    try:
        value = request.get_signed_cookie(KNOWN_COOKIE, salt=KNOWN_COOKIE, max_age=KNOWN_S)
    except (KeyError, signing.BadSignature):
        return ""
    whose, _colon, browser = str(value).partition(":")
    return browser if whose == person else ""


def _address(request: HttpRequest | None) -> str:
    facts = request.META if request is not None else {}
    return str(facts.get("weilink.client") or facts.get("REMOTE_ADDR", ""))


def network_of(address: str) -> str:
    """An IPv6 address as its /64, which one person has whole. `pages.proxies` normalised it."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else address


def _name(username: str) -> str:
    """Upper and lower case are one name, as at the sign-in."""
    name = unicodedata.normalize("NFKC", username).casefold()
    return hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:16]
