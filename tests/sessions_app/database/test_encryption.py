"""Values at rest: one format now, the former one can be read, keys can be changed."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.database import encryption
from sessions_app.database.encryption import (
    DecryptionError,
    decrypt,
    decrypt_bytes,
    encrypt,
    encrypt_bytes,
)


@given(st.text())
def test_a_text_comes_back_as_it_was(text: str) -> None:
    if text.isascii() or text.encode("utf-8", "ignore").decode() == text:
        assert decrypt(encrypt(text)) == text


@given(st.binary())
def test_bytes_come_back_as_they_were(data: bytes) -> None:
    assert decrypt_bytes(memoryview(encrypt_bytes(data))) == data


def test_nothing_is_stored_in_the_clear_and_never_twice_in_the_same_way() -> None:
    assert "secret" not in encrypt("a secret")
    assert b"secret" not in encrypt_bytes(b"a secret")
    assert encrypt("one") != encrypt("one")


def test_what_an_earlier_version_encrypted_can_be_read(settings: Any) -> None:
    former = Fernet(settings.CREDENTIAL_KEYS[0])
    assert decrypt(former.encrypt(b"token").decode()) == "token"
    assert decrypt_bytes(former.encrypt(b"raw")) == b"raw"


def test_after_a_change_of_keys_old_values_are_read_and_new_ones_use_the_new_key(
    settings: Any,
) -> None:
    old, new = settings.CREDENTIAL_KEYS[0], Fernet.generate_key().decode()
    text, data = encrypt("token"), encrypt_bytes(b"raw")
    settings.CREDENTIAL_KEYS = [new, old]
    assert (decrypt(text), decrypt_bytes(data)) == ("token", b"raw")
    fresh = encrypt("token")
    settings.CREDENTIAL_KEYS = [new]
    assert decrypt(fresh) == "token"
    with pytest.raises(DecryptionError):
        decrypt(text)
    with pytest.raises(DecryptionError):
        decrypt_bytes(data)


def test_another_process_reads_it(monkeypatch: pytest.MonkeyPatch) -> None:
    written = encrypt("token")
    monkeypatch.setattr(encryption, "_SALT", b"another process.")
    assert decrypt(written) == "token"
    assert decrypt(encrypt("token")) == "token"


@pytest.mark.parametrize("broken", ["a1:", "a1:????", "a1:AAAA", "a1:é", "gAAAA", "words", "é"])
def test_what_is_no_value_of_ours_is_a_decryption_error(broken: str) -> None:
    with pytest.raises(DecryptionError):
        decrypt(broken)
    with pytest.raises(DecryptionError):
        decrypt_bytes(broken.encode())


def test_a_value_that_was_changed_is_refused() -> None:
    value = encrypt_bytes(b"raw message")
    for place in range(len(encryption.MARK), len(value), 7):
        changed = value[:place] + bytes([value[place] ^ 1]) + value[place + 1 :]
        with pytest.raises(DecryptionError):
            decrypt_bytes(changed)
