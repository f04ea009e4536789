"""`wait`: woken by what comes, ended by time and by the client; no connection held meanwhile."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import Group
from django.db.backends.signals import connection_created
from django.utils import timezone

from messaging.api.endpoints import waiting
from messaging.models import Conversation
from sessions_app.database.browser_keys import SessionStore, digest_of
from sessions_app.login import attempts
from sessions_app.models import LoginAttempt, LoginState, Session, Team, User
from sessions_app.people import browsers
from sessions_app.people.roles import Role
from sessions_app.realtime import hub, streams
from tests.api.callers import token_of
from tests.api.on_asgi import Call, ask, asked
from tests.conftest import in_thread, make_user, until
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply
from weilink_site.bounds import limits


@pytest.fixture
def agent(seeded: Team) -> User:
    return make_user("wei", Role.AGENT, seeded)


@pytest.fixture
async def session(seeded: Team) -> Session:
    streams.attach_loop(asyncio.get_running_loop())
    made: Session = await in_thread(make_session)()
    return made


def waiters() -> int:
    groups: dict[str, dict[str, float]] = get_channel_layer().groups
    return sum("waiting" in channel for members in groups.values() for channel in members)


async def waiting_calls(count: int = 1) -> None:
    await until(lambda: waiters() >= count, f"{count} calls that wait")


async def test_a_message_wakes_the_wait_at_once(
    agent: User, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LOOK_EVERY_S", 60.0)  # only a hint can wake it in time
    secret = await in_thread(token_of)(agent)
    for number in range(3):
        last = (await ask(secret, "GET", "/messages")).body["last_id"]
        call = await asked(secret, "GET", f"/messages?after={last}&wait=20")
        await waiting_calls()
        assert not call.is_answered
        await in_thread(receive)(session, text_message(str(number)))
        answer = await call.answer()
        assert [one["text"] for one in answer.body["items"]] == [str(number)]


async def test_calls_that_wait_keep_no_other_call_of_their_token_waiting(
    agent: User, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More of them than may run at once; when a message comes, all of them look and answer."""
    monkeypatch.setattr(waiting, "LOOK_EVERY_S", 60.0)
    secret = await in_thread(token_of)(agent)
    count = limits.PAGES.running_each * 2 + 1
    calls = [await asked(secret, "GET", "/messages?wait=20") for _ in range(count)]
    await waiting_calls(count)
    assert (await ask(secret, "GET", "/messages")).status == 200
    await in_thread(receive)(session, text_message("hello"))
    for call in calls:
        assert [one["text"] for one in (await call.answer()).body["items"]] == ["hello"]


