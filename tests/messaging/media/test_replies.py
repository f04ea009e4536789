"""A reply with files: checked before it is queued, all or nothing, once per draft."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from messaging.conversations.errors import FileProblem
from messaging.media.limits import MEGABYTE, limits
from messaging.models import Attachment, Conversation, Message, Upload
from messaging.transfers import uploads
from sessions_app.models import Context, User
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.messaging.media import samples

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def conversation(cast: Cast) -> Conversation:
    receive(make_session("Shop A"), text_message("hello"))
    return Conversation.objects.get()


def bring(owner: User, content: bytes = b"hello", name: str = "a.txt") -> str:
    return uploads.bring_pieces(owner=owner, pieces=[content], file_name=name).pk


def reply(
    user: User, conversation: Conversation, *ids: str, text: str = "", key: str = "k1"
) -> int:
    values = {"text": text, "draft_key": key, "upload": list(ids)}
    answer = as_(user).post(f"/inbox/{conversation.pk}/reply/", values, headers=HTMX)
    return answer.status_code


def test_text_and_files_are_messages_of_their_own_in_order(
    cast: Cast, conversation: Conversation
) -> None:
    ids = [bring(cast.agent, samples.picture(), "p.png"), bring(cast.agent)]
    assert reply(cast.agent, conversation, *ids, text="look") == 200
    rows = list(Message.objects.filter(direction="out"))
    assert [(one.kind, one.text) for one in rows] == [("text", "look"), ("image", ""), ("file", "")]
    picture, file = Attachment.objects.order_by("message")
    assert (picture.width, picture.content_type, picture.state) == (64, "image/png", "stored")
    assert (file.file_name, file.size) == ("a.txt", 5)
    assert Context.objects.get().replies_used == 3
    conversation.refresh_from_db()
    assert (conversation.last_kind, conversation.last_text) == ("file", "a.txt")
    assert not Upload.objects.exists()


def test_the_same_draft_again_is_the_same_messages(cast: Cast, conversation: Conversation) -> None:
    ids = [bring(cast.agent), bring(cast.agent)]
    for _ in range(2):
        assert reply(cast.agent, conversation, *ids, text="look") == 200
    assert Message.objects.filter(direction="out").count() == 3
    assert reply(cast.agent, conversation, *ids, text="another") == 422
    assert reply(cast.agent, conversation, ids[0], text="look") == 422


def test_what_is_wrong_with_a_file_queues_nothing(cast: Cast, conversation: Conversation) -> None:
    mine, others = bring(cast.agent), bring(cast.supervisor)
    assert reply(cast.agent, conversation, mine, others) == 422
    assert reply(cast.agent, conversation, "0" * 32) == 422
    assert reply(cast.agent, conversation, *([mine] * 10)) == 422
    assert not Message.objects.filter(direction="out").exists()
    assert Upload.objects.filter(pk=mine).exists()
    assert Context.objects.get().replies_used == 0


def test_what_it_costs_is_checked_before(cast: Cast, conversation: Conversation) -> None:
    Context.objects.update(replies_used=8)
    ids = [bring(cast.agent) for _ in range(3)]
    assert reply(cast.agent, conversation, *ids) == 422
    assert not Message.objects.filter(direction="out").exists()
    assert reply(cast.agent, conversation, *ids[:2]) == 200


def test_files_come_one_by_one_and_tell_what_they_are(cast: Cast, settings: Any) -> None:
    client = as_(cast.agent)

    def post(content: bytes, name: str) -> tuple[int, dict[str, object]]:
        values = {"name": name, "file": SimpleUploadedFile("file", content)}
        answer = client.post("/inbox/uploads/", values)
        return answer.status_code, answer.json()

    status, answer = post(samples.picture(), "%E5%8F%91%0A%22%E7%A5%A8.png")
    assert (status, answer["kind"]) == (201, "image")
    assert Upload.objects.get().file_name == '发\n"票.png'
    thumb: Any = client.get(str(answer["thumb"]))
    assert b"".join(thumb.streaming_content)[8:12] == b"WEBP"
    assert as_(cast.supervisor).get(str(answer["thumb"])).status_code == 404
    assert as_(cast.viewer).post("/inbox/uploads/").status_code == 403
    assert "Audio is sent as a file" in str(post(samples.VOICE, "v.silk")[1]["note"])
    status, answer = post(b"", "empty.txt")
    assert (status, answer["error"]) == (422, "This file is empty.")
    settings.MEDIA_LIMITS = {"most_reply_file_bytes": 3}
    assert post(b"four", "large.txt")[0] == 422


def test_without_javascript_the_files_come_with_the_form(
    cast: Cast, conversation: Conversation
) -> None:
    values = {"text": "", "draft_key": "k", "files": SimpleUploadedFile("a.txt", b"hello")}
    answer = as_(cast.agent).post(f"/inbox/{conversation.pk}/reply/", values)
    assert answer.status_code == 302
    assert Attachment.objects.get().file_name == "a.txt"
    page = as_(cast.agent).get(f"/inbox/{conversation.pk}/").content.decode()
    assert 'enctype="multipart/form-data"' in page
    assert "a.txt" in page


def test_what_one_person_never_sends_has_an_end(cast: Cast, settings: Any) -> None:
    settings.MEDIA_LIMITS = {"most_waiting_bytes": 9}
    for _ in range(2):
        bring(cast.agent)
    with pytest.raises(FileProblem) as refused:
        bring(cast.agent)
    assert refused.value.code == "too_many_waiting"
    bring(cast.supervisor)


def test_undo_brings_all_files_of_the_reply_back(cast: Cast, conversation: Conversation) -> None:
    ids = [bring(cast.agent, samples.picture(), "p.png"), bring(cast.agent)]
    assert reply(cast.agent, conversation, *ids, text="look") == 200
    last = Message.objects.filter(direction="out").order_by("-id")[0]
    answer = as_(cast.agent).post(f"/inbox/messages/{last.pk}/edit/", headers=HTMX)
    assert answer.status_code == 200
    back = list(Upload.objects.filter(owner=cast.agent).order_by("created_at"))
    assert [(one.file_name, one.kind) for one in back] == [("p.png", "image"), ("a.txt", "file")]
    assert all(one.pk in answer.content.decode() for one in back)
    assert not Attachment.objects.exists()
    assert Context.objects.get().replies_used == 0
    again = [one.pk for one in back]
    assert reply(cast.agent, conversation, *again, text="look", key="k2") == 200
    assert Attachment.objects.count() == 2


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": "note"}, "have files. Write a reply"),
        ({"park": "1"}, "Only text can wait until the customer writes."),
    ],
)
def test_a_note_and_a_parked_reply_have_no_files(
    cast: Cast, conversation: Conversation, values: dict[str, str], words: str
) -> None:
    mine = bring(cast.agent)
    form = {"text": "look", "draft_key": "k", "upload": [mine], **values}
    answer = as_(cast.agent).post(f"/inbox/{conversation.pk}/reply/", form, headers=HTMX)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert Upload.objects.filter(pk=mine).exists()


def test_the_team_s_settings_say_how_large_each_kind_may_be(
    cast: Cast, limited: Callable[..., None]
) -> None:
    limited(picture_mb=1, file_mb=3)
    large = samples.picture() + b"\0" * 1_500_000
    with pytest.raises(FileProblem) as refused:
        uploads.bring_pieces(owner=cast.agent, pieces=[large], file_name="1.png")
    assert refused.value.code == "file_too_large"
    kept = uploads.bring_pieces(owner=cast.agent, pieces=[b"x" * 1_500_000], file_name="1.bin")
    assert kept.kind == "file"
    now = limits()
    assert (now.incoming("image"), now.incoming("file")) == (MEGABYTE, 3 * MEGABYTE)
    assert now.any_outgoing == 100 * MEGABYTE  # a video
