"""Encrypts and decrypts files on WeChat's CDN: AES-128-ECB with PKCS#7 padding.

WeChat chose the cipher. Never use it for anything of our own.
"""

import base64
import binascii
import re
from typing import Protocol

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from .errors import CryptoError

BLOCK_BYTES = 16
KEY_BYTES = 16

_HEX_KEY = re.compile(r"[0-9A-Fa-f]{32}", re.ASCII)
_HEX_KEY_BYTES = re.compile(rb"[0-9A-Fa-f]{32}")
_URLSAFE = str.maketrans("-_", "+/")


class _Stage(Protocol):
    """The common interface of ciphers and paddings in `cryptography`."""

    def update(self, data: bytes) -> bytes: ...
    def finalize(self) -> bytes: ...


def cipher_size(raw: int) -> int:
    """The ciphertext's size for `raw` bytes of plaintext. Padding adds 1 to 16 bytes."""
    return (raw // BLOCK_BYTES + 1) * BLOCK_BYTES


def decode_key(text: str) -> bytes:
    """Decode the 16 key bytes from any encoding seen on the wire. Raises CryptoError for others.

    Seen: 32 hex characters; base64 of 16 raw bytes; base64 of the 32 hex characters. The urlsafe
    alphabet and missing padding are tolerated.
    """
    compact = "".join(text.split())
    if _HEX_KEY.fullmatch(compact):
        return bytes.fromhex(compact)
    standard = compact.translate(_URLSAFE).rstrip("=")
    try:
        decoded = base64.b64decode(standard + "=" * (-len(standard) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise CryptoError("The file's key has an unknown encoding.") from None
    if len(decoded) == KEY_BYTES:
        return decoded
    if _HEX_KEY_BYTES.fullmatch(decoded):
        return bytes.fromhex(decoded.decode("ascii"))
    raise CryptoError("The file's key does not have 16 bytes.")


class Encryptor:
    """Encrypts a stream in constant memory. `finalize` returns the last block."""

    def __init__(self, key: bytes) -> None:
        self._padder: _Stage = PKCS7(BLOCK_BYTES * 8).padder()
        self._cipher: _Stage = _ecb(key).encryptor()

    def update(self, chunk: bytes) -> bytes:
        return self._cipher.update(self._padder.update(chunk))

    def finalize(self) -> bytes:
        return self._cipher.update(self._padder.finalize()) + self._cipher.finalize()


class Decryptor:
    """Decrypts a stream in constant memory.

    Only `finalize` can tell whether the key was right: it raises CryptoError for bad padding and
    for a truncated or empty ciphertext.
    """

    def __init__(self, key: bytes) -> None:
        self._cipher: _Stage = _ecb(key).decryptor()
        self._unpadder: _Stage = PKCS7(BLOCK_BYTES * 8).unpadder()

    def update(self, chunk: bytes) -> bytes:
        return self._unpadder.update(self._cipher.update(chunk))

    def finalize(self) -> bytes:
        try:
            rest = self._unpadder.update(self._cipher.finalize())
        except ValueError:
            raise CryptoError("The encrypted file was truncated.") from None
        try:
            return rest + self._unpadder.finalize()
        except ValueError:
            raise CryptoError("The file does not open with its key.") from None


def encrypt(data: bytes, key: bytes) -> bytes:
    """Encrypt `data`. The result has `cipher_size(len(data))` bytes."""
    encryptor = Encryptor(key)
    return encryptor.update(data) + encryptor.finalize()


def decrypt(data: bytes, key: bytes) -> bytes:
    """Decrypt `data`. Raises CryptoError for a wrong key or a truncated ciphertext."""
    decryptor = Decryptor(key)
    return decryptor.update(data) + decryptor.finalize()


def _ecb(key: bytes) -> Cipher[modes.ECB]:
    if len(key) != KEY_BYTES:
        raise CryptoError("The file's key does not have 16 bytes.")
    return Cipher(algorithms.AES(key), modes.ECB())  # noqa: S305 - the protocol's cipher
