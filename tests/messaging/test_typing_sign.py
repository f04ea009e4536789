"""“Typing …” at WeChat: shown through the worker, renewed, ended; a forgotten stop never hangs."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from messaging import typing_sign
from messaging.models import Conversation, Typing
from sessions_app.models import Session
from sessions_app.people.tokens import issue_token
from tests.conftest import Cast, Running, in_thread, until
from tests.messaging.builders import make_session, receive, text_message


def thread_of(session: Session) -> Conversation:
    receive(session, text_message("hi"))
    return Conversation.objects.get()


@pytest.mark.django_db
def test_it_is_told_once_in_five_seconds_while_wanted(cast: Cast) -> None:
    thread = thread_of(make_session("Shop A"))
    assert thread.session_id is not None
    now = timezone.now()
    typing_sign.show(thread, thread.session_id)
    assert [sign.on for sign in typing_sign.claim_due(now)] == [True]
    typing_sign.show(thread, thread.session_id)
    assert typing_sign.claim_due(now + timedelta(seconds=3)) == []
    assert [sign.on for sign in typing_sign.claim_due(now + timedelta(seconds=5.5))] == [True]


@pytest.mark.django_db
def test_a_forgotten_stop_ends_by_itself_and_only_once(cast: Cast) -> None:
    thread = thread_of(make_session("Shop A"))
    assert thread.session_id is not None
    typing_sign.show(thread, thread.session_id)
    now = timezone.now()
    typing_sign.claim_due(now)
    later = now + timedelta(seconds=7)
    assert [sign.on for sign in typing_sign.claim_due(later)] == [False]
    assert typing_sign.claim_due(later) == []
    assert not Typing.objects.exists()


@pytest.mark.django_db
def test_what_was_never_shown_need_not_be_ended(cast: Cast) -> None:
    thread = thread_of(make_session("Shop A"))
    assert thread.session_id is not None
    typing_sign.show(thread, thread.session_id)
    typing_sign.stop(thread)
    assert typing_sign.claim_due(timezone.now()) == []
    assert not Typing.objects.exists()


@pytest.mark.django_db
def test_the_api_shows_it_by_wechat_id(cast: Cast) -> None:
    thread = thread_of(make_session("Shop A"))
    _, secret = issue_token(owner=cast.agent, name="script")
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    url, kind = "/api/v1/contacts/lina%40im.wechat/typing", "application/json"
    assert client.post(url, {"on": True}, kind).status_code == 202
    assert Typing.objects.get().conversation == thread
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
    thread = await until(lambda: Conversation.objects.filter(unread=1).first(), "stored")

    def is_typing() -> bool:
        return bool(running.control.chat(bot_id, "lina@im.wechat")["typing"])

    await in_thread(typing_sign.show)(thread, session.pk)
    await until(is_typing, "typing is shown")
    await in_thread(typing_sign.stop)(thread)
    await until(lambda: not is_typing(), "typing is over")


async def test_a_ticket_is_kept_until_wechat_refuses_it(running: Running) -> None:
    session = await running.scan("Shop A")
    bot_id = running.bots["Shop A"]
    running.control.add_person("Li Na", user_id="lina@im.wechat")
    running.control.write(bot_id, "lina@im.wechat", text="hello")
    thread = await until(lambda: Conversation.objects.filter(unread=1).first(), "stored")
    desk = running.worker.typing

    async def shown_and_ended() -> list[str]:
        await in_thread(typing_sign.show)(thread, session.pk)
        await until(lambda: running.control.chat(bot_id, "lina@im.wechat")["typing"], "shown")
        tickets = [ticket.value for ticket in desk._tickets.values()]
        await in_thread(typing_sign.stop)(thread)
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
