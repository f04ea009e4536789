"""`manage.py rotate_keys`: afterwards the new key alone reads everything that is stored."""

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.apps import apps
from django.conf import settings as given_settings
from django.core.management import call_command
from django.db import models
from django.utils import timezone

from messaging.forgotten import hashes
from messaging.models import Attachment, Message, RawAnswer
from messaging.receiving import inbound
from messaging.receiving.recorder import spool_folder
from sessions_app.database import encryption
from sessions_app.database.encryption import (
    DecryptionError,
    decrypt,
    decrypt_bytes,
    encrypt,
    encrypt_bytes,
)
from sessions_app.folder.mirror import contexts
from sessions_app.folder.store import Tally
from sessions_app.models import Context, LoginAttempt, Session
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from weilink_site import key_rotation
from weilink_site.key_rotation import ENCRYPTED, Column

pytestmark = pytest.mark.django_db

SOURCES = Path(given_settings.BASE_DIR)
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
WRITERS = {
    "messaging/delivering/outgoing.py",  # Attachment.encrypted_upload
    "messaging/forgotten/hashes.py",  # ForgettingKey.encrypted_key
    "messaging/receiving/arrivals.py",  # Message.encrypted_raw, Attachment.encrypted_item
    "messaging/receiving/inbound.py",  # RawAnswer.encrypted_body
    "messaging/receiving/recorder.py",  # the spool
    "sessions_app/folder/mirror/contexts.py",  # Context.encrypted_token
    "sessions_app/login/attempts.py",  # LoginAttempt.encrypted_result
    "sessions_app/models/context.py",
    "sessions_app/models/session.py",
    "weilink_site/backup/encrypted.py",  # archives keep their key
    "weilink_site/backup/manifest.py",
}
"""Every file that encrypts. A new one needs a column in `ENCRYPTED`, or a reason here."""


@pytest.fixture
def stored(settings: Any, cast: Cast, tmp_path: Path) -> Session:
    """One value or more in each encrypted column, under the old key."""
    settings.CREDENTIAL_KEYS, settings.DATA_DIR = [OLD], tmp_path
    session = make_session("Shop A", team=cast.team)
    picture = text_message("look", context_token="a context token")
    picture["item_list"] = [{"type": 2, "image_item": {"media": {"encrypt_query_param": "x"}}}]
    receive(session, text_message("hello"), picture)
    Attachment.objects.update(encrypted_upload=encrypt('{"param": "p"}'))
    LoginAttempt.objects.create(
        team=cast.team, session_name="New", encrypted_result=encrypt("credentials")
    )
    hashes.key_in_use(timezone.now())
    inbound.keep_raw(session, b"an answer", reason="broken", at=timezone.now())
    return session


def _values() -> dict[str, list[str | bytes]]:
    """The plain values of every column."""
    found: dict[str, list[str | bytes]] = {}
    for column in key_rotation.columns():
        for batch in column.batches(100):
            for _pk, value in batch:
                plain = decrypt_bytes(value) if isinstance(value, bytes) else decrypt(value)
                found.setdefault(column.name, []).append(plain)
    return found


def _run(*arguments: str) -> tuple[str, int]:
    out, status = StringIO(), 0
    try:
        call_command("rotate_keys", *arguments, stdout=out)
    except SystemExit as ended:
        status = int(ended.code or 0)
    return out.getvalue(), status


def _older() -> dict[str, int]:
    return {one.name: one.older for one in key_rotation.count() if one.older}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_rotation, "PAUSE_S", 0.0)


def test_after_it_the_new_key_alone_reads_everything(stored: Session, settings: Any) -> None:
    before = _values()
    assert len(before) == len(ENCRYPTED)
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    said, status = _run()
    assert status == 0
    assert "The newest key reads everything." in said
    settings.CREDENTIAL_KEYS = [NEW]
    assert _values() == before
    stored.refresh_from_db()
    assert stored.token == "token of Shop A"
    assert "There is one key, and it reads everything." in _run("--check")[0]
    settings.CREDENTIAL_KEYS = [OLD]
    with pytest.raises(DecryptionError):
        _values()


def test_check_counts_and_changes_nothing(stored: Session, settings: Any) -> None:
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    before = _older()
    assert set(before) == {Column(apps.get_model(app, model), field).name
                           for app, model, field in ENCRYPTED}  # fmt: skip
    said, status = _run("--check")
    assert status == 1
    assert f"{sum(before.values())} values need an older key still." in said
    assert re.search(r"Message.encrypted_raw +2 +2 +0\n", said)
    assert _older() == before


def test_what_a_process_with_the_old_key_wrote_meanwhile_is_found_by_another_run(
    stored: Session, settings: Any
) -> None:
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    assert _run()[1] == 0
    settings.CREDENTIAL_KEYS = [OLD]
    receive(stored, text_message("late"))
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    assert _older()["Message.encrypted_raw"] == 1
    said, status = _run()
    assert status == 0
    assert "Message.encrypted_raw: 1 encrypted with the newest key" in said
    assert "Session.encrypted_token: 0 encrypted" in said


