"""A token or a login counts by itself once the database has it; a look is made rarely."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils import timezone

from sessions_app.models import Team, User
from sessions_app.people import tokens
from sessions_app.people.roles import Role
from tests.conftest import make_user
from weilink_site.bounds import callers as room
from weilink_site.bounds import limits
from weilink_site.bounds.callers import Caller, Callers, Credential

PEER = "192.0.2.1"
CALL = "/api/v1/messages"


def token(secret: str) -> list[tuple[bytes, bytes]]:
    return [(b"authorization", f"Bearer {secret}".encode())]


def login(key: str) -> list[tuple[bytes, bytes]]:
    return [(b"cookie", f"weilink_csrf=x; weilink_session={key}".encode())]


class Looking:
    """Callers with a clock of the test; `seen`: what was looked at."""

    def __init__(self, answer: Callable[[Credential], bool]) -> None:
        self.now = 1_000.0
        self.seen: list[str] = []
        self._answer = answer
        self.callers = Callers(self._look, clock=lambda: self.now)

    def _look(self, shown: Credential) -> bool:
        self.seen.append(shown.secret)
        return self._answer(shown)

    async def of(self, headers: list[tuple[bytes, bytes]], path: str = CALL) -> Caller:
        return await self.callers.of(path, headers, PEER)


async def test_a_valid_one_is_looked_at_once_a_minute_by_any_number_of_requests() -> None:
    looking = Looking(lambda _: True)
    found = await asyncio.gather(*(looking.of(token("wlk_a")) for _ in range(50)))
    assert len({one.name for one in found}) == 1
    assert found[0].is_program
    assert "wlk_a" not in found[0].name
    assert looking.seen == ["wlk_a"]
    looking.now += limits.KNOWN_S - 1
    assert looking.callers.at_once(CALL, token("wlk_a"), PEER) == found[0]
    looking.now += 2
    assert looking.callers.at_once(CALL, token("wlk_a"), PEER) is None
    await looking.of(token("wlk_a"))
    assert looking.seen == ["wlk_a"] * 2


async def test_one_that_is_not_valid_counts_for_its_address_and_is_looked_at_rarely() -> None:
    looking = Looking(lambda _: False)
    for _ in range(3):
        found = await looking.of(login("made-up"))
        assert found == Caller("address:192.0.2.1", is_stranger=True)
    assert looking.seen == ["made-up"]


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "Bearer   ", "wlk_a"])
async def test_what_is_no_token_needs_no_look(header: str) -> None:
    looking = Looking(lambda _: True)
    found = await looking.of([(b"authorization", header.encode()), *login("a")])
    assert found.is_stranger
    assert looking.seen == []


async def test_pages_go_by_the_cookie_and_calls_by_the_token_first() -> None:
    looking = Looking(lambda _: True)
    both = [*token("wlk_a"), *login("b")]
    for path, secret in ((CALL, "wlk_a"), ("/metrics", "wlk_a"), ("/inbox/", "b")):
        looking.seen.clear()
        looking.now += 100
        await looking.of(both, path)
        assert looking.seen == [secret]


@pytest.mark.parametrize("problem", [OperationalError("away"), OSError("broken")])
async def test_while_the_database_is_away_requests_count_for_their_address(
    problem: Exception,
) -> None:
    def away(_: Credential) -> bool:
        raise problem

    looking = Looking(away)
    for secret in ("wlk_a", "wlk_b"):
        assert (await looking.of(token(secret))).is_unsure
    assert looking.seen == ["wlk_a"]  # nobody waits for it again and again
    looking.now += limits.AWAY_S + 1
    await looking.of(token("wlk_b"))
    assert looking.seen == ["wlk_a", "wlk_b"]


async def test_a_database_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LOOK_S", 0.02)
    goes_on = threading.Event()
    looking = Looking(lambda _: goes_on.wait(20))
    try:
        assert (await looking.of(token("wlk_a"))).is_unsure
    finally:
        goes_on.set()


async def test_there_is_an_end_to_what_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_KNOWN", 3)
    looking = Looking(lambda _: True)
    for number in range(5):
        await looking.of(token(f"wlk_{number}"))
    known = [looking.callers.at_once(CALL, token(f"wlk_{n}"), PEER) for n in range(5)]
    assert [one is not None for one in known] == [False, False, True, True, True]


@pytest.fixture
def agent(seeded: Team) -> User:
    return make_user("wei", Role.AGENT, seeded)


def test_the_database_knows_tokens_and_logins_and_their_ends(agent: User) -> None:
    row, secret = tokens.issue_token(owner=agent, name="test")
    browser = Client()
    browser.force_login(agent)
    key = browser.cookies["weilink_session"].value
    shown = Credential(is_token=True, secret=secret), Credential(is_token=False, secret=key)
    assert [room.is_valid(one) for one in shown] == [True, True]
    tokens.revoke_token(row)
    browser.logout()
    assert [room.is_valid(one) for one in shown] == [False, False]


@pytest.mark.parametrize("end", ["disabled", "expired", "password"])
def test_what_ended_otherwise_is_not_valid(agent: User, end: str) -> None:
    row, secret = tokens.issue_token(owner=agent, name="test")
    browser = Client()
    browser.force_login(agent)
    key = browser.cookies["weilink_session"].value
    if end == "disabled":
        User.objects.update(is_active=False)
    elif end == "expired":
        type(row).objects.update(expires_at=timezone.now())
    else:
        agent.set_password("another one")
        agent.save()
    found = [
        room.is_valid(Credential(is_token=True, secret=secret)),
        room.is_valid(Credential(is_token=False, secret=key)),
    ]
    expected: dict[str, Any] = {
        "disabled": [False, False],
        "expired": [False, True],
        "password": [True, False],
    }
    assert found == expected[end]


@pytest.mark.parametrize("secret", ["", "x", "wlk_", "wlk_" + "x" * 43, "\udcff", "x" * 5_000])
def test_made_up_secrets_are_not_valid(seeded: Team, secret: str) -> None:
    assert not room.is_valid(Credential(is_token=True, secret=secret))
    assert not room.is_valid(Credential(is_token=False, secret=secret))
