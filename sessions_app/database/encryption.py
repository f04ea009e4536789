"""Encrypts tokens at rest with Fernet, so that only the credential keys can read them.

What cannot be decrypted raises DecryptionError; it is never overwritten automatically.
"""

from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class DecryptionError(Exception):
    """The stored token was encrypted with a key that is not in WEILINK_CREDENTIAL_KEYS."""


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def encrypt(text: str) -> str:
    """Encrypt with the newest key. The empty string stays empty."""
    if not text:
        return ""
    return _fernet(tuple(settings.CREDENTIAL_KEYS)).encrypt(text.encode()).decode("ascii")


def encrypt_bytes(data: bytes) -> bytes:
    return _fernet(tuple(settings.CREDENTIAL_KEYS)).encrypt(data)


def decrypt_bytes(encrypted: bytes | memoryview) -> bytes:
    """Decrypt with any of the keys. Raises DecryptionError."""
    try:
        return _fernet(tuple(settings.CREDENTIAL_KEYS)).decrypt(bytes(encrypted))
    except InvalidToken as error:
        raise DecryptionError("WEILINK_CREDENTIAL_KEYS does not hold these bytes' key") from error


def decrypt(encrypted: str) -> str:
    """Decrypt with any of the keys. Raises DecryptionError."""
    if not encrypted:
        return ""
    try:
        return _fernet(tuple(settings.CREDENTIAL_KEYS)).decrypt(encrypted.encode()).decode()
    except InvalidToken as error:
        raise DecryptionError("WEILINK_CREDENTIAL_KEYS does not hold this token's key") from error


def is_readable(encrypted: str) -> bool:
    """Whether one of our keys can decrypt it."""
    try:
        decrypt(encrypted)
    except DecryptionError:
        return False
    return True