def test_a_run_that_was_stopped_goes_on_where_it_was(
    stored: Session, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    steps = 0

    def stop(_seconds: float) -> None:
        nonlocal steps
        steps += 1
        if steps == 4:
            raise KeyboardInterrupt

    before = sum(_older().values())
    with pytest.raises(KeyboardInterrupt):
        key_rotation.rotate(step_rows=1, pause=stop)
    assert sum(_older().values()) == before - 4
    assert key_rotation.rotate(step_rows=1, pause=lambda _s: None) == before - 4
    assert not _older()


def test_a_value_that_changes_meanwhile_is_not_overwritten(
    stored: Session, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A login may bring a new token between the look and the step."""
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    real = key_rotation._renew

    def bound_meanwhile(column: Column, keys: list[Any]) -> tuple[int, list[Any]]:
        if column.model is Session:
            Session.objects.update(encrypted_token=encrypt("a newer token"))
        return real(column, keys)

    monkeypatch.setattr(key_rotation, "_renew", bound_meanwhile)
    _run()
    stored.refresh_from_db()
    assert stored.token == "a newer token"


def test_a_value_that_no_key_reads_is_counted_and_left(stored: Session, settings: Any) -> None:
    kept = Context.objects.get().encrypted_token
    settings.CREDENTIAL_KEYS = [NEW]
    said, status = _run()
    assert status == 1
    assert "cannot be read with any key here" in said
    assert Context.objects.get().encrypted_token == kept


def test_values_of_the_former_format_are_renewed(stored: Session, settings: Any) -> None:
    former = Fernet(OLD)
    Session.objects.update(encrypted_token=former.encrypt(b"bot token").decode())
    Message.objects.update(encrypted_raw=former.encrypt(b"raw"))
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    _run()
    settings.CREDENTIAL_KEYS = [NEW]
    stored.refresh_from_db()
    assert stored.token == "bot token"
    assert {decrypt_bytes(one.encrypted_raw) for one in Message.objects.all()} == {b"raw"}


def test_waiting_answers_are_left_to_the_worker_and_those_set_aside_renewed(
    stored: Session, settings: Any, tmp_path: Path
) -> None:
    spool = spool_folder(tmp_path)
    spool.mkdir(parents=True)
    waiting, aside = spool / "1.answer", spool / "2.unreadable"
    for path in (waiting, aside):
        path.write_bytes(encrypt_bytes(b"an answer"))
    kept = waiting.read_bytes()
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    said, status = _run()
    assert status == 1
    assert re.search(r"spool +2 +1 +0\n", said)
    assert waiting.read_bytes() == kept
    assert aside.stat().st_mode & 0o777 == 0o600
    settings.CREDENTIAL_KEYS = [NEW]
    assert decrypt_bytes(aside.read_bytes()) == b"an answer"


def test_every_encrypted_column_is_in_the_list() -> None:
    found = {
        (model._meta.app_label, model.__name__, field.name)
        for app in ("sessions_app", "messaging")
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.concrete_fields
        if isinstance(field, models.TextField | models.BinaryField)
        and ("encrypted" in field.name or "sealed" in str(field.column))
    }
    assert found == set(ENCRYPTED)


def test_nothing_else_encrypts() -> None:
    calls = re.compile(r"(?<![\w.])encrypt(?:_bytes)?\(")
    found = {
        str(path.relative_to(SOURCES))
        for room in ("weilink_site", "sessions_app", "messaging")
        for path in (SOURCES / room).rglob("*.py")
        if "encryption import" in (text := path.read_text()) and calls.search(text)
    }
    assert found == WRITERS


def test_current_means_of_the_newest_key(settings: Any) -> None:
    settings.CREDENTIAL_KEYS = [OLD]
    text, data = encrypt("token"), encrypt_bytes(b"raw")
    assert encryption.is_current(text)
    assert encryption.is_current(data)
    assert encryption.is_current("")
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    for value in (text, data, "a1:??", b"a1:", "gAAAA"):
        assert not encryption.is_current(value)
    assert decrypt(encryption.renewed(text)) == "token"
    assert RawAnswer._meta.get_field("encrypted_body").column == "sealed_body"


def test_what_the_folder_was_told_is_noted_although_the_key_changed_meanwhile(
    stored: Session, settings: Any
) -> None:
    """Else the replies of this context token would be counted twice."""
    settings.CREDENTIAL_KEYS = [NEW, OLD]
    former = Context.objects.get()
    _run()
    tally = Tally("a context token", in_file=3)
    contexts.note_filed(former.pk, former.encrypted_token, tally)
    assert Context.objects.get().filed_count == 3
    row = Context.objects.get()
    row.token = "a newer one"
    row.save()
    contexts.note_filed(former.pk, former.encrypted_token, Tally("a context token", in_file=9))
    assert Context.objects.get().filed_count == 3
