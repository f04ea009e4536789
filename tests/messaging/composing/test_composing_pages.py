"""The thread and its composer as pages: what they show of the limits, and what their buttons do."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from messaging.delivering import outbox
from messaging.models import Conversation, Message, SendAttempt
from sessions_app.models import Context, Session, User
from sessions_app.sessions import leases
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message

pytestmark = pytest.mark.django_db

HTMX = {"HX-Request": "true"}


def as_(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def shop(cast: Cast) -> Session:
    return make_session("Shop A")


@pytest.fixture
def conversation(shop: Session) -> Conversation:
    receive(shop, text_message("我的包裹在哪里？"))
    return Conversation.objects.get()


def page_of(conversation: Conversation, user: User, query: str = "", **headers: str) -> str:
    answer = as_(user).get(f"/inbox/{conversation.pk}/{query}", headers=headers)
    return answer.content.decode()


def words_of(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", markup).split())


def reply(conversation: Conversation, user: User, **form: str) -> tuple[int, str]:
    values = {"text": "ok", "draft_key": "k", "seen_up_to": "0", **form}
    answer = as_(user).post(f"/inbox/{conversation.pk}/reply/", values, headers=HTMX)
    return answer.status_code, answer.content.decode()


# Limits on head and composer


def test_the_head_says_until_when_and_how_many(cast: Cast, conversation: Conversation) -> None:
    Context.objects.update(
        replies_used=3, received_at=timezone.now() - timedelta(hours=19, minutes=1)
    )
    shown = words_of(page_of(conversation, cast.agent))
    assert re.search(r"Reply until \w{3} \d\d:\d\d · 4 h · about 7 of 10 left", shown)


def test_one_refusal_changes_that_persons_display_alone(
    cast: Cast, conversation: Conversation, shop: Session
) -> None:
    receive(shop, text_message("me too", sender="tom@im.wechat"), cursor="c2")
    leases.register("w1")
    reply(conversation, cast.agent)
    (claim,) = outbox.claim_next("w1", limit=1)
    outbox.mark_refused(claim, wire_code=-2, detail="")
    shown = words_of(page_of(conversation, cast.agent))
    assert "not sent: WeChat refused and gave no reason" in shown
    assert "WeChat refused one at" in shown
    assert "about 9 of 10 replies left" in shown  # neither count nor setting follow WeChat's word
    other = Conversation.objects.get(contact__user_id="tom@im.wechat")
    assert "WeChat refused" not in words_of(page_of(other, cast.agent))


def test_the_pace_is_shown_only_when_near(cast: Cast, conversation: Conversation) -> None:
    reply(conversation, cast.agent)
    message = Message.objects.get(direction="out")
    attempts = [SendAttempt(message=message, client_id=f"c{number}") for number in range(12)]
    SendAttempt.objects.bulk_create(attempts[:8])
    assert "in 5 min" not in words_of(page_of(conversation, cast.agent))
    SendAttempt.objects.bulk_create(attempts[8:9])
    assert "9 of 12 in 5 min (WeChat" in words_of(page_of(conversation, cast.agent))
    SendAttempt.objects.bulk_create(attempts[9:])
    assert re.search(r"Sends at \d\d:\d\d", words_of(page_of(conversation, cast.agent)))


# Who am I speaking as


def test_another_usable_session_can_be_picked(
    cast: Cast, conversation: Conversation, shop: Session
) -> None:
    assert 'class="menu-item" form="composer" name="session_name"' not in page_of(
        conversation, cast.agent
    )
    receive(make_session("Repairs"), text_message("hi there"), cursor="r1")
    shown = page_of(conversation, cast.agent)
    assert "Send as Repairs" in shown
    assert 'name="session_name" value="Shop A"' in shown
    assert "is-several" in shown
    assert reply(conversation, cast.agent, session_name="Shop A")[0] == 200
    assert Message.objects.get(direction="out").session == shop


# The last look


def test_an_unseen_answer_asks_and_insisting_sends(cast: Cast, conversation: Conversation) -> None:
    seen = str(Message.objects.get().pk)
    assert reply(conversation, cast.supervisor, seen_up_to=seen)[0] == 200
    status, asked = reply(conversation, cast.agent, draft_key="w", text="me too", seen_up_to=seen)
    assert status == 422
    assert "sue answered 0 s ago. Send anyway?" in asked
    assert 'name="insist"' in asked
    assert f'data-seen-up-to="{Message.objects.latest("id").pk}"' in asked
    insisting = {"draft_key": "w", "text": "me too", "seen_up_to": seen, "insist": "1"}
    assert reply(conversation, cast.agent, **insisting)[0] == 200


def test_a_page_without_javascript_asks_too_and_keeps_the_text(
    cast: Cast, conversation: Conversation
) -> None:
    shown = page_of(conversation, cast.agent)
    seen = re.search(r'name="seen_up_to" value="(\d+)"', shown)
    assert seen is not None
    reply(conversation, cast.supervisor)
    form = {"text": "me too", "draft_key": "w", "seen_up_to": seen[1]}
    answer = as_(cast.agent).post(f"/inbox/{conversation.pk}/reply/", form)
    assert answer.status_code == 422
    assert ">me too</textarea>" in answer.content.decode()


# Long texts


def test_a_long_text_is_sent_in_parts_by_its_button(cast: Cast, conversation: Conversation) -> None:
    text = "\n".join(["字" * 900] * 4)
    assert reply(conversation, cast.agent, text=text, split="1")[0] == 200
    assert [len(one.text) for one in Message.objects.filter(direction="out")] == [1801, 1801]
    conversation.refresh_from_db()
    assert conversation.replies_used == 2


# Undo and edit


@pytest.mark.parametrize("action", ["edit", "park", "send-now"])
def test_who_may_decide_about_a_reply(cast: Cast, conversation: Conversation, action: str) -> None:
    reply(conversation, cast.agent)
    url = f"/inbox/messages/{Message.objects.get(direction='out').pk}/{action}/"
    for user in (cast.operator, cast.viewer, cast.outsider):
        assert as_(user).post(url).status_code == 403
    assert as_(cast.agent_elsewhere).post(url).status_code == 404
    assert as_(cast.agent).get(url).status_code == 405
    assert Message.objects.get(direction="out").status == "queued"


def test_undo_is_by_personal_setting(cast: Cast, conversation: Conversation) -> None:
    cast.agent.undo_s = 10
    cast.agent.save()
    reply(conversation, cast.agent)
    held = Message.objects.get(direction="out")
    assert held.release_at is not None
    assert 8 < (held.release_at - timezone.now()).total_seconds() <= 10
    shown = page_of(conversation, cast.agent)
    assert "is-held" in shown
    assert "Undo: move this reply back" in shown
    headers = {**HTMX, "Live-Open": str(conversation.pk)}
    back = as_(cast.agent).post(f"/inbox/messages/{held.pk}/edit/", headers=headers)
    assert "data-draft-text>ok</textarea>" in back.content.decode()
    assert "wei undid a reply before it was sent" in page_of(conversation, cast.viewer)


def test_editing_what_was_sent_is_answered_in_words(cast: Cast, conversation: Conversation) -> None:
    reply(conversation, cast.agent)
    Message.objects.filter(direction="out").update(status="sent")
    url = f"/inbox/messages/{Message.objects.get(direction='out').pk}/edit/"
    late = as_(cast.agent).post(url, headers=HTMX)
    assert late.status_code == 422
    assert b"It has been sent: WeChat accepted it." in late.content


# The thread


def test_unread_from_here_stands_before_the_first_unread(
    cast: Cast, conversation: Conversation, shop: Session
) -> None:
    as_(cast.agent).post(f"/inbox/{conversation.pk}/read/", {"up_to": Message.objects.get().pk})
    assert "unread from here" not in page_of(conversation, cast.agent)
    receive(shop, text_message("second"), text_message("third"), cursor="c2")
    second = Message.objects.get(text="second")
    shown = page_of(conversation, cast.agent)
    assert f'data-unread-from="{second.pk}"' in shown
    assert shown.index("unread from here") < shown.index(f'id="message-{second.pk}"')
    assert shown.index('id="message-1"') < shown.index("unread from here")


def test_a_thread_opens_at_any_message_and_goes_on_both_ways(cast: Cast, shop: Session) -> None:
    receive(shop, *[text_message(f"m{number}") for number in range(200)])
    conversation = Conversation.objects.get()
    middle = Message.objects.get(text="m100").pk
    shown = page_of(conversation, cast.agent, f"?around={middle}")
    ids = [int(one) for one in re.findall(r'id="message-(\d+)"', shown)]
    assert middle in ids
    assert 'data-around="' in shown
    before, after = re.search(r"\?before=(\d+)", shown), re.search(r"\?after=(\d+)", shown)
    assert before is not None
    assert after is not None
    older = page_of(conversation, cast.agent, f"?before={before[1]}", **HTMX)
    newer = page_of(conversation, cast.agent, f"?after={after[1]}", **HTMX)
    found = re.findall(r'id="message-(\d+)"', older + shown + newer)
    assert len(found) == len(set(found))
    assert 'id="earlier"' not in newer
    assert 'id="later"' not in older
    newest = page_of(conversation, cast.agent)
    assert "?after=" not in newest


def test_a_quote_leads_to_what_it_quotes(
    cast: Cast, conversation: Conversation, shop: Session
) -> None:
    quoted = Message.objects.get()
    Message.objects.filter(pk=quoted.pk).update(wire_id="77")
    wire = text_message("this one")
    wire["item_list"][0]["ref_msg"] = {"message_item": {"type": 1, "msg_id": "77"}}
    receive(shop, wire, cursor="c2")
    shown = page_of(conversation, cast.agent)
    assert f'href="/inbox/{conversation.pk}/?around={quoted.pk}#message-{quoted.pk}"' in shown
    assert re.search(r"我的包裹在哪里？\s*</a>", shown)


def test_a_colleagues_conversation_says_whose_it_is(cast: Cast, conversation: Conversation) -> None:
    assert "data-owner" not in page_of(conversation, cast.agent)
    Conversation.objects.update(assignee=cast.supervisor)
    assert 'data-owner="sue"' in page_of(conversation, cast.agent)
    assert "data-owner" not in page_of(conversation, cast.supervisor)


def test_what_another_program_sent_is_marked_as_its(cast: Cast, conversation: Conversation) -> None:
    reply(conversation, cast.agent)
    Message.objects.filter(direction="out").update(sent_elsewhere=True, sent_by=None, status="sent")
    assert "Another program" in words_of(page_of(conversation, cast.agent))
