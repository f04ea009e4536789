"""The websocket of a page: who may open it, what its frames say, and that nothing is missed."""

import asyncio
import json
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group
from django.utils import timezone

from messaging.models import Conversation
from sessions_app.database.browser_keys import SessionStore
from sessions_app.models import SignedInBrowser, Team, User
from sessions_app.people import browsers
from sessions_app.people.roles import Role
from sessions_app.realtime import consumers, hub, streams
from sessions_app.realtime.consumers import LiveConsumer
from tests.conftest import in_thread, make_user
from tests.messaging.builders import make_session, receive, text_message
from weilink_site.asgi import application

OURS = b"http://localhost:8000"


def _cookie(user: User) -> bytes:
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    return f"weilink_session={store.session_key}".encode()


def _socket(cookie: bytes = b"", origin: bytes = OURS) -> WebsocketCommunicator:
    headers = [(b"origin", origin), (b"host", b"localhost:8000")]
    if cookie:
        headers.append((b"cookie", cookie))
    return WebsocketCommunicator(application, "/ws/live/", headers)


@pytest.fixture
def agent(seeded: Team) -> User:
    return make_user("wei", Role.AGENT, seeded)


async def _open(user: User) -> tuple[WebsocketCommunicator, dict[str, Any]]:
    socket = _socket(await in_thread(_cookie)(user))
    connected, _ = await socket.connect()
    assert connected
    return socket, await socket.receive_json_from()


async def test_without_a_login_it_is_closed(seeded: Team) -> None:
    connected, code = await _socket().connect()
    assert (connected, code) == (False, 4401)


async def test_one_person_has_so_many_pages_and_no_more(
    agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "MOST_PER_PERSON", 2)
    one, _hello = await _open(agent)
    two, _hello = await _open(agent)
    cookie = await in_thread(_cookie)(agent)
    assert await _socket(cookie).connect() == (False, 4429)
    await one.disconnect()
    three, _hello = await _open(agent)
    for socket in (two, three):
        await socket.disconnect()
    assert not consumers._open[agent.pk]


@pytest.mark.parametrize(
    "origin",
    [
        b"https://evil.example",
        b"null",
        b"",
        b"http://localhost.evil.com",
        b"http://localhost:3000",
        b"http://localhost:8000@evil.example",
        b"file://localhost:8000",
    ],
)
async def test_another_sites_page_cannot_open_it(agent: User, origin: bytes) -> None:
    cookie = await in_thread(_cookie)(agent)
    connected, _ = await _socket(cookie, origin).connect()
    assert not connected


async def test_a_disabled_person_cannot_open_it(agent: User) -> None:
    cookie = await in_thread(_cookie)(agent)
    await User.objects.filter(pk=agent.pk).aupdate(is_active=False)
    connected, _ = await _socket(cookie).connect()
    assert not connected


async def test_it_says_the_numbers_and_hints_at_each_change(agent: User, seeded: Team) -> None:
    streams.attach_loop(asyncio.get_running_loop())
    socket, hello = await _open(agent)
    key = f"team:{seeded.pk}"
    assert hello["type"] == "hello"
    before = hello["streams"][key]
    session = await in_thread(make_session)()
    await in_thread(receive)(session, text_message("hello"))

    hint = await socket.receive_json_from()
    assert hint["type"] == "hint"
    assert hint["streams"][key] == before + 1
    assert any(topic.startswith("conversation:") for topic in hint["about"])
    assert "hello" not in str(hint)
    await socket.disconnect()


async def test_many_changes_at_once_are_few_frames_with_the_last_number(
    agent: User, seeded: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "COALESCE_S", 1.0)
    streams.attach_loop(asyncio.get_running_loop())
    socket, _ = await _open(agent)

    def receive_many() -> None:
        session = make_session()
        for number in range(20):
            receive(session, text_message(str(number)))

    receiving = asyncio.ensure_future(in_thread(receive_many)())
    key, frames, last = f"team:{seeded.pk}", 0, 0
    while last < 20:
        frame = await socket.receive_json_from(timeout=20)
        frames, last = frames + 1, frame["streams"][key]
    await receiving
    assert last == 20
    assert frames < 20
    await socket.disconnect()


async def test_the_other_teams_changes_are_not_heard(agent: User, seeded: Team) -> None:
    streams.attach_loop(asyncio.get_running_loop())
    other = await Team.objects.acreate(name="Other team")
    socket, _ = await _open(agent)
    session = await in_thread(make_session)("Theirs", team=other)
    await in_thread(receive)(session, text_message("secret"))

    assert await socket.receive_nothing(timeout=0.3)
    await socket.disconnect()


