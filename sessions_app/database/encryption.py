"""Encrypts values at rest with AES-GCM, so that only the credential keys can read them.

Values of earlier versions were encrypted with Fernet and can still be read. What cannot be
decrypted raises DecryptionError; it is never overwritten automatically.

A value is `MARK`, the salt, the nonce and the ciphertext. Each process encrypts with a key of its
own, derived from the newest credential key and the process's random salt, so that random nonces
suffice for any number of values.
"""

import base64
import os
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

MARK = b"a1:"
"""What values of this format begin with. Those of Fernet begin with `gAAAA`."""
_TEXT_MARK = MARK.decode("ascii")
_SALT_BYTES, _NONCE_BYTES = 16, 12
_SALT = os.urandom(_SALT_BYTES)
Value = TypeVar("Value", str, bytes)


class DecryptionError(Exception):
    """The stored value was encrypted with a key that is not in WEILINK_CREDENTIAL_KEYS."""


def encrypt(text: str) -> str:
    """Encrypt with the newest key. The empty string stays empty."""
    if not text:
        return ""
    return _TEXT_MARK + base64.urlsafe_b64encode(_encrypted(text.encode())).decode("ascii")


def encrypt_bytes(data: bytes) -> bytes:
    """Encrypt with the newest key."""
    return MARK + _encrypted(data)


def decrypt(encrypted: str) -> str:
    """Decrypt with any of the keys. Raises DecryptionError."""
    if not encrypted:
        return ""
    try:
        if encrypted.startswith(_TEXT_MARK):
            value = base64.urlsafe_b64decode(encrypted[len(_TEXT_MARK) :])
            return _decrypted(value, settings.CREDENTIAL_KEYS).decode()
        return _fernet(tuple(settings.CREDENTIAL_KEYS)).decrypt(encrypted.encode()).decode()
    except (InvalidToken, InvalidTag, ValueError) as error:
        raise DecryptionError("WEILINK_CREDENTIAL_KEYS does not hold this token's key") from error


def decrypt_bytes(encrypted: bytes | memoryview) -> bytes:
    """Decrypt with any of the keys. Raises DecryptionError."""
    encrypted = bytes(encrypted)
    try:
        if encrypted.startswith(MARK):
            return _decrypted(encrypted[len(MARK) :], settings.CREDENTIAL_KEYS)
        return _fernet(tuple(settings.CREDENTIAL_KEYS)).decrypt(encrypted)
    except (InvalidToken, InvalidTag) as error:
        raise DecryptionError("WEILINK_CREDENTIAL_KEYS does not hold these bytes' key") from error


def is_readable(encrypted: str) -> bool:
    """Whether one of our keys can decrypt it."""
    try:
        decrypt(encrypted)
    except DecryptionError:
        return False
    return True


def is_current(encrypted: str | bytes) -> bool:
    """Whether the newest key alone decrypts it, in the present format. What is empty is current."""
    if not encrypted:
        return True
    try:
        if isinstance(encrypted, bytes):
            return encrypted.startswith(MARK) and _is_of_newest_key(encrypted[len(MARK) :])
        if not encrypted.startswith(_TEXT_MARK):
            return False
        return _is_of_newest_key(base64.urlsafe_b64decode(encrypted[len(_TEXT_MARK) :]))
    except ValueError:
        return False


def renewed(encrypted: Value) -> Value:
    """The same value, encrypted with the newest key. Raises DecryptionError."""
    if isinstance(encrypted, bytes):
        return encrypt_bytes(decrypt_bytes(encrypted))
    return encrypt(decrypt(encrypted))


def _is_of_newest_key(value: bytes) -> bool:
    try:
        _decrypted(value, settings.CREDENTIAL_KEYS[:1])
    except InvalidTag:
        return False
    return True


def _encrypted(data: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return _SALT + nonce + _cipher(settings.CREDENTIAL_KEYS[0], _SALT).encrypt(nonce, data, None)


def _decrypted(value: bytes, keys: Sequence[str]) -> bytes:
    """Raises InvalidTag."""
    salt, nonce = value[:_SALT_BYTES], value[_SALT_BYTES : _SALT_BYTES + _NONCE_BYTES]
    if len(nonce) < _NONCE_BYTES:
        raise InvalidTag
    for key in keys:
        try:
            return _cipher(key, salt).decrypt(nonce, value[_SALT_BYTES + _NONCE_BYTES :], None)
        except InvalidTag:
            continue
    raise InvalidTag


@lru_cache(maxsize=1_000)
def _cipher(credential_key: str, salt: bytes) -> AESGCM:
    """The cipher of one process: that of `salt`."""
    derive = HKDF(algorithm=SHA256(), length=32, salt=salt, info=b"weilink-console values a1")
    return AESGCM(derive.derive(base64.urlsafe_b64decode(credential_key)))


@lru_cache(maxsize=4)
def _fernet(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])
