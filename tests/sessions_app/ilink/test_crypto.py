"""Keys in every encoding, files in every size, and what goes wrong."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app.ilink.crypto import (
    Decryptor,
    Encryptor,
    cipher_size,
    decode_key,
    decrypt,
    encrypt,
)
from sessions_app.ilink.errors import CryptoError

KEYS = st.binary(min_size=16, max_size=16)


@settings(max_examples=200, deadline=None)
@given(KEYS)
def test_every_encoding_of_a_key_is_read(key: bytes) -> None:
    encodings = [
        key.hex(),
        key.hex().upper(),
        base64.b64encode(key).decode(),
        base64.urlsafe_b64encode(key).decode(),
        base64.b64encode(key).decode().rstrip("="),
        base64.b64encode(key.hex().encode()).decode(),
        base64.urlsafe_b64encode(key.hex().upper().encode()).decode().rstrip("="),
        f" {base64.b64encode(key).decode()}\n",
    ]
    assert {decode_key(text) for text in encodings} == {key}


@pytest.mark.parametrize(
    "text", ["", "=", "abc", "zz" * 16, "aa" * 15, "aa" * 17, "钥匙" * 8, "\0" * 24, "!" * 24]
)
def test_other_keys_are_refused(text: str) -> None:
    with pytest.raises(CryptoError):
        decode_key(text)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), KEYS)
def test_what_was_encrypted_opens_again(data: bytes, key: bytes) -> None:
    encrypted = encrypt(data, key)
    assert len(encrypted) == cipher_size(len(data))
    assert decrypt(encrypted, key) == data


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=8), KEYS, st.integers(1, 37))
def test_pieces_of_any_size_give_the_same_bytes(
    chunks: list[bytes], key: bytes, width: int
) -> None:
    encryptor, decryptor = Encryptor(key), Decryptor(key)
    encrypted = b"".join(map(encryptor.update, chunks)) + encryptor.finalize()
    assert encrypted == encrypt(b"".join(chunks), key)
    pieces = [encrypted[at : at + width] for at in range(0, len(encrypted), width)]
    assert b"".join(map(decryptor.update, pieces)) + decryptor.finalize() == b"".join(chunks)


def test_a_known_vector_comes_out() -> None:
    # FIPS 197, appendix C.1: one block; the padding is a second one.
    key = bytes(range(16))
    plain = bytes.fromhex("00112233445566778899aabbccddeeff")
    assert encrypt(plain, key)[:16].hex() == "69c4e0d86a7b0430d8cdb78070b4c55a"


@pytest.mark.parametrize("encrypted", [b"", b"x" * 15, b"x" * 17])
def test_a_cut_ciphertext_is_said(encrypted: bytes) -> None:
    with pytest.raises(CryptoError):
        decrypt(encrypted, bytes(16))


def test_a_wrong_key_is_said() -> None:
    with pytest.raises(CryptoError):
        decrypt(encrypt(b"some bytes", bytes(16)), b"\1" * 16)


@pytest.mark.parametrize("size", [0, 15, 17, 24, 32])
def test_a_key_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(CryptoError):
        encrypt(b"", bytes(size))
