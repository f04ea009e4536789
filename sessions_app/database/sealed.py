"""Tokens at rest: Fernet-encrypted text columns, readable only with the credential keys.

What cannot be decrypted is said (`SealedError`), never overwritten by itself.
"""

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SealedError(Exception):
    """The stored token was sealed with a key that WEILINK_CREDENTIAL_KEYS does not hold."""


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def seal(text: str) -> str:
    """Encrypt with the newest key; the empty string stays empty."""
    if not text:
        return ""
    return _box(tuple(settings.CREDENTIAL_KEYS)).encrypt(text.encode()).decode("ascii")


def seal_bytes(data: bytes) -> bytes:
    return _box(tuple(settings.CREDENTIAL_KEYS)).encrypt(data)


def unseal_bytes(sealed: bytes | memoryview) -> bytes:
    """Decrypt with any of the keys. Raises SealedError."""
    try:
        return _box(tuple(settings.CREDENTIAL_KEYS)).decrypt(bytes(sealed))
    except InvalidToken as error:
        raise SealedError("WEILINK_CREDENTIAL_KEYS does not hold these bytes' key") from error


def unseal(sealed: str) -> str:
    """Decrypt with any of the keys. Raises SealedError."""
    if not sealed:
        return ""
    try:
        return _box(tuple(settings.CREDENTIAL_KEYS)).decrypt(sealed.encode()).decode()
    except InvalidToken as error:
        raise SealedError("WEILINK_CREDENTIAL_KEYS does not hold this token's key") from error


def is_readable(sealed: str) -> bool:
    """Whether one of our keys opens it."""
    try:
        unseal(sealed)
    except SealedError:
        return False
    return True
