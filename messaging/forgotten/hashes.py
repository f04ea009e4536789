"""Keyed hashes of the ids of forgotten people and of their messages.

The key is random, made when somebody is forgotten for the first time, and never changes: with
another key the hashes could not be compared. It is kept in the database, encrypted with the
credential keys, so that it survives a new `SECRET_KEY`, goes along with a backup or a copy, and is
useless to who has the database alone. Decision 20 says why.
"""

import hmac
import logging
import secrets
from datetime import datetime
from functools import lru_cache

from messaging.models import ForgettingKey
from sessions_app.database.encryption import DecryptionError, decrypt, encrypt

logger = logging.getLogger(__name__)

ROW = 1


def key_in_use(now: datetime) -> bytes:
    """The key, made if there is none yet. Call it when somebody is forgotten.

    Raises DecryptionError if WEILINK_CREDENTIAL_KEYS no longer holds what it was encrypted with.
    """
    made = {"encrypted_key": encrypt(secrets.token_hex(32)), "last_at": now}
    row, is_new = ForgettingKey.objects.get_or_create(pk=ROW, defaults=made)
    if not is_new:
        ForgettingKey.objects.filter(pk=ROW).update(last_at=now)
    return decrypt(row.encrypted_key).encode()


@lru_cache(maxsize=8)
def opened(encrypted_key: str) -> bytes | None:
    """The key; None if it cannot be read, which is logged once."""
    try:
        return decrypt(encrypted_key).encode()
    except DecryptionError:
        logger.error(
            "the key of forgotten people cannot be read, so repeated messages of theirs are stored "
            "again; add the former key to WEILINK_CREDENTIAL_KEYS"
        )
        return None


def of_person(key: bytes, wechat_id: str) -> str:
    return _digest(key, f"person:{wechat_id}")


def of_message(key: bytes, session_id: int, dedupe_key: str) -> str:
    return _digest(key, f"message:{session_id}:{dedupe_key}")


def of_client_id(key: bytes, client_id: str) -> str:
    """Of a reply of ours, as its echo names it."""
    return _digest(key, f"client:{client_id}")


def _digest(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), "sha256").hex()
