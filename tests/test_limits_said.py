"""With limits of the team's own no page, error, answer or sentence says or follows the usual ones.

Seven replies, 13 hours, five messages in three minutes: set at `/settings/`, then looked for.
"""

import re
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone, translation

from messaging.conversations.errors import ReplyError
from messaging.delivering import outbox
from messaging.models import Conversation, Message, SendAttempt
from messaging.replying import reasons as reply_reasons
from messaging.replying import sending
from messaging.replying.sending import Wish
from messaging.worker import due
from sessions_app.models import Context, Session, SessionState, User
from sessions_app.sessions import reasons
from sessions_app.team_settings import limits as store
from sessions_app.team_settings.limits import team_settings
from tests import catalogue
from tests.api.callers import Caller, calling
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply

HOURS = 13
LIMITS = {
    "window_hours": str(HOURS),
    "replies_per_token": "7",
    "pace_count": "5",
    "pace_minutes": "3",
}
USUAL = re.compile(
    r"\b24[\s ]?(?:h\b|hours?\b|小时)|\b(?:10|ten)[\s ](?:repl|条)|\bof 10\b"
    r"|\b12[\s ](?:messages|replies|in |条)|\b5[\s ](?:min|分钟)|\b86[_,]?400\b|\b10[_,]?800\b",
    re.IGNORECASE,
)
# The bars of the board show a day, whatever the reply window is.
A_DAY = re.compile(r"Last 24 hours|最近 24 小时|24 h ago|24 小时前")


@pytest.fixture(autouse=True)
def own_limits(cast: Cast) -> Iterator[None]:
    """Set as an administrator does; nothing but the row holds them."""
    store.forget()
    client = Client()
    client.force_login(cast.administrator)
    drawn = {name: str(value) for name, value in store.as_values(team_settings()).items()}
    data = drawn | LIMITS | {f"initial-{name}": value for name, value in drawn.items()}
    assert client.post("/settings/", data).status_code == 302
    yield
    store.forget()


def conversation_of(session: Session, person: str, **context: Any) -> Conversation:
    receive(session, text_message("hi", sender=f"{person}@im.wechat"), cursor=uuid.uuid4().hex)
    conversation = Conversation.objects.get(contact__user_id=f"{person}@im.wechat")
    rows = Context.objects.filter(session=session, user_id=f"{person}@im.wechat")
    rows.update(**context)
    row = rows.get()
    conversation.closes_at = row.received_at + team_settings().window
    conversation.replies_used = row.replies_used
    conversation.save()
    return conversation


@pytest.fixture
def street(cast: Cast) -> list[Conversation]:
    """One in each state in which a limit is spoken of."""
    shop, out, now = make_session("Shop A"), make_session("Shop B"), timezone.now()
    fresh = conversation_of(shop, "fresh")
    soon = conversation_of(shop, "soon", received_at=now - timedelta(hours=HOURS, minutes=-42))
    closed = conversation_of(shop, "closed", received_at=now - timedelta(hours=HOURS, minutes=3))
    spent = conversation_of(shop, "spent", replies_used=7)
    signed_out = conversation_of(out, "out")
    Session.objects.filter(pk=out.pk).update(state=SessionState.EXPIRED)
    paced = conversation_of(shop, "paced")
    for code in ("window_closed", "quota_exhausted", "too_fast", "no_context", "text_too_long"):
        row = send_reply(user=cast.agent, conversation=fresh, text=code, draft_key=code)
        Message.objects.filter(pk=row.pk).update(status="failed", error_code=code, holds_queue=True)
    tried = send_reply(user=cast.agent, conversation=paced, text="on", draft_key="p")
    SendAttempt.objects.bulk_create(
        SendAttempt(message=tried, client_id=str(number), outcome="sent") for number in range(5)
    )
    outbox.claim_next("w", limit=5)
    return [fresh, soon, closed, spent, signed_out, paced]


def said(text: str) -> list[str]:
    return USUAL.findall(A_DAY.sub("", text))


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


