"""Answers that bring nothing new, or nothing at all: they are neither good polls nor news."""

import json
from typing import Any

import pytest
from django.utils import timezone

from messaging.receiving import inbound
from messaging.receiving.answers import Received, RecentMessages
from sessions_app.ilink.wire import Updates, parse_broken, parse_updates
from sessions_app.models import Session
from tests.messaging.builders import make_session, text_message


def _updates(*messages: Any, **fields: Any) -> Updates:
    return parse_updates(json.dumps({"ret": 0, "msgs": list(messages), **fields}).encode())


def test_a_message_that_came_before_is_no_news_whatever_token_it_has_now() -> None:
    known, first = RecentMessages(10), text_message("hello")
    assert known.brings_news(_updates(first).messages)
    again = {**first, "context_token": "another"}
    assert not known.brings_news(_updates(again).messages)
    assert known.brings_news(_updates(again, text_message("new")).messages)
    assert not known.brings_news(())


def test_a_message_without_an_id_is_known_by_all_that_it_holds() -> None:
    known, first = RecentMessages(10), text_message("hello", message_id=None, create_time_ms=None)
    assert known.brings_news(_updates(first).messages)
    assert not known.brings_news(_updates(first).messages)
    assert known.brings_news(_updates({**first, "seq": 2}).messages)


def test_only_so_many_are_remembered() -> None:
    known, texts = RecentMessages(2), [text_message(text) for text in "abc"]
    assert known.brings_news(_updates(*texts).messages)
    assert len(known._seen) == 2
    assert known.brings_news(_updates(texts[0]).messages)


@pytest.mark.parametrize(
    ("fields", "is_unusable"),
    [
        ({"msgs": "none", "get_updates_buf": {}}, True),
        ({"msgs": [7]}, True),
        ({"msgs": [7], "get_updates_buf": "c2"}, False),
        ({"msgs": []}, False),
        ({}, False),
        ({"msgs": "none", "ret": -1}, False),
    ],
)
def test_strays_alone_are_no_answer(fields: dict[str, Any], is_unusable: bool) -> None:
    assert parse_updates(json.dumps(fields).encode()).is_unusable is is_unusable


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("updates", "is_heard"),
    [
        (parse_broken(b"<!doctype html>", "not JSON"), False),
        (parse_broken(b'{"ret":0,"msgs":[{', "cut"), False),
        (_updates("no message"), False),
        (_updates("no message", get_updates_buf="c2"), True),
        (_updates(), True),
    ],
    ids=["html", "cut", "unusable", "a stray", "empty"],
)
def test_what_no_message_can_be_read_from_is_no_good_poll(updates: Updates, is_heard: bool) -> None:
    session = make_session()
    before, at = session.last_poll_at, timezone.now()
    inbound.store([Received(session.pk, session.generation, "", updates, at)])
    heard_at = Session.objects.get(pk=session.pk).last_poll_at
    assert heard_at == (at if is_heard else before)
