"""Characters that nobody sees are seen wherever a file's name is shown; programs get them raw."""

import html
import json
import re
from typing import Any

import pytest
from django.test import Client
from hypothesis import example, given
from hypothesis import strategies as st

from messaging.conversations.events import record_event, record_note
from messaging.inbox import presentation
from messaging.inbox.views.compose_pane import tray_values
from messaging.media import showing
from messaging.models import (
    Attachment,
    Conversation,
    Label,
    Message,
    TeamContact,
    Upload,
)
from messaging.text import rich_text
from sessions_app.models import Session, User
from sessions_app.realtime.streams import announcing
from sessions_app.text.unseen import apart, visible
from tests import hidden_signs
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message

HOSTILE = "invoice\u202efdp.exe"
SHOWN = "invoice[U+202E]fdp.exe"


@pytest.mark.parametrize(
    ("name", "shown"), [*hidden_signs.SHOWN, ("half\ud83d.txt", "half[U+D83D].txt")]
)
def test_what_nobody_sees_is_seen(name: str, shown: str) -> None:
    assert visible(name) == shown
    assert visible(shown) == shown


@pytest.mark.parametrize("name", hidden_signs.WRITING)
def test_what_is_writing_stays(name: str) -> None:
    assert visible(name) == name


def test_a_text_keeps_its_lines() -> None:
    text = "one\ntwo\tthree\u202e"
    assert visible(text, keeps_lines=True) == "one\ntwo\tthree[U+202E]"


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_marks_of_direction_are_writing_only_in_texts_from_right_to_left() -> None:
    text = "גרסה C++\u200f חדשה"
    assert visible(text, keeps_lines=True) == text
    assert visible("C++\u200f", keeps_lines=True) == "C++[U+200F]"
    assert visible(text) == "גרסה C++[U+200F] חדשה"


def test_a_name_in_a_sentence_stays_in_its_place() -> None:
    assert apart("Lina") == "Lina"
    assert apart("ليلى") == "\u2068ليلى\u2069"
    assert apart("a\u202eb") == "a[U+202E]b"


SIGNS = st.sampled_from(
    "aש م李 \n\t[]<&'\"@/.:0_\u200c\u200d\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e"
    "\u2066\u2067\u2068\u2069\u200b\u2060\ufeff\xad\x01\x1b\x85\u3164\u115f\u2800\ufe0f👨❤"
    "\U000e0041\U000e0101"
)
TURNING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@given(st.text(SIGNS, max_size=40))
@example("https://a.example/\u202egpj.exe @wei\u2067 [微笑]\u200b")
def test_a_bubble_shows_every_sign_and_a_copy_has_the_text(text: str) -> None:
    markup = str(rich_text.shown(text, names=True))
    assert not TURNING & set(markup)
    assert all(sign in "\n\t\ufe0f" or sign.isprintable() or sign in KEPT for sign in markup)
    hidden = re.sub(
        '<bdi class="sign" data-sign="([0-9a-f]+)">[^<]*</bdi>',
        lambda found: chr(int(found[1], 16)),
        markup,
    )
    faces = re.sub('<span class="emoji"[^>]*title="([^"]*)">[^<]*</span>', r"\1", hidden)
    assert html.unescape(re.sub("<[^>]*>", "", faces)) == text


KEPT = set("\u200c\u200d\u200e\u200f\u061c\U000e0101")
"""What may be writing, beside the right letters."""


