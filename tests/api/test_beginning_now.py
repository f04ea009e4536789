"""`after=now`: a program begins with what comes from now on, and misses nothing of it."""

import asyncio
from typing import Any

import pytest

from messaging.models import Conversation, Message
from sessions_app.models import Session, Team, User
from sessions_app.people.roles import Role
from sessions_app.realtime import streams
from tests.api.callers import Caller, calling, token_of
from tests.api.conftest import Shop
from tests.api.on_asgi import ask, asked
from tests.api.test_long_polls import waiting_calls
from tests.conftest import Cast, in_thread, make_user
from tests.messaging.builders import make_session, receive, text_message


@pytest.fixture
def caller(cast: Cast) -> Caller:
    return calling(cast.agent)


def texts(page: Any) -> list[str]:
    return [one["text"] for one in page["items"]]


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/messages", "/conversations/{}/messages"])
def test_the_first_answer_is_empty_and_names_the_place(
    caller: Caller, shop: Shop, path: str
) -> None:
    path = path.format(shop.conversation.pk)
    first = caller.get(path, after="now").body
    assert (first["items"], first["next"]) == ([], None)
    assert first["last_id"] == str(shop.message.pk)
    receive(shop.session, text_message("between the calls"))
    second = caller.get(path, after=first["last_id"]).body
    assert texts(second) == ["between the calls"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query", [{"direction": "out"}, {"user": "guo@im.wechat"}, {"session": "Shop B"}, {"limit": 1}]
)
def test_the_place_is_the_same_whatever_is_asked_for(
    caller: Caller, shop: Shop, query: dict[str, Any]
) -> None:
    make_session("Shop B")
    assert caller.get("/messages", after="now", **query).body["last_id"] == str(shop.message.pk)


@pytest.mark.django_db
def test_in_an_empty_console_it_begins_at_the_start(caller: Caller) -> None:
    assert caller.get("/messages", after="now").body["last_id"] == "0"
    receive(make_session("Shop A"), text_message("first of all"))
    assert texts(caller.get("/messages", after="0").body) == ["first of all"]


@pytest.mark.django_db
def test_what_comes_to_the_team_later_from_before_is_not_news(
    caller: Caller, shop: Shop, cast: Cast
) -> None:
    """Who meets nothing yet begins now, too, and not at the beginning of all."""
    elsewhere = calling(cast.agent_elsewhere)
    place = elsewhere.get("/messages", after="now").body["last_id"]
    Conversation.objects.update(team=cast.other_team)
    assert elsewhere.get("/messages", after=place).body["items"] == []
    receive(shop.session, text_message("new"))
    assert texts(elsewhere.get("/messages", after=place).body) == ["new"]


@pytest.mark.django_db
def test_a_cursor_goes_on_where_its_page_ended_beside_now(caller: Caller, shop: Shop) -> None:
    receive(shop.session, *[text_message(str(number)) for number in range(4)])
    page = caller.get("/messages", limit=2, after=shop.message.pk).body
    rest = caller.get("/messages", after="now", cursor=page["next"]).body
    assert texts(page) + texts(rest) == ["0", "1", "2", "3"]


@pytest.mark.django_db
@pytest.mark.parametrize("after", ["Now", "now ", "now1", "1now", "later", "nownow"])
def test_another_word_is_no_place(caller: Caller, shop: Shop, after: str) -> None:
    answer = caller.get("/messages", after=after)
    assert (answer.status, answer.code) == (422, "invalid")
    assert answer.body["error"]["field"] == "after"


@pytest.fixture
def agent(seeded: Team) -> User:
    return make_user("wei", Role.AGENT, seeded)


@pytest.fixture
async def session(seeded: Team) -> Session:
    streams.attach_loop(asyncio.get_running_loop())
    made: Session = await in_thread(make_session)()
    return made


async def test_with_wait_it_answers_with_the_first_that_comes(
    agent: User, session: Session
) -> None:
    secret = await in_thread(token_of)(agent)
    await in_thread(receive)(session, text_message("before"))
    call = await asked(secret, "GET", "/messages?after=now&wait=20")
    await waiting_calls()
    await in_thread(receive)(session, text_message("news"))
    answer = await call.answer()
    assert texts(answer.body) == ["news"]
    assert answer.body["last_id"] == answer.body["items"][0]["id"]


async def test_after_a_wait_in_vain_it_goes_on_without_a_gap(agent: User, session: Session) -> None:
    secret = await in_thread(token_of)(agent)
    await in_thread(receive)(session, text_message("before"))
    empty = (await ask(secret, "GET", "/messages?after=now&wait=0.2")).body
    last = await Message.objects.order_by("-pk").values_list("pk", flat=True).afirst()
    assert (empty["items"], empty["last_id"]) == ([], str(last))
    await in_thread(receive)(session, text_message("between"))
    found = (await ask(secret, "GET", f"/messages?after={empty['last_id']}&wait=20")).body
    assert texts(found) == ["between"]
