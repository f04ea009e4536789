"""AES for the CDN, written from the protocol paper and independently of the client.

AES-128-ECB with PKCS#7 padding. Never use it for anything but WeChat's media.
"""

from __future__ import annotations

import base64
import binascii
import hashlib

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK_BYTES = 16


def ciphertext_size(rawsize: int) -> int:
    return (rawsize // BLOCK_BYTES + 1) * BLOCK_BYTES


def encrypt(plain: bytes, key: bytes) -> bytes:
    padder = padding.PKCS7(128).padder()
    worker = Cipher(algorithms.AES128(key), modes.ECB()).encryptor()  # noqa: S305 WeChat's choice
    return worker.update(padder.update(plain) + padder.finalize()) + worker.finalize()


def decrypt(encrypted: bytes, key: bytes) -> bytes:
    """The plaintext. Raises ValueError if the length or the padding is wrong."""
    worker = Cipher(algorithms.AES128(key), modes.ECB()).decryptor()  # noqa: S305 WeChat's choice
    padded = worker.update(encrypted) + worker.finalize()
    remover = padding.PKCS7(128).unpadder()
    return remover.update(padded) + remover.finalize()


def md5_hex(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def encode_key(key: bytes, encoding: str) -> str:
    """One of the three encodings seen on the wire: hex, base64_raw, base64_hex."""
    if encoding == "hex":
        return key.hex()
    if encoding == "base64_raw":
        return base64.b64encode(key).decode()
    return base64.b64encode(key.hex().encode()).decode()


def decode_sent_key(value: object) -> bytes | None:
    """The key of a bot's message. None if it is not base64 of the hex string, as it must be."""
    try:
        return bytes.fromhex(base64.b64decode(str(value), validate=True).decode("ascii"))
    except (binascii.Error, ValueError):
        return None
