"""What comes from the CDN is opened by what its message says of it; no network, no disk."""

import hashlib
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessions_app.ilink.crypto import encrypt
from sessions_app.ilink.errors import CryptoError
from sessions_app.ilink.opening import Opened, Told, decrypt_file, looks_like
from sessions_app.ilink.wire import ItemKind, Media

KEY, OTHER = bytes(range(16)), b"o" * 16
JPEG = b"\xff\xd8\xff\xe0" + bytes(1_000)


def media(first: str, second: str = "") -> Media:
    return Media("p", first, "", 1, second)


def opened(body: bytes, where: Media, told: Told, *, takes_cut: bool = False) -> bytes:
    target = io.BytesIO(b"what lay there before, longer than all that comes" * 99)
    result = decrypt_file(io.BytesIO(body), target, media=where, told=told, takes_cut=takes_cut)
    plain = target.getvalue()
    md5 = hashlib.md5(plain, usedforsecurity=False).hexdigest()
    assert (result.size, result.md5) == (len(plain), md5)
    return plain


def told_of(data: bytes, kind: ItemKind = ItemKind.FILE) -> Told:
    return Told(kind, hashlib.md5(data, usedforsecurity=False).hexdigest(), len(data))


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=600), st.booleans(), st.booleans())
def test_a_file_comes_out_whichever_key_is_right(data: bytes, first: bool, plain: bool) -> None:
    keys = (KEY.hex(), OTHER.hex()) if first else (OTHER.hex(), KEY.hex())
    body = data if plain else encrypt(data, KEY)
    assert opened(body, media(*keys), told_of(data)) == data


def test_one_wrong_key_in_256_passes_the_padding_and_is_told_apart() -> None:
    """Where the message names md5 and length, an accident is no file."""
    data, accidents = b"the true file, of more than a block", 0
    for number in range(3_000):
        wrong = hashlib.sha256(str(number).encode()).digest()[:16]
        with pytest.raises(CryptoError):
            opened(encrypt(data, KEY), media(wrong.hex()), told_of(data))
        try:
            opened(encrypt(data, KEY), media(wrong.hex()), Told(ItemKind.FILE))
            accidents += 1
        except CryptoError:
            pass
    assert accidents > 3


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (ItemKind.IMAGE, JPEG),
        (ItemKind.IMAGE, b"\x89PNG\r\n\x1a\n" + bytes(99)),
        (ItemKind.IMAGE, b"RIFF\x10\0\0\0WEBPVP8 " + bytes(99)),
        (ItemKind.IMAGE, b"BM\x10\x10\0\0\0\0\0\0" + bytes(99)),
        (ItemKind.VOICE, b"\x02#!SILK_V3" + bytes(99)),
        (ItemKind.VOICE, b"#!AMR\n" + bytes(99)),
        (ItemKind.VIDEO, b"\0\0\0\x18ftypisom" + bytes(99)),
        (ItemKind.FILE, b"%PDF-1.7" + bytes(99)),
    ],
)
def test_a_body_of_the_kind_announced_is_kept_as_it_is(kind: ItemKind, body: bytes) -> None:
    assert looks_like(kind, body[:64])
    for key in (KEY.hex(), "no key at all"):
        assert opened(body, media(key), Told(kind)) == body
    for other in set(ItemKind) - {kind, ItemKind.FILE, ItemKind.VOICE, ItemKind.VIDEO}:
        assert not looks_like(other, body[:64])


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"ret": -1}', bytes(64), bytes(63)])
def test_anything_else_is_no_file(body: bytes) -> None:
    for told in (Told(ItemKind.IMAGE), Told(ItemKind.VOICE), told_of(b"another")):
        with pytest.raises(CryptoError):
            opened(body, media(KEY.hex()), told)


def test_what_is_cut_is_taken_only_when_it_is_asked_for() -> None:
    body = encrypt(JPEG, KEY)
    for at in (32, 500, len(body) - 1, len(body) - 16):
        with pytest.raises(CryptoError):
            opened(body[:at], media(KEY.hex()), Told(ItemKind.IMAGE))
        plain = opened(body[:at], media(KEY.hex()), Told(ItemKind.IMAGE), takes_cut=True)
        assert JPEG.startswith(plain[: len(JPEG)])
    with pytest.raises(CryptoError):
        opened(body[:500], media(OTHER.hex()), Told(ItemKind.IMAGE), takes_cut=True)


def test_without_a_key_it_is_plain_already() -> None:
    assert opened(b"anything", media(""), Told(ItemKind.FILE)) == b"anything"
    assert Opened(1, "x").is_cut is False
