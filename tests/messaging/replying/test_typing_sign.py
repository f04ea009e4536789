"""“Typing …” at WeChat: shown through the worker, renewed, ended; a forgotten stop never hangs."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from messaging.models import Conversation, Typing
from messaging.replying import typing_sign
from sessions_app.models import Session
from sessions_app.people.tokens import issue_token
from tests.conftest import Cast, Running, in_thread, until
from tests.messaging.builders import make_session, receive, text_message


def conversation_of(session: Session) -> Conversation:
    receive(session, text_message("hi"))
    return Conversation.objects.get()


@pytest.mark.django_db
def test_it_is_told_once_in_five_seconds_while_wanted(cast: Cast) -> None:
    conversation = conversation_of(make_session("Shop A"))
    assert conversation.session_id is not None
    now = timezone.now()
    typing_sign.show(conversation, conversation.session_id)
    assert [sign.on for sign in typing_sign.claim_due(now)] == [True]
    typing_sign.show(conversation, conversation.session_id)
    assert typing_sign.claim_due(now + timedelta(seconds=3)) == []
    assert [sign.on for sign in typing_sign.claim_due(now + timedelta(seconds=5.5))] == [True]


@pytest.mark.django_db
def test_a_forgotten_stop_ends_by_itself_and_only_once(cast: Cast) -> None:
    conversation = conversation_of(make_session("Shop A"))
    assert conversation.session_id is not None
    typing_sign.show(conversation, conversation.session_id)
    now = timezone.now()
    typing_sign.claim_due(now)
    later = now + timedelta(seconds=7)
    [sign] = typing_sign.claim_due(later)
    assert not sign.on
    assert typing_sign.claim_due(later) == []
    typing_sign.stopped(sign)
    assert not Typing.objects.exists()


@pytest.mark.django_db
def test_what_was_never_shown_need_not_be_ended(cast: Cast) -> None:
    conversation = conversation_of(make_session("Shop A"))
    assert conversation.session_id is not None
    typing_sign.show(conversation, conversation.session_id)
    typing_sign.stop(conversation)
    assert typing_sign.claim_due(timezone.now()) == []
    assert not Typing.objects.exists()


@pytest.mark.django_db
def test_the_api_shows_it_by_wechat_id(cast: Cast) -> None:
    conversation = conversation_of(make_session("Shop A"))
    _, secret = issue_token(owner=cast.agent, name="script")
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    url, kind = "/api/v1/contacts/lina%40im.wechat/typing", "application/json"
    assert client.post(url, {"on": True}, kind).status_code == 202
    assert Typing.objects.get().conversation == conversation
    assert client.post(url, {"on": False}, kind).status_code == 202
    assert Typing.objects.get().wanted_until <= timezone.now()
    Conversation.objects.update(session=None)
    Session.objects.update(state="expired")
    Typing.objects.all().delete()
    assert client.post(url, {"on": True}, kind).status_code == 202
    assert not Typing.objects.exists()


async def test_the_phone_shows_it_and_stops(running: Running) -> None:
    session = await running.scan("Shop A")
    bot_id = running.bots["Shop A"]
    running.control.add_person("Li Na", user_id="lina@im.wechat")
    running.control.write(bot_id, "lina@im.wechat", text="hello")
    conversation = await until(lambda: Conversation.objects.filter(unread=1).first(), "stored")

    def is_typing() -> bool:
        return bool(running.control.chat(bot_id, "lina@im.wechat")["typing"])

    await in_thread(typing_sign.show)(conversation, session.pk)
    await until(is_typing, "typing is shown")
    await in_thread(typing_sign.stop)(conversation)
    await until(lambda: not is_typing(), "typing is over")


async def test_a_ticket_is_kept_until_wechat_refuses_it(running: Running) -> None:
    session = await running.scan("Shop A")
    bot_id = running.bots["Shop A"]
    running.control.add_person("Li Na", user_id="lina@im.wechat")
    running.control.write(bot_id, "lina@im.wechat", text="hello")
    conversation = await until(lambda: Conversation.objects.filter(unread=1).first(), "stored")
    typing = running.worker.typing

    async def shown_and_ended() -> list[str]:
        await in_thread(typing_sign.show)(conversation, session.pk)
        await until(lambda: running.control.chat(bot_id, "lina@im.wechat")["typing"], "shown")
        tickets = [ticket.value for ticket in typing._tickets.values()]
        await in_thread(typing_sign.stop)(conversation)
        await until(lambda: not running.control.chat(bot_id, "lina@im.wechat")["typing"], "over")
        return tickets

    first = await shown_and_ended()
    assert await shown_and_ended() == first
    chat = running.control.wechat.chats.find(bot_id, "lina@im.wechat")
    assert chat is not None
    chat.ticket = ""  # WeChat forgot it: the old one is refused now
    again = await shown_and_ended()
    assert len(again) == 1
    assert again != first


@pytest.mark.django_db
def test_an_end_that_wechat_did_not_take_is_tried_again_within_seconds(cast: Cast) -> None:
    conversation = conversation_of(make_session("Shop A"))
    assert conversation.session_id is not None
    typing_sign.show(conversation, conversation.session_id)
    moment = timezone.now()
    typing_sign.claim_due(moment)
    moment += timedelta(seconds=7)
    ends = []
    for second in range(60):  # nobody says that it was taken
        at = moment + timedelta(seconds=second)
        ends += [second for sign in typing_sign.claim_due(at) if not sign.on]
    assert ends == [0, 2, 4, 9, 39]


@pytest.mark.django_db
def test_attempts_to_end_it_do_not_go_on_for_ever(cast: Cast) -> None:
    conversation = conversation_of(make_session("Shop A"))
    assert conversation.session_id is not None
    typing_sign.show(conversation, conversation.session_id)
    typing_sign.claim_due(timezone.now())
    assert typing_sign.claim_due(timezone.now() + timedelta(hours=2)) == []
    assert not Typing.objects.exists()


@pytest.mark.django_db
def test_who_types_again_while_it_ends_is_shown_at_once(cast: Cast) -> None:
    conversation = conversation_of(make_session("Shop A"))
    assert conversation.session_id is not None
    typing_sign.show(conversation, conversation.session_id)
    now = timezone.now()
    typing_sign.claim_due(now)
    typing_sign.stop(conversation)
    [end] = typing_sign.claim_due(timezone.now())
    typing_sign.show(conversation, conversation.session_id)
    typing_sign.stopped(end)  # its answer comes late and takes nothing away
    assert [sign.on for sign in typing_sign.claim_due(timezone.now())] == [True]


@pytest.mark.django_db
def test_a_sign_on_another_account_ends_when_the_account_changes(cast: Cast) -> None:
    conversation, other = conversation_of(make_session("Shop A")), make_session("Shop B")
    assert conversation.session_id is not None
    receive(other, text_message("hi", message_id=8000))
    typing_sign.show(conversation, conversation.session_id)
    typing_sign.claim_due(timezone.now())
    typing_sign.show(conversation, other.pk)
    due = {sign.session_id: sign.on for sign in typing_sign.claim_due(timezone.now())}
    assert due == {conversation.session_id: False, other.pk: True}


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("reset", {}),
        ("status", {"status": 502}),
        ("ret", {"ret": -1, "times": 2}),
        ("empty", {}),
    ],
)
async def test_a_stop_that_failed_on_the_way_reaches_the_phone(
    running: Running, kind: str, options: dict[str, object]
) -> None:
    session = await running.scan("Shop A")
    bot_id = running.bots["Shop A"]
    running.control.add_person("Li Na", user_id="lina@im.wechat")
    running.control.write(bot_id, "lina@im.wechat", text="hello")
    conversation = await until(lambda: Conversation.objects.filter(unread=1).first(), "stored")

    def is_typing() -> bool:
        return bool(running.control.chat(bot_id, "lina@im.wechat")["typing"])

    await in_thread(typing_sign.show)(conversation, session.pk)
    await until(is_typing, "typing is shown")
    running.control.add_fault(kind, path="/ilink/bot/sendtyping", **options)
    await in_thread(typing_sign.stop)(conversation)
    await until(lambda: not is_typing(), "typing is over")
    await until(lambda: not Typing.objects.exists(), "nothing is left to end")
