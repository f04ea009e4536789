"""Limits how often somebody may try a password, counted per user name and address.

It never says whether a name exists, and a cache that is away locks nobody out.
"""

import hashlib
import logging
import unicodedata

from django.http import HttpRequest

from sessions_app.people import throttle
from sessions_app.people.throttle import Bucket

logger = logging.getLogger(__name__)

TRIES = Bucket(capacity=10, refill_s=15 * 60)


def may_try(request: HttpRequest | None, username: str) -> bool:
    """Count one try, before it is made: many at once get no further than one by one."""
    try:
        return TRIES.allows(throttle.count(_name(request, username), TRIES))
    except Exception:
        logger.warning("tries of passwords are not counted", exc_info=True)
        return True


def forget(request: HttpRequest | None, username: str) -> None:
    """The password was right."""
    try:
        throttle.refill(_name(request, username))
    except Exception:
        logger.warning("tries of passwords are not counted", exc_info=True)


def say_refused(request: HttpRequest | None, username: str, why: str) -> None:
    """A log line, for whoever watches who tries to get in. Escaped: strangers choose the name."""
    logger.warning("sign-in as %r from %s is refused: %s", username[:150], _address(request), why)


def _address(request: HttpRequest | None) -> str:
    facts = request.META if request is not None else {}
    return str(facts.get("weilink.client") or facts.get("REMOTE_ADDR", ""))


def _name(request: HttpRequest | None, username: str) -> str:
    """Of the person's bucket."""
    name = unicodedata.normalize("NFKC", username).casefold()
    counted = f"{_address(request)}|{name}".encode("utf-8", "replace")
    return "login:" + hashlib.sha256(counted).hexdigest()
