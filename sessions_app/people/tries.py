"""How often somebody may try a password: counts by name and address, in Django's cache.

It never says whether a name exists, and a cache that is away locks nobody out.
"""

import hashlib
import logging
import unicodedata

from django.core.cache import cache
from django.http import HttpRequest

logger = logging.getLogger(__name__)

MOST_FAILURES = 10
WINDOW_S = 15 * 60


def may_try(request: HttpRequest | None, username: str) -> bool:
    """Count one try, before it is made: many at once get no further than one by one."""
    key = _key(request, username)
    try:
        cache.add(key, 0, WINDOW_S)
        return cache.incr(key) <= MOST_FAILURES
    except ValueError:  # the quarter of an hour was over between the two
        return True
    except Exception:
        logger.warning("tries of passwords are not counted", exc_info=True)
        return True


def forget(request: HttpRequest | None, username: str) -> None:
    """The password was right."""
    try:
        cache.delete(_key(request, username))
    except Exception:
        logger.warning("tries of passwords are not counted", exc_info=True)


def say_refused(request: HttpRequest | None, username: str, why: str) -> None:
    """A log line, for whoever watches who tries to get in. Escaped: strangers choose the name."""
    logger.warning("sign-in as %r from %s is refused: %s", username[:150], _address(request), why)


def _address(request: HttpRequest | None) -> str:
    facts = request.META if request is not None else {}
    return str(facts.get("weilink.client") or facts.get("REMOTE_ADDR", ""))


def _key(request: HttpRequest | None, username: str) -> str:
    name = unicodedata.normalize("NFKC", username).casefold()
    counted = f"{_address(request)}|{name}".encode("utf-8", "replace")
    return "tries:" + hashlib.sha256(counted).hexdigest()