async def test_more_waiting_calls_of_one_token_than_it_may_have_are_429(
    agent: User, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LONG_POLLS_EACH", 4)
    secret, other = [await in_thread(token_of)(agent) for _ in range(2)]
    calls = [await asked(secret, "GET", "/messages?wait=20") for _ in range(4)]
    await waiting_calls(4)
    refused = await ask(secret, "GET", "/messages?wait=20")
    assert (refused.status, refused.code) == (429, "too_many_at_once")
    assert refused.headers["Retry-After"] == str(limits.RETRY_CALLER_S)
    assert (await ask(secret, "GET", "/messages")).status == 200
    calls.append(await asked(other, "GET", "/messages?wait=20"))
    await waiting_calls(5)
    await calls.pop(0).give_up()
    calls.append(await asked(secret, "GET", "/messages?wait=20"))
    await waiting_calls(5)
    for call in calls:
        await call.give_up()


async def test_without_any_hint_it_is_found_by_looking(
    agent: User, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LOOK_EVERY_S", 0.05)
    secret = await in_thread(token_of)(agent)
    call = await asked(secret, "GET", "/messages?wait=20")
    await waiting_calls()
    streams.attach_loop(None)  # what comes now is announced to a loop of nobody

    def unheard() -> None:
        get_channel_layer().groups.clear()
        receive(session, text_message("quiet"))

    await in_thread(unheard)()
    answer = await call.answer()
    assert answer.body["items"][0]["text"] == "quiet"


async def test_it_answers_empty_when_the_time_is_over(agent: User, session: Session) -> None:
    secret = await in_thread(token_of)(agent)
    call = await asked(secret, "GET", "/messages?wait=1.2&after=7")
    await waiting_calls()
    answer = await call.answer()
    assert (answer.status, answer.body) == (200, {"items": [], "next": None, "last_id": "7"})
    assert waiters() == 0


async def test_what_is_there_already_is_not_waited_for(agent: User, session: Session) -> None:
    await in_thread(receive)(session, text_message("hello"))
    secret = await in_thread(token_of)(agent)
    answer = await ask(secret, "GET", "/messages?wait=20")
    assert len(answer.body["items"]) == 1


async def test_another_direction_does_not_end_the_wait(agent: User, session: Session) -> None:
    await in_thread(receive)(session, text_message("hello"))
    secret = await in_thread(token_of)(agent)
    call = await asked(secret, "GET", "/messages?wait=1.5&direction=out&user=lina@im.wechat")
    await waiting_calls()
    await in_thread(receive)(session, text_message("more"))
    assert (await call.answer()).body["items"] == []

    call = await asked(secret, "GET", "/messages?wait=20&direction=out")
    await waiting_calls()

    def reply() -> None:
        conversation = Conversation.objects.get()
        send_reply(user=agent, conversation=conversation, text="out", draft_key="")

    await in_thread(reply)()
    assert [one["text"] for one in (await call.answer()).body["items"]] == ["out"]


async def test_a_client_that_goes_away_ends_its_wait(agent: User, session: Session) -> None:
    secret = await in_thread(token_of)(agent)
    calls = [await asked(secret, "GET", "/messages?wait=20") for _ in range(3)]
    await waiting_calls(3)
    for call in calls:
        await call.give_up()
    assert waiters() == 0
    assert not any(call.is_answered for call in calls)


@pytest.fixture
def opened() -> Iterator[list[Any]]:
    """Django's connections that were opened since, in whatever thread."""
    found: list[Any] = []

    def note(connection: Any, **_: Any) -> None:
        found.append(connection)

    connection_created.connect(note)
    yield found
    connection_created.disconnect(note)


async def test_waiting_calls_hold_no_database_connection(
    agent: User, session: Session, opened: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LOOK_EVERY_S", 30.0)
    secret = await in_thread(token_of)(agent)
    opened.clear()
    calls = [await asked(secret, "GET", "/messages?wait=25") for _ in range(12)]
    await waiting_calls(12)
    assert len(opened) >= 12
    await until(
        lambda: all(one.connection is None for one in opened), "all connections to be given back"
    )
    assert not any(call.is_answered for call in calls)
    await in_thread(receive)(session, text_message("for all"))
    answers = await asyncio.gather(*(call.answer() for call in calls))
    assert {one.body["items"][0]["text"] for one in answers} == {"for all"}


def end_right(agent: User, ending: str) -> None:
    if ending == "revoked":
        agent.api_tokens.update(revoked_at=timezone.now())
    elif ending == "expired":
        agent.api_tokens.update(expires_at=timezone.now())
    elif ending == "disabled":
        User.objects.filter(pk=agent.pk).update(is_active=False)
    elif ending == "moved":
        agent.teams.clear()
    else:
        agent.groups.set([Group.objects.get(name=Role.VIEWER)])


@pytest.mark.parametrize("ending", ["revoked", "expired", "disabled", "moved"])
async def test_who_lost_the_right_while_waiting_gets_nothing(
    agent: User, session: Session, ending: str
) -> None:
    secret = await in_thread(token_of)(agent)
    call = await asked(secret, "GET", "/messages?wait=20")
    await waiting_calls()

    def end() -> None:
        end_right(agent, ending)
        receive(session, text_message("secret"))

    await in_thread(end)()
    answer = await call.answer()
    if ending == "moved":
        assert (answer.status, answer.body["items"]) == (200, [])
    else:
        assert (answer.status, answer.code) == (401, "unauthorized")


@pytest.mark.parametrize("ending", ["revoked", "expired", "disabled", "moved", "other role"])
async def test_a_wait_ends_with_the_right_to_it(
    agent: User, session: Session, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """Though nothing arrives that could be read or refused."""
    monkeypatch.setattr(waiting, "LOOK_EVERY_S", 0.05)
    secret = await in_thread(token_of)(agent)
    call = await asked(secret, "GET", "/messages?wait=30")
    await waiting_calls()

    await in_thread(end_right)(agent, ending)
    answer = await call.answer()
    assert answer.status == (200 if ending in {"moved", "other role"} else 401)


def signed_in(user: User) -> SessionStore:
    store = SessionStore()
    store[SESSION_KEY] = str(user.pk)
    store[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    store[HASH_SESSION_KEY] = user.get_session_auth_hash()
    store.save()
    return store


def end_login(user: User, store: SessionStore, ending: str) -> None:
    if ending == "signed out":
        store.flush()
    elif ending == "signed out elsewhere":
        browsers.sign_out(user, digest_of(str(store.session_key)))
    elif ending == "idle":
        user.browsers.update(expire_date=timezone.now())
    elif ending == "other password":
        user.set_password("another")
        user.save()
    else:
        end_right(user, ending)


ENDINGS = ["signed out", "signed out elsewhere", "idle", "other password", "disabled", "other role"]


@pytest.mark.parametrize("ending", ENDINGS)
async def test_a_browsers_wait_ends_with_its_login(
    agent: User, session: Session, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(waiting, "LOOK_EVERY_S", 0.05)
    store = await in_thread(signed_in)(agent)
    call = Call("", "GET", "/messages?wait=30", cookie=f"weilink_session={store.session_key}")
    await call.start()
    await waiting_calls()
    await in_thread(end_login)(agent, store, ending)
    assert (await call.answer()).status == (200 if ending == "other role" else 401)


@pytest.mark.parametrize("ending", ENDINGS)
async def test_so_does_a_watch_of_a_qr_login(
    seeded: Team, session: Session, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr(waiting, "LOOK_EVERY_S", 0.05)
    operator = await in_thread(make_user)("otto", Role.OPERATOR, seeded)

    def start() -> LoginAttempt:
        return attempts.start_login(user=operator, session_name="New", team=seeded)

    attempt = await in_thread(start)()
    store = await in_thread(signed_in)(operator)
    cookie = f"weilink_session={store.session_key}"
    call = Call("", "GET", f"/logins/{attempt.pk}?wait=30&seen=1", cookie=cookie)
    await call.start()
    await waiting_calls()
    await in_thread(end_login)(operator, store, ending)
    answer = await call.answer()
    assert answer.status == (403 if ending == "other role" else 401)


def test_what_has_ended_is_noticed_in_time() -> None:
    """Long polls and pages end within 5 s, without any hint."""
    assert waiting.LOOK_EVERY_S + 1 < 5
    assert hub.SWEEP_S + 1 < 5


async def test_a_login_is_watched_by_its_version(seeded: Team, session: Session) -> None:
    operator = await in_thread(make_user)("otto", Role.OPERATOR, seeded)
    secret = await in_thread(token_of)(operator)

    def start() -> LoginAttempt:
        return attempts.start_login(user=operator, session_name="New", team=seeded)

    attempt = await in_thread(start)()
    place = f"/logins/{attempt.pk}"
    at_once = await ask(secret, "GET", f"{place}?wait=20&seen=99")
    assert (at_once.body["version"], at_once.body["qr_url"]) == (1, None)

    call: Call = await asked(secret, "GET", f"{place}?wait=20&seen=1")
    await waiting_calls()
    shown: dict[str, Any] = {
        "qrcode_handle": "h", "qr_url": "https://liteapp.example/q", "status": LoginState.WAITING,
    }  # fmt: skip
    await in_thread(lambda: attempts.show_code(attempt.pk, **shown))()
    answer = await call.answer()
    assert (answer.body["version"], answer.body["qr_url"]) == (2, "https://liteapp.example/q")
    assert answer.body["qr_svg"].startswith("<")

    timed = await ask(secret, "GET", f"{place}?wait=0.3&seen=2")
    assert timed.body["version"] == 2
    await in_thread(lambda: attempts.cancel_login(attempt=attempt, user=None))()
    final = await ask(secret, "GET", f"{place}?wait=20&seen=3")
    assert (final.body["status"], final.body["qr_url"]) == ("cancelled", None)
