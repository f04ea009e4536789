"""An answer of getupdates that breaks off: what arrived is stored, what may be missing is said."""

import json
from typing import Any

import pytest
from django.utils import timezone

from messaging.conversations.event_words import event_sentence
from messaging.models import Conversation, Message, RawAnswer
from messaging.receiving import inbound
from messaging.receiving.answers import Received
from messaging.receiving.recorder import Spool
from sessions_app.database.encryption import decrypt_bytes
from sessions_app.ilink.wire import parse_broken, parse_updates
from sessions_app.models import Session, SessionEvent
from tests.conftest import Running, in_thread, until
from tests.messaging.builders import make_session, receive, text_message

LINA = "lina@im.wechat"
POLL = "/ilink/bot/getupdates"


def _texts() -> list[str]:
    words = Message.objects.filter(direction="in").order_by("id")
    return list(words.values_list("text", flat=True))


def _lines() -> list[str]:
    return [event_sentence(one) for one in Message.objects.filter(event="broke_off")]


def _first_words() -> list[str]:
    return [text.split()[0] for text in _texts()]


def _told_on_the_session() -> int:
    return SessionEvent.objects.filter(kind="broke_off").count()


def _kept_bytes() -> bytes:
    return decrypt_bytes(RawAnswer.objects.get().encrypted_body)


def _broken(session: Session, body: bytes, *, length: int | None = None) -> Received:
    return Received(
        session_id=session.pk,
        generation=session.generation,
        request_cursor="",
        updates=parse_broken(body, "The line to WeChat broke.", length=length),
        received_at=timezone.now(),
    )


@pytest.mark.parametrize("kind", ["cut_body", "cut_json"])
async def test_whole_messages_are_stored_and_a_lasting_line_says_what_may_be_missing(
    running: Running, kind: str
) -> None:
    running.control.switches(cursor_mode="consumed")
    session = await running.scan("Shop A")
    running.control.write(session.bot_id, LINA, "before")
    await until(lambda: _texts() == ["before"], "the first message")

    running.control.add_fault(kind, path=POLL)
    await until(lambda: not running.control.faults(), "a poll that will be cut")
    three = [text_message(f"{word} {'.' * 900}", sender=LINA) for word in ("one", "two", "three")]
    running.control.inject(session.bot_id, three)
    await until(lambda: _lines(), "a line in the conversation")

    assert await in_thread(_first_words)() == ["before", "one"]
    [line] = await in_thread(_lines)()
    assert "was cut off at" in line
    assert "may be missing" in line
    assert ("up to" in line) is (kind == "cut_body")
    assert await in_thread(_told_on_the_session)() == 1
    kept = await in_thread(_kept_bytes)()
    assert b"one ..." in kept
    assert b"three" not in kept
    # The session goes on, and later messages come in.
    running.control.write(session.bot_id, LINA, "after")
    await until(lambda: _texts()[-1] == "after", "the next message")
    await until(lambda: Session.objects.get().state == "connected", "still connected")


@pytest.mark.django_db
def test_people_named_behind_the_break_are_told_in_a_session_of_many() -> None:
    session = make_session()
    for name in ("a", "b", "c", "d", "e"):
        receive(session, text_message("hi", sender=f"{name}@im.wechat"))
    cut = json.dumps({"msgs": [text_message("lost", sender="d@im.wechat")]}).encode()[:-60]
    inbound.store([_broken(session, cut, length=len(cut) + 60)])

    told = Message.objects.filter(event="broke_off").values_list("conversation__contact__user_id")
    assert list(told) == [("d@im.wechat",)]


@pytest.mark.django_db
def test_answers_that_break_off_again_and_again_fill_neither_thread_nor_disk() -> None:
    session = make_session()
    receive(session, text_message("hi"))
    for number in range(40):
        inbound.store([_broken(session, b'{"msgs":[{"seq":"%d"' % number)])
    assert len(_lines()) == 1
    assert SessionEvent.objects.filter(kind="broke_off").count() == 1
    assert RawAnswer.objects.count() == 20


@pytest.mark.django_db
def test_a_page_of_a_gateway_is_kept_and_accuses_no_conversation() -> None:
    session = make_session()
    receive(session, text_message("hi"))
    inbound.store([_broken(session, b"<html>Sign in to the hotel</html>")])
    assert _lines() == []
    assert SessionEvent.objects.filter(kind="stray").count() == 1
    assert RawAnswer.objects.count() == 1


@pytest.mark.django_db
def test_a_broken_answer_survives_the_spool(tmp_path: Any) -> None:
    session = make_session()
    whole = json.dumps({"msgs": [text_message("one"), text_message("two")]}).encode()
    answer = _broken(session, whole[:-20], length=len(whole))
    spool = Spool(tmp_path / "spool")
    spool.put(answer)
    [path] = spool.waiting()
    again = spool.read(path)
    assert again.updates == answer.updates
    assert [one.items[0].text for one in again.updates.messages] == ["one"]


@pytest.mark.parametrize("step", [1, 7])
def test_every_cut_of_an_answer_keeps_exactly_its_whole_messages(step: int) -> None:
    words = ['plain "msgs":[', "你好 😀 \\ \n", "}{][", ""]
    body = json.dumps(
        {"ret": 0, "msgs": [text_message(word) for word in words], "get_updates_buf": "c"},
        ensure_ascii=False,
    ).encode()
    whole = parse_updates(body).messages
    counts = []
    for end in range(0, len(body), step):
        broken = parse_broken(body[:end], "cut", length=len(body))
        assert broken.messages == whole[: len(broken.messages)]
        assert broken.cursor is None
        assert broken.missing is not None
        assert len(broken.messages) + broken.missing >= len(whole) or broken.missing == 0
        counts.append(len(broken.messages))
    assert counts == sorted(counts)
    assert counts[-1] == len(words)


@pytest.mark.django_db
def test_a_session_with_one_person_tells_that_one_whoever_is_named() -> None:
    session = make_session()
    receive(session, text_message("hi"))
    inbound.store([_broken(session, b'{"ret":0,"ms')])
    assert len(_lines()) == 1
    assert Conversation.objects.get().messages.filter(event="broke_off").exists()