@pytest.mark.django_db
@pytest.mark.parametrize("hidden", ["\u202e", "\u2067", "\u200b", "\x1b", "\u3164", "\U000e0041"])
def test_hidden_signs_are_seen_wherever_somebody_wrote_them(cast: Cast, hidden: str) -> None:
    def hostile(word: str) -> str:
        return f"{word}{hidden}{word}"

    seen = visible(hidden)
    receive(make_session("Shop A"), text_message(hostile("text"), sender="lina@im.wechat"))
    quoted = {"message_item": {"type": 1, "text_item": {"text": hostile("quote")}}}
    items = [{"type": 1, "text_item": {"text": "answer"}, "ref_msg": quoted}]
    receive(Session.objects.get(), text_message("", item_list=items, sender="lina@im.wechat"))
    conversation, agent = Conversation.objects.get(), cast.agent
    TeamContact.objects.create(
        contact=conversation.contact,
        team=conversation.team,
        name=hostile("name"),
        note=hostile("about"),
        folded="name",
    )
    User.objects.filter(pk=agent.pk).update(first_name=hostile("agent"))
    label = Label.objects.create(team=conversation.team, name=hostile("label"))
    conversation.labels.add(label)
    Conversation.objects.update(assignee=agent)
    with announcing() as change:
        record_note(change, conversation, text=hostile("note"), who=agent)
        record_event(change, conversation, "labelled", who=agent, detail=hostile("event"))
    client = as_(User.objects.get(pk=agent.pk))
    for path in (f"/inbox/{conversation.pk}/", "/inbox/", "/inbox/filters/", "/palette/?q=name"):
        page = html.unescape(client.get(path).content.decode())
        for field in re.findall(r'(?:value|data-drafts)="[^"]*"', page):
            page = page.replace(field, "")  # what a form sends is the name itself
        assert hidden not in page, path
    whole = client.get(f"/inbox/{conversation.pk}/").content.decode()
    for word in ("text", "quote", "name", "about", "agent", "label", "note", "event"):
        assert re.search(f"{word}(<bdi[^>]*>)?{re.escape(seen)}", whole), word
    # Programs get what was written.
    answer: Any = client.get(f"/api/v1/messages/{Message.objects.filter(direction='in')[0].pk}")
    assert json.loads(answer.content)["text"] == hostile("text")
    assert TeamContact.objects.get().name == hostile("name")


@pytest.mark.django_db
def test_a_name_that_turns_around_is_seen_in_list_thread_and_tray(cast: Cast) -> None:
    items = [{"type": 4, "file_item": {"file_name": HOSTILE, "len": "5"}}]
    receive(make_session("Shop A"), text_message("", item_list=items))
    conversation, row = Conversation.objects.get(), Attachment.objects.get()
    assert showing.shown(row).words == SHOWN
    assert presentation.preview(conversation) == f"File · {SHOWN}"
    client = as_(cast.agent)
    for path in (f"/inbox/{conversation.pk}/", "/inbox/"):
        page = client.get(path).content.decode()
        assert SHOWN in page
        assert "\u202e" not in page
    mine = Upload.objects.create(owner=cast.agent, kind="file", file_name=HOSTILE)
    assert tray_values(mine)["name"] == SHOWN
    # What is sent, and what programs get, is the name itself.
    assert row.file_name == mine.file_name == HOSTILE
    answer: Any = client.get(f"/api/v1/messages/{Message.objects.get().pk}")
    assert json.loads(answer.content)["attachments"][0]["file_name"] == HOSTILE


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "columns"),
    [
     ("file", {"content_type": "application/pdf"}),
     ("file", {"content_type": "application/pdf", "thumb_name": "t", "width": 9, "height": 9}),
     ("image", {"content_type": "image/png", "thumb_name": "t", "width": 9, "height": 9}),
     ("image", {"state": "failed", "error": "gone", "stored_name": ""}),
     ("voice", {"content_type": "audio/wav", "duration_ms": 900}),
     ("video", {"content_type": "video/mp4", "thumb_name": "t", "width": 9, "height": 9}),
    ],
)  # fmt: skip
def test_a_file_s_name_moves_no_word_of_its_buttons(
    cast: Cast, kind: str, columns: dict[str, Any]
) -> None:
    items = [{"type": 4, "file_item": {"file_name": "x", "len": "5"}}]
    receive(make_session("Shop A"), text_message("", item_list=items))
    Message.objects.update(kind=kind)
    known = {"kind": kind, "state": "stored", "stored_name": "s", "size": 5, **columns}
    Attachment.objects.update(file_name="ملف\u202e.x", **known)
    page = as_(cast.agent).get(f"/inbox/{Conversation.objects.get().pk}/").content.decode()
    labels = re.findall(
        r'(?:aria-label|data-plays|data-pauses)="([^"]*ملف[^"]*)"', html.unescape(page)
    )
    labels = [one for one in labels if one != "ملف[U+202E].x"]  # alone it has no words beside it
    assert labels
    for one in labels:
        assert "\u2068ملف[U+202E].x\u2069" in one


@pytest.mark.django_db
def test_a_filter_s_name_moves_no_word_of_its_button(cast: Cast) -> None:
    receive(make_session("Shop A"), text_message("hello"))
    name = "ليلى\u202e"
    Label.objects.create(team=Conversation.objects.get().team, name=name)
    page = as_(cast.agent).get("/inbox/", {"label": name}).content.decode()
    assert "filter \u2068" in page
    assert "ليلى[U+202E]\u2069" in page
