"""No answer of the API tells apart what is another team's and what does not exist.

The calls and their parameters come from the schema, so that a new one is tried without being named
here. Names of sessions must clash across teams; then the answer repeats what was asked for.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction

from messaging.api import app
from messaging.models import Attachment, Conversation, Label, Message, Upload
from messaging.replying import services
from sessions_app.links import scan_links
from sessions_app.login import attempts
from sessions_app.models import Session, SessionState, User
from sessions_app.people.roles import Role
from sessions_app.realtime.streams import announcing
from sessions_app.sessions.binding import Credentials, bind
from tests.api.callers import Caller, calling
from tests.conftest import Cast, make_user
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply

pytestmark = pytest.mark.django_db

OWN = "tom@im.wechat"
CALLS = sorted(
    (method.upper(), path.removeprefix("/api/v1"))
    for path, methods in app.schema()["paths"].items()
    for method in methods
)
QUERIES = sorted(
    (path.removeprefix("/api/v1"), one["name"])
    for path, methods in app.schema()["paths"].items()
    for one in methods.get("get", {}).get("parameters", [])
    if one["in"] == "query"
)
PAGING = {"limit", "cursor", "wait", "seen", "after", "direction", "status"}
"""They name nothing of a team."""


@dataclass
class World:
    """A visitor of another team with every role but one, and what is ours beside what is nowhere.

    `pairs`: name of a parameter → values that lead to something of ours, and values that lead
    nowhere. `secret`: words that no answer may hold, unless the visitor said them.
    """

    caller: Caller
    visitor: User
    pairs: dict[str, tuple[list[Any], Any]]
    secret: list[str] = field(default_factory=list)


@pytest.fixture
def world(cast: Cast) -> World:
    visitor = make_user("vera", Role.AGENT, cast.other_team)
    visitor.groups.set(cast.operator.groups.all() | cast.supervisor.groups.all())
    session, theirs = make_session("Shop A"), make_session("Shop B", team=cast.other_team)
    picture = text_message("look")
    picture["item_list"] = [{"type": 2, "image_item": {"media": {"encrypt_query_param": "x"}}}]
    receive(session, text_message("secret words"), picture)
    receive(theirs, text_message("hello", sender=OWN), cursor="b")
    ours = Conversation.objects.get(session=session)
    services.rename_contact(contact=ours.contact, team_id=cast.team.pk, name="Vip Li", user=None)
    services.write_contact_note(
        contact=ours.contact, team_id=cast.team.pk, note="owes us", user=None
    )
    send_reply(user=cast.agent, conversation=ours, text="our answer", draft_key="1")
    failed = send_reply(user=cast.agent, conversation=ours, text="our answer", draft_key="2")
    Message.objects.filter(pk=failed.pk).update(status="failed", holds_queue=True)
    ours.labels.add(Label.objects.create(team=cast.team, name="Our label"))
    login = attempts.start_login(user=cast.operator, session_name="Shop C", team=cast.team)
    scan_links.make_link(user=cast.operator, team=cast.team, session_name="Shop D")
    upload = Upload.objects.create(owner=cast.agent, kind="file", file_name="ours.pdf")
    numbers = [str(pk) for pk in ours.messages.values_list("pk", flat=True)]
    pairs: dict[str, tuple[list[Any], Any]] = {
        "name": (["Shop A", "Shop C"], "Nowhere"),
        "session": (["Shop A", "Shop C"], "Nowhere"),
        "user_id": (["lina@im.wechat"], "nobody@im.wechat"),
        "user": (["lina@im.wechat"], "nobody@im.wechat"),
        "to": (["lina@im.wechat"], "nobody@im.wechat"),
        "q": (["Vip", "lina", "0001"], "zzzz"),
        "assignee": (["wei"], "nobody"),
        "team": ([cast.team.name], "Nowhere"),
        "login_id": ([login.pk], "absent"),
        "message_id": (numbers, "999999999"),
        "reply_to": (numbers, "999999999"),
        "conversation_id": ([str(ours.pk)], "999999999"),
        "attachment_id": ([str(Attachment.objects.get().pk)], "999999999"),
        "upload_id": ([str(upload.pk)], "0" * 32),
    }
    secret = [
        "Shop A", "Shop C", "Shop D", "Vip", "owes us", "secret words", "our answer", "Our label",
        "lina", "ours.pdf", "wei",
    ]  # fmt: skip
    return World(calling(visitor), visitor, pairs, secret)


def said(world: World, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, str]:
    """The answer; what the call wrote is undone. Words that the visitor sent are left out."""
    with transaction.atomic():
        answer = world.caller(method, path, body, **query)
        transaction.set_rollback(True)
    text = json.dumps(answer.body, ensure_ascii=False, sort_keys=True)
    asked = f"{path} {json.dumps(body)} {query}"
    for word in world.secret:
        assert word not in text or word in asked, (method, path, text)
    return answer.status, text


def same(world: World, method: str, ours: str, absent: str, body: Any, values: Any) -> None:
    mine, nowhere = said(world, method, ours, body), said(world, method, absent, body)
    for one in values:
        mine = mine[0], mine[1].replace(str(one), "…")
    assert mine == nowhere, (method, ours)


BODIES: list[Any] = [
    None,
    {},
    {"new_name": "Fresh"},
    {"code": "123456"},
    {"as": "replace"},
    {"as": "new", "name": "Fresh"},
    {"on": True},
    {"override": True},
    {"name": "x", "note": "y"},
    {"status": "resolved", "assignee": None},
]


@pytest.mark.parametrize(("method", "path"), [one for one in CALLS if "{" in one[1]])
def test_what_is_addressed(world: World, method: str, path: str) -> None:
    name = path.partition("{")[2].partition("}")[0]
    values, absent = world.pairs[name]
    for value in values:
        for body in [None] if method == "GET" else BODIES:
            there = path.replace(f"{{{name}}}", str(value))
            same(world, method, there, path.replace(f"{{{name}}}", absent), body, [value])


def test_our_own_people_are_told_the_difference(world: World, cast: Cast) -> None:
    """Otherwise the tests here would prove nothing."""
    cast.agent.groups.set(world.visitor.groups.all())
    own = calling(User.objects.get(pk=cast.agent.pk))
    read = [path for method, path in CALLS if method == "GET" and "{" in path]
    assert len(read) >= 6
    for path in read:
        name = path.partition("{")[2].partition("}")[0]
        values, absent = world.pairs[name]
        if name in ("attachment_id",):  # its bytes were never fetched
            continue
        assert own.get(path.replace(f"{{{name}}}", str(values[0]))).status == 200, path
        assert own.get(path.replace(f"{{{name}}}", absent)).status == 404, path


@pytest.mark.parametrize(("path", "name"), [one for one in QUERIES if one[1] not in PAGING])
def test_what_is_searched_for(world: World, path: str, name: str) -> None:
    values, absent = world.pairs[name]
    path = path.replace("{user_id}", OWN)
    for value in values:
        assert said(world, "GET", path, **{name: value}) == said(
            world, "GET", path, **{name: absent}
        )


@pytest.mark.parametrize("name", ["to", "session", "reply_to", "upload_id"])
def test_what_a_post_names(world: World, name: str) -> None:
    values, absent = world.pairs[name]

    def body(value: Any) -> Any:
        post: dict[str, Any] = {"to": OWN, "text": "hello"}
        if name == "upload_id":
            return post | {"attachments": [{"kind": "file", "upload_id": value}]}
        return post | {name: value}

    assert said(world, "POST", "/messages", {"to": OWN, "text": "hello"})[0] == 202
    for value in values:
        mine = said(world, "POST", "/messages", body(value))
        assert mine[0] >= 400
        assert mine == said(world, "POST", "/messages", body(absent))
    # To somebody of ours through a session of ours: as if neither existed.
    both = {"to": "lina@im.wechat", "session": "Shop A", "text": "hi"}
    neither = {"to": "nobody@im.wechat", "session": "Nowhere", "text": "hi"}
    assert said(world, "POST", "/messages", both) == said(world, "POST", "/messages", neither)


def test_nobody_learns_who_works_in_another_team(world: World) -> None:
    own = Conversation.objects.get(contact__user_id=OWN)
    answers = {
        said(world, "PATCH", f"/conversations/{own.pk}", {"assignee": one})
        for one in ("wei", "sue", "vic", "nobody")
    }
    assert len(answers) == 1
    assert answers.pop()[0] == 422


@pytest.mark.parametrize("asked", ["SHOP A", "shop a", "Shop A"])
def test_a_name_of_another_team_clashes_as_it_was_asked_for(world: World, asked: str) -> None:
    """An offline or expired session of ours clashes, too, and is as silent."""
    words = f"An account named “{asked}” already exists."
    for state in (SessionState.CONNECTED, SessionState.EXPIRED):
        Session.objects.filter(name="Shop A").update(state=state)
        for path, body in (
            ("/sessions/Shop B/rename", {"new_name": asked}),
            ("/logins", {"name": asked}),
        ):
            answer = world.caller("POST", path, body)
            assert (answer.status, answer.body["error"]["message"]) == (409, words)
            assert "offer" not in answer.body["error"]


def test_a_name_of_the_same_team_clashes_as_it_is_spelled(world: World, cast: Cast) -> None:
    make_session("Shop E", team=cast.other_team)
    answer = world.caller("POST", "/sessions/Shop B/rename", {"new_name": "SHOP e"})
    assert "“Shop E”" in answer.body["error"]["message"]


def test_an_account_bound_again_by_another_team_does_not_say_where(world: World) -> None:
    owner = Session.objects.get(name="Shop B").owner_id
    with announcing() as change:
        bind(
            change,
            Session.objects.get(name="Shop A"),
            Credentials("token", "new@im.bot", "https://ilinkai.weixin.qq.com", owner),
            who=None,
        )
    [shown] = world.caller.get("/sessions").body["items"]
    assert shown["state"] == "expired"
    assert "Shop A" not in json.dumps(shown, ensure_ascii=False)
    assert shown["last_error"].startswith("WeChat signed this account out")


def test_an_offer_names_sessions_that_the_visitor_replies_through_only(
    world: World, cast: Cast
) -> None:
    """Tom wrote to a shop of ours as well; the visitor's post neither uses nor offers it."""
    receive(Session.objects.get(name="Shop A"), text_message("hi", sender=OWN), cursor="c")
    Session.objects.filter(name="Shop B").update(state=SessionState.EXPIRED)
    answer = world.caller("POST", "/messages", {"to": OWN, "text": "hello"})
    assert (answer.status, answer.code) == (409, "session_offline")
    assert answer.body["error"]["offer"] == []
    assert "Shop B" in answer.body["error"]["message"]
    contact = world.caller.get(f"/contacts/{OWN}").body
    assert [one["session"] for one in contact["contexts"]] == ["Shop B"]