LANGUAGES = ("en", "zh-hans")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_dialog_or_refusal_says_the_usual_limits(
    cast: Cast, street: list[Conversation], language: str
) -> None:
    User.objects.update(language=language)
    client, htmx = as_(cast.administrator), {"HX-Request": "true"}
    pages = [f"/inbox/{one.pk}/" for one in street]
    pages += [
        "/inbox/", "/inbox/filters/", "/inbox/changes/", "/inbox/told/", "/sessions/",
        "/sessions/Shop A/", "/sessions/Shop B/", "/sessions/-/links/", "/sessions/-/invitations/",
        "/settings/", "/account/", "/api/docs", "/api/v1/openapi.json", "/nowhere/",
        *(f"/inbox/changes/?open={one.pk}" for one in street),
    ]  # fmt: skip
    for page in pages:
        answer = client.get(page)
        assert answer.status_code in {200, 404}, page
        assert said(answer.content.decode()) == [], page
    for one in street:
        for form in ({}, {"override": ""}, {"session_name": "Shop A"}):
            values = {"text": "hi", "draft_key": uuid.uuid4().hex, **form}
            answer = client.post(f"/inbox/{one.pk}/reply/", values, headers=htmx)
            assert said(answer.content.decode()) == [], (one.contact.user_id, form)
    ids = [one.pk for one in street]
    for act in ("snooze", "assign", "label", "transfer"):
        for chosen in ({"ids": ids}, {"ids": ids[:1], "single": "1"}):
            shown = client.post(f"/inbox/work/{act}/", chosen, headers=htmx).content.decode()
            assert said(shown) == [], act


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_say_the_teams_own_limits(
    cast: Cast, street: list[Conversation], language: str
) -> None:
    User.objects.update(language=language)
    fresh, _soon, closed, spent, _out, paced = street
    own: dict[Conversation, dict[str, tuple[str, ...]]] = {
        fresh: {"en": ("13 hours", "7 of 7 replies", "5 messages in 3 min")},
        spent: {"en": ("7 of 7 replies used", "7 of 7 replies used")},
        paced: {"en": ("Sends at",)},
        closed: {"en": ("Closed",)},
    }
    own[fresh]["zh-hans"] = ("13 小时", "7 条", "3 分钟内对同一人约 5 条")
    own[spent]["zh-hans"] = ("7 条",)
    for conversation, words in own.items():
        page = as_(cast.agent).get(f"/inbox/{conversation.pk}/").content.decode()
        for one in words.get(language, ()):
            assert one in page, one


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_speaks_of_the_settings(language: str) -> None:
    codes = [*reasons._SENTENCES, "window_closed", "quota_exhausted", "session_offline"]
    with translation.override(language):
        for code in codes:
            assert said(reasons.sentence(code, "1")) == [], code
            assert said(reply_reasons.refusal(code, "Shop A")) == [], code


def test_no_sentence_of_the_catalogue_holds_a_limit() -> None:
    for entry in catalogue.entries():
        for text in (entry.english, entry.plural, entry.chinese):
            assert said(text) == [], entry.english


def test_the_api_answers_by_the_settings(cast: Cast, street: list[Conversation]) -> None:
    caller: Caller = calling(cast.administrator)
    fresh, soon, closed, spent, _out, _paced = street
    answer = caller.get(f"/conversations/{fresh.pk}/messages")
    assert "7 of 7 replies used (our count); WeChat may refuse" in str(answer.body)
    assert said(str(answer.body)) == []
    messages = caller.get("/messages", limit=200)  # answered in an event loop
    assert "more than 13 hours have passed" in str(messages.body)
    assert said(str(messages.body)) == []
    for conversation, code in ((closed, "window_closed"), (spent, "quota_exhausted")):
        refused = caller.post("/messages", {"to": conversation.contact.user_id, "text": "hi"})
        assert (refused.status, refused.code) == (409, code)
        assert said(str(refused.body)) == []
    assert caller.get(f"/conversations/{soon.pk}").body["remaining"] == 7
    contexts = caller.get(f"/contacts/{spent.contact.user_id}").body["contexts"]
    assert [(one["remaining"], one["usable"]) for one in contexts] == [(0, False)]


def test_the_eighth_reply_is_refused_and_the_seventh_goes(cast: Cast) -> None:
    conversation = conversation_of(make_session("Shop A"), "lina")
    for number in range(7):
        send_reply(user=cast.agent, conversation=conversation, text="hi", draft_key=str(number))
    with pytest.raises(ReplyError, match="7 of 7 replies used") as refused:
        send_reply(user=cast.agent, conversation=conversation, text="hi", draft_key="8")
    assert refused.value.code == "quota_exhausted"


def test_the_window_closes_when_its_hours_are_over(cast: Cast) -> None:
    shop, now = make_session("Shop A"), timezone.now()
    open_still = conversation_of(shop, "a", received_at=now - timedelta(hours=HOURS, minutes=-1))
    over = conversation_of(shop, "b", received_at=now - timedelta(hours=HOURS, minutes=1))
    send_reply(user=cast.agent, conversation=open_still, text="hi", draft_key="1")
    with pytest.raises(ReplyError, match="13-hour reply window is closed"):
        send_reply(user=cast.agent, conversation=over, text="hi", draft_key="2")
    due.look(now)
    over.refresh_from_db()
    assert over.missed_at == over.closes_at


def test_the_sixth_message_of_a_pace_of_five_waits_three_minutes(cast: Cast) -> None:
    conversation = conversation_of(make_session("Shop A"), "lina")
    message = send_reply(user=cast.agent, conversation=conversation, text="hi", draft_key="1")
    SendAttempt.objects.bulk_create(
        SendAttempt(message=message, client_id=str(number), outcome="sent") for number in range(5)
    )
    outbox.claim_next("w", limit=5)
    message.refresh_from_db()
    assert (message.status, message.error_code) == ("queued", "pace")
    assert message.next_try_at is not None
    assert 170 < (message.next_try_at - timezone.now()).total_seconds() <= 180


def test_a_reply_of_three_parts_needs_three_of_the_seven(cast: Cast) -> None:
    conversation = conversation_of(make_session("Shop A"), "lina", replies_used=5)
    wish = Wish("字" * 5_000, "s", split=True)
    with pytest.raises(ReplyError) as refused:
        sending.send(user=cast.agent, conversation=conversation, wish=wish, limits=team_settings())
    assert refused.value.code == "quota_exhausted"
