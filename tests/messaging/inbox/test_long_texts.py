"""A text of any length: its beginning in the conversation, the whole on a page of its own."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from messaging.models import Conversation, Message
from messaging.replying import queries
from messaging.replying.queries import SHOWN_CHARACTERS
from sessions_app.models import User
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message

pytestmark = pytest.mark.django_db

REST = "Show the whole text"


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def written(text: str) -> Message:
    receive(make_session("Shop A"), text_message(text))
    return Message.objects.get()


def whole_page(user: User, message: Message) -> str:
    answer = as_(user).get(f"/inbox/messages/{message.pk}/text/")
    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert "sandbox" in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]
    return b"".join(answer).decode()


def test_the_beginning_is_shown_and_a_link_to_the_whole(cast: Cast) -> None:
    message = written("the beginning" + "。" * SHOWN_CHARACTERS + "the end")
    page = as_(cast.agent).get(f"/inbox/{message.conversation_id}/").content.decode()
    assert "the beginning" in page
    assert "the end" not in page
    assert REST in page
    assert f'href="/inbox/messages/{message.pk}/text/"' in page
    assert whole_page(cast.agent, message) == message.text


def test_a_text_that_just_fits_has_no_link(cast: Cast) -> None:
    message = written("x" * (SHOWN_CHARACTERS - 7) + "the end")
    page = as_(cast.agent).get(f"/inbox/{message.conversation_id}/").content.decode()
    assert "the end" in page
    assert REST not in page


def test_the_whole_comes_in_pieces_without_a_seam(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PIECE_CHARACTERS", 7)
    message = written("名🎉é" * 20 + "end")
    assert whole_page(cast.agent, message) == message.text


def test_only_readers_of_the_team_get_it(cast: Cast) -> None:
    page = f"/inbox/messages/{written('x' * (SHOWN_CHARACTERS + 1)).pk}/text/"
    assert as_(cast.agent_elsewhere).get(page).status_code == 404
    assert as_(cast.operator).get(page).status_code == 403
    assert as_(cast.agent).post(page).status_code == 405


def test_pages_and_frames_never_read_the_end_of_a_text(cast: Cast) -> None:
    message = written("hello " + "x" * 100_000 + "the end")
    receive(
        make_session("Shop B"),
        text_message("and a quote", ref_msg={"title": "q" * 100_000, "message_item": None}),
    )
    page, client = f"/inbox/{message.conversation_id}/", as_(cast.agent)
    for address in ("/inbox/", page, f"/inbox/changes/?open={message.conversation_id}&since="):
        with CaptureQueriesContext(connection) as statements:
            answer = client.get(address)
        assert answer.status_code == 200
        assert "the end" not in answer.content.decode()
        for one in statements:
            asked = one["sql"].partition(" FROM ")[0]
            assert ' "messaging_message"."text"' not in asked
            assert '"sealed_raw"' not in asked
    assert Conversation.objects.count() == 1
