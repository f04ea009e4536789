"""Tokens at rest: Fernet-encrypted text columns, readable only with the credential keys.

What cannot be decrypted is said (`DecryptionError`), never overwritten by itself.
"""

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class DecryptionError(Exception):
    """The stored token was encrypted with a key that WEILINK_CREDENTIAL_KEYS does not hold."""


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(text: str) -> str:
    """Encrypt with the newest key; the empty string stays empty."""
    if not text:
        return ""
    return _box(tuple(settings.CREDENTIAL_KEYS)).encrypt(text.encode()).decode("ascii")


def encrypt_bytes(data: bytes) -> bytes:
    return _box(tuple(settings.CREDENTIAL_KEYS)).encrypt(data)


def decrypt_bytes(encrypted: bytes | memoryview) -> bytes:
    """Decrypt with any of the keys. Raises DecryptionError."""
    try:
        return _box(tuple(settings.CREDENTIAL_KEYS)).decrypt(bytes(encrypted))
    except InvalidToken as error:
        raise DecryptionError("WEILINK_CREDENTIAL_KEYS does not hold these bytes' key") from error


def decrypt(encrypted: str) -> str:
    """Decrypt with any of the keys. Raises DecryptionError."""
    if not encrypted:
        return ""
    try:
        return _box(tuple(settings.CREDENTIAL_KEYS)).decrypt(encrypted.encode()).decode()
    except InvalidToken as error:
        raise DecryptionError("WEILINK_CREDENTIAL_KEYS does not hold this token's key") from error


def is_readable(encrypted: str) -> bool:
    """Whether one of our keys opens it."""
    try:
        decrypt(encrypted)
    except DecryptionError:
        return False
    return True
