"""Files of a draft that come twice, late, too many or to the wrong place."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile

from messaging.composing import drafts
from messaging.models import Conversation, Draft, Upload
from messaging.transfers import uploads
from sessions_app.models import Session
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.messaging.composing.draft_trays import act, as_, bring, page, reply, shown

pytestmark = pytest.mark.django_db


@pytest.fixture
def conversation(cast: Cast) -> Conversation:
    receive(make_session("Shop A"), text_message("hello"))
    return Conversation.objects.get()


def test_without_javascript_what_was_typed_outlives_a_removal(
    cast: Cast, conversation: Conversation
) -> None:
    one, two = bring(cast.agent, conversation), bring(cast.agent, conversation, "b.txt")
    form = {"text": "line\r\nline\0", "kind": "reply", "draft_key": "k1", "upload": [one, two]}
    as_(cast.agent).post(f"/inbox/{conversation.pk}/draft/files/{one}/remove/", form)
    assert Draft.objects.get().text == "line\nline"
    html = page(cast.agent, conversation)
    assert "line\nline</textarea>" in html
    assert shown(html) == ["b.txt"]
    as_(cast.agent).post(
        f"/inbox/{conversation.pk}/draft/files/{one}/remove/", {**form, "text": "more"}
    )
    assert Draft.objects.get().text == "more"  # though the file was gone already
    act(
        cast.agent, conversation, f"{two}/remove", text="older"
    )  # with it, the page saves by itself
    assert Draft.objects.get().text == "more"


def test_a_file_brought_again_under_its_id_is_one(cast: Cast, conversation: Conversation) -> None:
    mark = "0a" * 16
    assert bring(cast.agent, conversation, id=mark, place=3) == mark  # the answer is lost
    assert bring(cast.agent, conversation, id=mark, place=4) == mark
    assert shown(page(cast.agent, conversation)) == ["a.txt"]
    assert Upload.objects.get().place == 3
    assert bring(cast.supervisor, conversation, id=mark) != mark  # nobody reaches another's
    for wrong in ("", "x", "0A" * 16, "0a" * 15 + "0\0", "²" * 32, "0a" * 17):
        assert bring(cast.agent, conversation, id=wrong) != wrong
    assert Upload.objects.filter(owner=cast.agent).count() == 7


def test_two_tries_at_once_keep_one_file(cast: Cast) -> None:
    def pieces() -> Iterator[bytes]:
        if not Upload.objects.exists():  # the other try is faster
            names.append(try_(iter([b"x"])).stored_name)
        yield b"x"

    def try_(content: Iterator[bytes]) -> Upload:
        return uploads.bring_pieces(
            owner=cast.agent, pieces=content, file_name="a", wanted="0a" * 16
        )

    names: list[str] = []
    assert try_(pieces()).stored_name == names[0]
    assert default_storage.exists(names[0])
    assert Upload.objects.get().stored_name == names[0]


def test_a_draft_takes_no_files_without_end(
    cast: Cast, conversation: Conversation, settings: Any
) -> None:
    settings.MEDIA_LIMITS = {"most_files_per_draft": 2}
    one, _two = bring(cast.agent, conversation, id="0a" * 16), bring(cast.agent, conversation)
    form = {"conversation": conversation.pk, "file": SimpleUploadedFile("file", b"x")}
    answer = as_(cast.agent).post("/inbox/uploads/", form)
    assert answer.status_code == 422
    assert "at most" in answer.json()["error"]
    assert Upload.objects.count() == 2
    assert bring(cast.agent, conversation, id=one) == one  # it is there already
    bring(cast.supervisor, conversation)


def test_a_file_of_another_conversation_s_draft_stays_there(
    cast: Cast, conversation: Conversation
) -> None:
    receive(Session.objects.get(), text_message("me too", sender="other@im.wechat"))
    other = Conversation.objects.exclude(pk=conversation.pk).get()
    one = bring(cast.agent, conversation)
    answer = reply(cast.agent, other, one)
    assert answer.status_code == 422
    assert "no longer here" in answer.content.decode()
    assert shown(page(cast.agent, conversation)) == ["a.txt"]
    for wrong in ("\0", "x", "0" * 31 + "\0"):
        assert reply(cast.agent, conversation, wrong).status_code == 422
    assert reply(cast.agent, conversation, one).status_code == 200


def test_a_file_that_comes_late_sets_no_account_back(
    cast: Cast, conversation: Conversation
) -> None:
    first, second = Session.objects.get(), make_session("Shop B")
    bring(cast.agent, conversation, account=first.pk)
    assert Draft.objects.get().account == first
    drafts.see_account(user=cast.agent, conversation=conversation, account_id=second.pk)
    bring(cast.agent, conversation, "slow.png", account=first.pk)
    assert Draft.objects.get().account == second


def test_a_file_that_failed_keeps_its_place_in_the_order(
    cast: Cast, conversation: Conversation
) -> None:
    one, two = (bring(cast.agent, conversation, f"{n}.txt") for n in "12")
    act(cast.agent, conversation, "order", upload=[two, "0a" * 16, one])
    bring(cast.agent, conversation, "again.txt", place=1)  # it comes at the next try
    assert shown(page(cast.agent, conversation)) == ["2.txt", "again.txt", "1.txt"]
