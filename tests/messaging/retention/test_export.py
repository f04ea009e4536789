"""All that is kept about a person, as a zip: complete, without secrets, in little memory."""

import io
import json
import stat
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.test import Client

from messaging.composing import drafts
from messaging.models import Attachment, Contact, Conversation, Draft, Message, Upload
from messaging.replying import services
from messaging.retention import records
from messaging.retention.export import archive, write_archive
from messaging.retention.zip_stream import ZipStream, json_list
from sessions_app.models import Session
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply

pytestmark = pytest.mark.django_db

LINA = "lina@im.wechat"


@pytest.fixture
def shop(cast: Cast, settings: Any, tmp_path: Path) -> Session:
    settings.MEDIA_ROOT = tmp_path / "media"
    session = make_session("Shop A", team=cast.team)
    wire = text_message("hello 你好", context_token="SECRET-TOKEN")
    wire["item_list"].append({"type": 2, "image_item": {"media": {"aes_key": "SECRET-KEY"}}})
    receive(session, wire, text_message("of Bo", sender="bo@im.wechat"))
    receive(make_session("Shop B", team=cast.other_team), text_message("elsewhere"))
    here = Conversation.objects.get(contact__user_id=LINA, home_team=cast.team)
    name = default_storage.save("ab/picture", ContentFile(b"bytes of the picture"))
    Attachment.objects.update(
        stored_name=name, state="stored", stored_bytes=20, file_name="../../a b.png"
    )
    services.rename_contact(contact=here.contact, team_id=cast.team.pk, name="Li Na", user=None)
    drafts.save_draft(
        user=cast.agent, conversation=here, kind="reply", text="so far", key="d1", number=0
    )
    drafted = default_storage.save("ab/draft", ContentFile(b"drafted"))
    Upload.objects.create(
        owner=cast.agent, kind="file", file_name="1.pdf", stored_name=drafted,
        draft=Draft.objects.get(),
    )  # fmt: skip
    send_reply(user=cast.agent, conversation=here, text="a reply", draft_key="1")
    return session


def _unzipped(pieces: Iterator[bytes]) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


def test_everything_is_in_it_and_nothing_of_others(shop: Session) -> None:
    found = _unzipped(archive(LINA))
    person = json.loads(found["person.json"])
    assert person["wechat_id"] == LINA
    assert person["teams"] == [{"team": "Everyone", "name": "Li Na", "note": ""}]
    assert [one["account"] for one in person["accounts_written_to"]] == ["Shop A", "Shop B"]
    there = json.loads(found["conversations.json"])
    assert [one["team"] for one in there] == ["Everyone", "Other team"]
    assert there[0]["drafts"][0]["text"] == "so far"
    said = json.loads(found["messages.json"])
    assert [one["text"] for one in said] == ["hello 你好", "elsewhere", "a reply"]
    [picture] = said[0]["files"]
    assert found[picture["file"]] == b"bytes of the picture"
    assert found[there[0]["drafts"][0]["files"][0]["file"]] == b"drafted"
    assert said[0]["raw"]["from_user_id"] == LINA
    assert b"bo@im.wechat" not in b"".join(found.values())


def test_no_secret_is_in_it(shop: Session) -> None:
    everything = b"".join(_unzipped(archive(LINA)).values())
    assert b"SECRET" not in everything
    assert records.LEFT_OUT.encode() in everything


def test_names_in_the_archive_lead_nowhere(shop: Session) -> None:
    for name in _unzipped(archive(LINA)):
        assert ".." not in name.split("/")
        assert not name.startswith("/")


def test_unreadable_raw_answers_and_missing_files_stop_nothing(shop: Session) -> None:
    Message.objects.update(encrypted_raw=b"a1:" + b"x" * 80)
    default_storage.delete("ab/picture")
    found = _unzipped(archive(LINA))
    assert [one["raw"] for one in json.loads(found["messages.json"])] == [None, None, None]


def test_an_empty_list_is_a_list() -> None:
    assert json.loads(b"".join(json_list([]))) == []
    assert json.loads(b"".join(json_list([1, 2]))) == [1, 2]


def test_a_large_file_is_never_in_memory() -> None:
    size, pieces = 64 * 1024 * 1024, 0

    class Zeros(io.RawIOBase):
        left = size

        def read(self, count: int = -1) -> bytes:
            given = min(count, self.left)
            self.left -= given
            return bytes(given)

    to = ZipStream()
    tracemalloc.start()
    for piece in to.add_file("large", Zeros()):
        pieces += len(piece)
    pieces += sum(map(len, to.end()))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert pieces > size
    assert most < 4 * 1024 * 1024


# The command