async def test_heartbeats_carry_the_numbers(
    agent: User, seeded: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LiveConsumer, "beat_s", 0.2)
    session = await in_thread(make_session)()
    await in_thread(receive)(session, text_message("before the page was opened"))
    socket, _ = await _open(agent)
    beat = await _frame(socket, "beat")
    assert beat["streams"][f"team:{seeded.pk}"] >= 1
    await socket.disconnect()


async def test_a_page_that_answers_no_heartbeat_is_closed(
    agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LiveConsumer, "beat_s", 0.05)
    socket, _ = await _open(agent)
    for _ in range(20):
        event = await socket.receive_output(timeout=2)
        if event["type"] == "websocket.close":
            return
    pytest.fail("the socket of a silent page stays open")


@pytest.mark.parametrize("change", ["team", "role", "no role"])
async def test_a_changed_permission_reloads_the_page(
    agent: User, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.setattr(hub, "SWEEP_S", 0.05)
    socket, _ = await _open(agent)

    def change_rights() -> None:
        if change == "team":
            agent.teams.clear()
        else:
            roles = [Role.VIEWER] if change == "role" else []
            agent.groups.set(Group.objects.filter(name__in=roles))

    await in_thread(change_rights)()
    frame = await socket.receive_json_from(timeout=2)
    while frame["type"] == "beat":
        await socket.send_json_to({"type": "beat"})
        frame = await socket.receive_json_from(timeout=2)
    assert frame == {"type": "reload"}


@pytest.mark.parametrize("ended_by", ["sign-out", "elsewhere", "idle", "password", "disabled"])
async def test_a_sign_out_closes_it(
    agent: User, monkeypatch: pytest.MonkeyPatch, ended_by: str
) -> None:
    monkeypatch.setattr(hub, "SWEEP_S", 0.05)
    socket, _ = await _open(agent)

    def end() -> None:
        if ended_by == "sign-out":
            SignedInBrowser.objects.all().delete()
        elif ended_by == "elsewhere":
            browsers.sign_out(agent, agent.browsers.get().session_key)
        elif ended_by == "idle":
            agent.browsers.update(expire_date=timezone.now())
        elif ended_by == "password":
            agent.set_password("another")
            agent.save()
        else:
            User.objects.update(is_active=False)

    await in_thread(end)()
    event = await socket.receive_output(timeout=2)
    while event["type"] == "websocket.send":
        await socket.send_json_to({"type": "beat"})
        event = await socket.receive_output(timeout=2)
    assert (event["type"], event["code"]) == ("websocket.close", 4401)


def showing(**shown: str) -> dict[str, str]:
    """What the page of the inbox says of itself."""
    return {"type": "showing", "kind": "inbox", "list": "", "language": "en", **shown}


async def _frame(socket: WebsocketCommunicator, kind: str = "frame") -> dict[str, Any]:
    while True:
        frame: dict[str, Any] = await socket.receive_json_from(timeout=20)
        if frame["type"] == kind:
            return frame


async def test_a_page_that_says_what_it_shows_is_sent_what_changed_and_the_counts(
    agent: User, seeded: Team
) -> None:
    streams.attach_loop(asyncio.get_running_loop())
    socket, _ = await _open(agent)
    await socket.send_json_to(showing())
    session = await in_thread(make_session)()
    await in_thread(receive)(session, text_message("hello"))

    frame, key = await _frame(socket), f"team:{seeded.pk}"
    while "hello" not in frame["html"]:  # the session was new, too
        frame = await _frame(socket)
    assert frame["streams"][key] == frame["from"][key] + 1
    assert (await _frame(socket, "counts"))["views"]["needs_reply"] == "1"
    await socket.disconnect()


async def test_the_open_conversation_comes_with_the_frame(agent: User, seeded: Team) -> None:
    streams.attach_loop(asyncio.get_running_loop())
    session = await in_thread(make_session)()
    await in_thread(receive)(session, text_message("before"))
    conversation = await Conversation.objects.aget()
    socket, _ = await _open(agent)
    await socket.send_json_to(showing(open=str(conversation.pk)))
    await in_thread(receive)(session, text_message("the newest words"))

    frame = await _frame(socket)
    assert frame["open"] == str(conversation.pk)
    assert 'data-into="messages-' in frame["html"]
    assert "the newest words" in frame["html"]
    await socket.disconnect()


async def test_who_may_not_read_is_sent_neither_words_nor_who_looks(seeded: Team) -> None:
    streams.attach_loop(asyncio.get_running_loop())
    operator = await in_thread(make_user)("otto", Role.OPERATOR, seeded)
    socket, _ = await _open(operator)
    await socket.send_json_to(showing())
    session = await in_thread(make_session)()
    await in_thread(streams.tell)(f"team:{seeded.pk}", {"about": "presence:1", "people": []})
    await in_thread(receive)(session, text_message("secret"))

    hint = await _frame(socket, "hint")
    while not any(topic.startswith("conversation:") for topic in hint["about"]):
        frame = await socket.receive_json_from(timeout=20)
        assert frame["type"] == "hint"
        hint = frame
    await socket.disconnect()


async def _told(socket: WebsocketCommunicator) -> dict[str, Any]:
    """The next frame that is no heartbeat; the close of the socket, if it comes first."""
    while True:
        sent = await socket.receive_output(timeout=20)
        if sent["type"] == "websocket.close":
            return {"type": "closed"}
        frame: dict[str, Any] = json.loads(sent["text"])
        if frame["type"] not in ("beat", "counts", "hint"):
            return frame


@pytest.mark.parametrize("loses", ["team", "role", "login", "password"])
async def test_who_has_lost_the_right_to_read_is_told_of_nobody_at_once(
    agent: User, seeded: Team, monkeypatch: pytest.MonkeyPatch, loses: str
) -> None:
    monkeypatch.setattr(hub, "SWEEP_S", 3_600.0)
    monkeypatch.setattr(hub, "CHECKED_FOR_S", 0.0)
    streams.attach_loop(asyncio.get_running_loop())
    socket, _ = await _open(agent)
    notice = {"about": "presence:1", "people": [{"name": "sue"}]}
    await in_thread(streams.tell)(f"team:{seeded.pk}", notice)
    assert (await _told(socket))["people"] == [{"name": "sue"}]

    def lose() -> None:
        if loses == "team":
            agent.teams.clear()
        elif loses == "role":
            agent.groups.clear()
        elif loses == "login":
            User.objects.filter(pk=agent.pk).update(is_active=False)
        else:
            agent.set_password("another")
            agent.save()

    await in_thread(lose)()
    await in_thread(streams.tell)(f"team:{seeded.pk}", notice)
    last: list[str] = []
    while "closed" not in last:
        last.append((await _told(socket))["type"])
    assert "notice" not in last
    await socket.disconnect()


async def test_another_team_is_not_told_who_looks(seeded: Team) -> None:
    streams.attach_loop(asyncio.get_running_loop())
    other = await Team.objects.acreate(name="Other team")
    elsewhere = await in_thread(make_user)("eve", Role.AGENT, other)
    socket, _ = await _open(elsewhere)
    for team, name in ((seeded, "wei"), (other, "eve")):
        await in_thread(streams.tell)(
            f"team:{team.pk}", {"about": "presence:1", "people": [{"name": name}]}
        )
    assert (await _told(socket))["people"] == [{"name": "eve"}]  # in order, so ours never came
    await socket.disconnect()


async def test_a_page_that_does_not_read_is_sent_no_more_until_it_answers(
    agent: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "MOST_UNREAD", 1)
    monkeypatch.setattr(LiveConsumer, "beat_s", 0.2)
    streams.attach_loop(asyncio.get_running_loop())
    socket, _ = await _open(agent)
    await socket.send_json_to(showing())
    session = await in_thread(make_session)()
    await in_thread(receive)(session, text_message("one"))
    # Its hello alone was more than it may leave unread: only heartbeats come.
    assert (await socket.receive_json_from(timeout=20))["type"] == "beat"
    await socket.disconnect()


async def test_a_hint_that_was_lost_is_found_by_the_sweep(
    agent: User, seeded: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "SWEEP_S", 0.05)
    socket, _ = await _open(agent)
    session = await in_thread(make_session)()
    # No loop is attached, so that the hint goes to a layer of another loop.
    await in_thread(receive)(session, text_message("no hint for this one is heard"))
    hint = await _frame(socket, "hint")
    assert hint["streams"][f"team:{seeded.pk}"] >= 1
    await socket.disconnect()


async def test_when_the_last_page_closes_nothing_runs_on(agent: User) -> None:
    socket, _ = await _open(agent)
    running = hub.hub_of_process(None)
    assert not running.is_over
    await socket.disconnect()
    assert running.is_over
