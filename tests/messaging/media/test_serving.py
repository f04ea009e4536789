"""Who gets which bytes, and with which headers."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from messaging.media import storing
from messaging.models import Attachment, Message
from sessions_app.models import User
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.messaging.media import samples

pytestmark = pytest.mark.django_db

DATA = bytes(range(256)) * 40


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def into_storage(tmp_path: Path, data: bytes) -> str:
    path = tmp_path / "file"
    path.write_bytes(data)
    return storing.take_in(path)


@pytest.fixture
def stored(cast: Cast, tmp_path: Path) -> Attachment:
    """A file of 10,240 bytes that Li Na sent to Shop A."""
    receive(make_session("Shop A"), text_message("hello"))
    return Attachment.objects.create(
        message=Message.objects.get(), position=0, kind="file", state="stored",
        file_name="发票.bin", size=len(DATA), stored_name=into_storage(tmp_path, DATA),
        content_type="application/octet-stream", stored_bytes=len(DATA),
    )  # fmt: skip


def get(user: User, path: str, **headers: str) -> tuple[int, bytes, Any]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    answer: Any = as_(user).get(path, headers=names)
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return answer.status_code, body, answer


def test_only_those_who_may_see_the_conversation_get_its_files(
    cast: Cast, stored: Attachment, tmp_path: Path
) -> None:
    stored.thumb_name = stored.sound_name = into_storage(tmp_path, samples.picture())
    stored.save()
    for path in ("", "thumb/", "sound/"):
        url = f"/inbox/files/{stored.pk}/{path}"
        for user in (cast.administrator, cast.supervisor, cast.agent, cast.viewer):
            assert get(user, url)[0] == 200
        assert get(cast.agent_elsewhere, url)[0] == 404
        assert get(cast.operator, url)[0] == get(cast.outsider, url)[0] == 403
        assert Client().get(url).status_code == 302
    again = f"/inbox/files/{stored.pk}/fetch/"
    assert as_(cast.viewer).post(again).status_code == 403
    assert as_(cast.agent_elsewhere).post(again).status_code == 404


def test_an_unknown_file_is_a_harmless_download(cast: Cast, stored: Attachment) -> None:
    status, body, answer = get(cast.agent, f"/inbox/files/{stored.pk}/")
    assert (status, body) == (200, DATA)
    assert answer["Content-Disposition"].startswith("attachment; filename")
    assert "filename*=utf-8''%E5%8F%91%E7%A5%A8.bin" in answer["Content-Disposition"]
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("sandbox;")
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer["Cache-Control"] == "private, no-cache"
    assert answer["Content-Length"] == str(len(DATA))


@pytest.mark.parametrize(
    ("content_type", "thumb", "inline"),
    [
        ("image/png", "t", True),
        ("image/png", "", False),
        ("audio/mpeg", "", True),
        ("video/mp4", "", True),
        ("audio/x-silk", "", False),
        ("application/pdf", "", False),
        ("text/html", "", False),
        ("image/svg+xml", "t", False),
    ],
)
def test_only_what_browsers_are_trusted_with_is_shown(
    cast: Cast, stored: Attachment, content_type: str, thumb: str, inline: bool
) -> None:
    stored.content_type, stored.thumb_name = content_type, thumb
    stored.save()
    answer = get(cast.agent, f"/inbox/files/{stored.pk}/")[2]
    assert answer["Content-Disposition"].startswith("inline" if inline else "attachment")
    assert answer["Content-Type"] == (content_type if inline else "application/octet-stream")
    download = get(cast.agent, f"/inbox/files/{stored.pk}/?download")[2]
    assert download["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        ("bytes=0-99", 206, 0, 99),
        ("bytes=100-", 206, 100, 10_239),
        ("bytes=-40", 206, 10_200, 10_239),
        ("bytes=10000-99999", 206, 10_000, 10_239),
        ("bytes=0-0,5-6", 200, 0, 10_239),
        ("bytes=9-3", 200, 0, 10_239),
        ("rows=1-2", 200, 0, 10_239),
        ("bytes=-", 200, 0, 10_239),
    ],
)
def test_parts_are_served_as_asked(
    cast: Cast, stored: Attachment, asked: str, status: int, first: int, last: int
) -> None:
    found, body, answer = get(cast.agent, f"/inbox/files/{stored.pk}/", range=asked)
    assert (found, body) == (status, DATA[first : last + 1])
    assert answer["Accept-Ranges"] == "bytes"
    expected = f"bytes {first}-{last}/10240" if status == 206 else None
    assert answer.get("Content-Range") == expected


def test_beyond_the_end_there_is_nothing(cast: Cast, stored: Attachment) -> None:
    status, _body, answer = get(cast.agent, f"/inbox/files/{stored.pk}/", range="bytes=10240-")
    assert (status, answer["Content-Range"]) == (416, "bytes */10240")


def test_a_player_gets_an_open_range_in_pieces(
    cast: Cast, stored: Attachment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messaging.media.serving.OPEN_RANGE_BYTES", 100)
    body = get(cast.agent, f"/inbox/files/{stored.pk}/", range="bytes=0-")[1]
    assert body == DATA[:100]


def test_what_the_browser_has_is_only_asked_for(cast: Cast, stored: Attachment) -> None:
    url = f"/inbox/files/{stored.pk}/"
    etag = get(cast.agent, url)[2]["ETag"]
    status, body, answer = get(cast.agent, url, if_none_match=etag)
    assert (status, body, answer["Cache-Control"]) == (304, b"", "private, no-cache")
    assert get(cast.agent_elsewhere, url, if_none_match=etag)[0] == 404
    assert get(cast.agent, url, range="bytes=0-9", if_range=etag)[1] == DATA[:10]
    assert get(cast.agent, url, range="bytes=0-9", if_range='"old"')[1] == DATA


def test_a_head_tells_the_size_without_the_bytes(cast: Cast, stored: Attachment) -> None:
    answer = as_(cast.agent).head(f"/inbox/files/{stored.pk}/")
    assert (answer.status_code, answer["Content-Length"]) == (200, str(len(DATA)))


def test_bytes_that_are_gone_are_a_404(cast: Cast, stored: Attachment) -> None:
    storing.remove(stored.stored_names())
    assert get(cast.agent, f"/inbox/files/{stored.pk}/")[0] == 404


def test_what_failed_is_asked_for_once_more(cast: Cast, stored: Attachment) -> None:
    Attachment.objects.update(state="failed", error="gone", encrypted_item="x", tries=3)
    page = as_(cast.agent).get(f"/inbox/{stored.message.conversation_id}/").content.decode()
    assert "WeChat no longer provides it" in page
    assert f"/inbox/files/{stored.pk}/fetch/" in page
    assert (
        "fetch/"
        not in as_(cast.viewer).get(f"/inbox/{stored.message.conversation_id}/").content.decode()
    )
    assert as_(cast.agent).post(f"/inbox/files/{stored.pk}/fetch/").status_code == 302
    row = Attachment.objects.get()
    assert (row.state, row.error, row.tries) == ("remote", "", 0)