def test_the_command_writes_a_file_that_only_its_owner_reads(
    shop: Session, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "lina.zip"
    call_command("export", str(path), person=LINA)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "messages.json" in zipfile.ZipFile(path).namelist()
    with pytest.raises(SystemExit):
        call_command("export", str(path), person=LINA)
    with pytest.raises(SystemExit):
        call_command("export", str(tmp_path / "nobody.zip"), person="nobody@im.wechat")
    assert not (tmp_path / "nobody.zip").exists()
    assert "exists already" in capsys.readouterr().err


def test_after_a_failure_no_file_is_there(
    shop: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_wechat_id: str) -> Iterator[Any]:
        raise OSError("disk")
        yield

    monkeypatch.setattr(records, "messages", broken)
    with pytest.raises(OSError, match="disk"):
        write_archive(LINA, tmp_path / "lina.zip")
    assert list(tmp_path.glob("*.zip")) == []


def test_the_command_to_forget_asks_twice(
    shop: Session, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter(["yes", "bo@im.wechat", "yes", LINA])
    monkeypatch.setattr("builtins.input", lambda _words: next(answers))
    with pytest.raises(SystemExit):
        call_command("forget", LINA)
    assert Contact.objects.filter(user_id=LINA).exists()
    call_command("forget", LINA)
    assert not Contact.objects.filter(user_id=LINA).exists()
    said = capsys.readouterr().out
    assert "3 messages in 2 conversations" in said
    assert "Backups" in said
    with pytest.raises(SystemExit):
        call_command("forget", LINA, "--yes")


# The pages


def _as(user: Any) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def conversation(shop: Session, cast: Cast) -> Conversation:
    return Conversation.objects.get(contact__user_id=LINA, home_team=cast.team)


@pytest.mark.parametrize("page", ["export", "forget"])
def test_only_administrators_come_in(conversation: Conversation, cast: Cast, page: str) -> None:
    for name in ("operator", "supervisor", "agent", "agent_elsewhere", "viewer", "outsider"):
        client = _as(getattr(cast, name))
        assert client.get(f"/inbox/{conversation.pk}/{page}/").status_code == 403, name
        posted = client.post(f"/inbox/{conversation.pk}/{page}/", {"sure": "2"})
        assert posted.status_code in {403, 405}, name
    assert Contact.objects.filter(user_id=LINA).exists()


def test_administrators_see_both_links_and_agents_none(
    conversation: Conversation, cast: Cast
) -> None:
    place = f"/inbox/{conversation.pk}/"
    page = _as(cast.administrator).get(place).content.decode()
    assert f"{place}forget/" in page
    assert f"{place}export/" in page
    page = _as(cast.agent).get(place).content.decode()
    assert f"{place}forget/" not in page
    assert f"{place}export/" not in page


def test_the_download_is_the_archive_and_is_kept_nowhere(
    conversation: Conversation, cast: Cast
) -> None:
    answer = _as(cast.administrator).get(f"/inbox/{conversation.pk}/export/")
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Type"] == "application/zip"
    assert "attachment" in answer["Content-Disposition"]
    found = _unzipped(iter(answer.streaming_content))  # type: ignore[attr-defined]
    assert "messages.json" in found


def test_the_page_asks_twice_then_forgets(conversation: Conversation, cast: Cast) -> None:
    client, place = _as(cast.administrator), f"/inbox/{conversation.pk}/forget/"
    first = client.get(place).content.decode()
    assert "3 messages" in first
    assert "Everyone, Other team" in first
    assert 'name="sure" value="1"' in first
    second = client.post(place, {"sure": "1"}).content.decode()
    assert 'name="sure" value="2"' in second
    assert "Backups" in second
    assert Contact.objects.filter(user_id=LINA).exists()
    done = client.post(place, {"sure": "2"}, follow=True)
    assert done.redirect_chain == [("/inbox/", 302)]
    assert "The person is forgotten." in done.content.decode()
    assert not Contact.objects.filter(user_id=LINA).exists()
    assert client.get(place).status_code == 404


def test_a_reply_on_its_way_is_waited_for(conversation: Conversation, cast: Cast) -> None:
    Message.objects.filter(text="a reply").update(status="sending")
    answer = _as(cast.administrator).post(f"/inbox/{conversation.pk}/forget/", {"sure": "2"})
    assert answer.status_code == 422
    assert "being sent" in answer.content.decode()
    assert Contact.objects.filter(user_id=LINA).exists()


def test_htmx_is_sent_to_the_inbox(conversation: Conversation, cast: Cast) -> None:
    answer = _as(cast.administrator).post(
        f"/inbox/{conversation.pk}/forget/", {"sure": "2"}, headers={"hx-request": "true"}
    )
    assert answer["HX-Redirect"] == "/inbox/"
