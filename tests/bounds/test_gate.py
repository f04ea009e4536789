"""One caller or all together can have too much under way; normal use never meets a bound."""

import asyncio
import json
from concurrent.futures import Future
from typing import Any

import pytest

from sessions_app.monitoring import meters
from sessions_app.pages import turn
from sessions_app.pages.turn import resting
from tests.bounds.asking import Answer, Asker, Held, statuses, until
from weilink_site.bounds import limits

TOKEN, LOGIN = "valid-token", "valid-login"
CALL = "/api/v1/messages"


async def _after(held: Held, tasks: "list[asyncio.Task[Answer]]") -> list[int]:
    held.open.set()
    async with asyncio.timeout(20):
        await asyncio.gather(*tasks)
    return statuses(tasks)


def _refused(tasks: "list[asyncio.Task[Answer]]") -> int:
    return sum(one.done() for one in tasks)


async def test_one_program_runs_few_calls_at_once_and_too_many_are_429() -> None:
    held = Held()
    asker = Asker(held)
    tasks = asker.asked(150, f"{CALL}?limit=200", token=TOKEN)
    await until(lambda: _refused(tasks) == 150 - limits.PROGRAM_UNDER_WAY)
    await until(lambda: held.running == limits.PAGES.running_each)
    refused = next(one.result() for one in tasks if one.done())
    assert json.loads(refused.body)["error"]["code"] == "too_many_at_once"
    assert refused.headers["Retry-After"] == str(limits.RETRY_CALLER_S)
    assert refused.headers["Content-Type"].startswith("application/json")
    assert refused.headers["Cache-Control"] == "no-store"
    assert "Content-Security-Policy" in refused.headers
    found = await _after(held, tasks)
    assert sorted(found) == [200] * 64 + [429] * 86
    assert held.most == limits.PAGES.running_each


async def test_an_office_behind_one_address_and_a_browser_with_30_pictures_meet_no_bound() -> None:
    held = Held()
    asker = Asker(held)
    pages = [
        one
        for number in range(50)
        for path in ("/inbox/", "/inbox/changes/?since=1")
        for one in asker.asked(2, path, login=f"{LOGIN}-{number}")
    ]
    pictures = asker.asked(30, "/inbox/files/1/", login=LOGIN)
    static = asker.asked(100, "/static/js/console.js")
    await until(lambda: held.running == limits.PAGES.running + limits.STATIC.running_each)
    assert set(await _after(held, [*pages, *pictures, *static])) == {200}
    assert held.most <= limits.PAGES.running + limits.STATIC.running_each


async def test_while_one_caller_has_all_its_requests_open_others_are_served() -> None:
    held = Held()
    asker = Asker(held)
    tasks = asker.asked(limits.PAGES.under_way_each, login=LOGIN)
    await until(lambda: held.running == limits.PAGES.running_each)
    others = [*asker.asked(1, login="valid-other"), *asker.asked(1, "/accounts/login/")]
    await until(lambda: held.running == limits.PAGES.running_each + 2)
    assert set(await _after(held, [*tasks, *others])) == {200}


async def test_health_pages_are_behind_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    held = Held()

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await (held.answer(send) if scope["path"] == "/healthz" else held(scope, receive, send))

    asker = Asker(inner)
    tasks = [
        one
        for number in range(6)
        for one in asker.asked(limits.PAGES.under_way_each, login=f"{LOGIN}-{number}")
    ]
    await until(lambda: _refused(tasks) == 6 * 160 - limits.PAGES.under_way)
    assert (await asker.ask("/healthz")).status == 200
    refused = next(one.result() for one in tasks if one.done())
    assert (refused.status, refused.headers["Retry-After"]) == (503, str(limits.RETRY_ALL_S))
    assert refused.headers["WeiLink-Refusal"] == "503"
    found = await _after(held, tasks)
    assert (found.count(200), found.count(503)) == (limits.PAGES.under_way, 320)


async def test_made_up_tokens_and_cookies_count_for_their_address() -> None:
    held = Held()
    asker = Asker(held)
    tokens = [one for n in range(100) for one in asker.asked(1, CALL, token=f"wlk_{n}")]
    logins = [one for n in range(100) for one in asker.asked(1, login=f"made-up-{n}")]
    tasks = [*tokens, *logins]
    await until(lambda: _refused(tasks) == 200 - limits.PAGES.under_way_each)
    assert held.running == limits.PAGES.running_each
    found = await _after(held, tasks)
    assert set(found) == {200, 429}


@pytest.mark.parametrize(
    ("addresses", "forwarded", "together"),
    [
        (["2001:db8::1", "2001:db8::ffff:1"], ["", ""], True),
        (["2001:db8::1", "2001:db8:0:1::1"], ["", ""], False),
        (["192.0.2.1", "::ffff:192.0.2.1"], ["", ""], True),
        (["192.0.2.1", "192.0.2.1"], ["198.51.100.1", "198.51.100.2"], True),
        (["10.0.0.1", "10.0.0.1"], ["198.51.100.1", "198.51.100.2"], False),
    ],
)
async def test_an_address_is_that_of_the_visitor_and_of_ipv6_the_64(
    settings: Any, addresses: list[str], forwarded: list[str], together: bool
) -> None:
    settings.TRUSTED_PROXIES = ["10.0.0.1"]
    held = Held()
    asker = Asker(held)
    tasks = [
        one
        for address, before in zip(addresses, forwarded, strict=True)
        for one in asker.asked(100, "/accounts/login/", address=address, forwarded_for=before)
    ]
    runs = limits.PAGES.running_each * (1 if together else 2)
    await until(lambda: held.running == runs)
    found = await _after(held, tasks)
    assert found.count(429) == (40 if together else 0)


async def test_long_polls_have_a_bound_of_their_own_and_keep_nobody_waiting() -> None:
    held = Held()

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        if scope["query_string"] == b"wait=30":
            async with resting():
                await held.open.wait()
        await held.answer(send)

    asker = Asker(inner)
    polls = asker.asked(limits.LONG_POLLS_EACH + 8, f"{CALL}?wait=30", token=TOKEN)
    await until(lambda: _refused(polls) == 8)
    for path in (CALL, f"{CALL}?wait=0", f"{CALL}?q=wait%3D30"):
        assert (await asker.ask(path, token=TOKEN)).status == 200
    assert (await asker.ask(CALL, token="valid-other")).status == 200
    found = await _after(held, polls)
    assert (found.count(200), found.count(429)) == (limits.LONG_POLLS_EACH, 8)


async def test_long_polls_that_wake_all_at_once_take_turns() -> None:
    hint, looking, most = asyncio.Event(), 0, 0

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        nonlocal looking, most
        async with resting():
            await hint.wait()
        looking += 1
        most = max(most, looking)
        await asyncio.sleep(0)
        looking -= 1
        await Held().answer(send)

    asker = Asker(inner)
    polls = asker.asked(30, f"{CALL}?wait=30", token=TOKEN)
    await until(lambda: meters.REQUESTS_UNDER_WAY.labels("long_polls")._value.get() == 30)
    hint.set()
    async with asyncio.timeout(20):
        await asyncio.gather(*polls)
    assert set(statuses(polls)) == {200}
    assert most <= limits.PAGES.running_each


async def test_a_file_that_leaves_slowly_keeps_nobody_waiting() -> None:
    taken = asyncio.Event()

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"].startswith("/inbox/files/"):
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await taken.wait()
        await send({"type": "http.response.body", "body": b""})

    asker = Asker(inner)
    files = asker.asked(40, "/inbox/files/1/", login=LOGIN)
    assert (await asker.ask("/inbox/", login=LOGIN)).status == 200
    assert _refused(files) == 0
    taken.set()
    await asyncio.gather(*files)
    assert set(statuses(files)) == {200}


async def test_who_waits_too_long_for_a_turn_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TURN_S", 0.02)
    held = Held()
    asker = Asker(held)
    tasks = asker.asked(limits.PAGES.running_each + 3, login=LOGIN)
    await until(lambda: _refused(tasks) == 3)
    assert sorted(await _after(held, tasks)) == [200] * limits.PAGES.running_each + [503] * 3


@pytest.mark.parametrize("which", ["running", "waiting"])
async def test_who_goes_away_leaves_its_place(which: str) -> None:
    held = Held()
    asker = Asker(held)
    tasks = asker.asked(limits.PAGES.under_way_each, login=LOGIN)
    await until(lambda: held.running == limits.PAGES.running_each)
    assert (await asker.ask(login=LOGIN)).status == 429
    left = tasks.pop(0 if which == "running" else -1)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    again = asker.asked(1, login=LOGIN)
    assert set(await _after(held, [*tasks, *again])) == {200}


async def test_the_turn_of_who_went_away_ends_with_its_thread() -> None:
    """Else somebody who asks and goes away, again and again, would have any number of threads."""
    held = Held()
    lately: Future[Any] = Future()

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        try:
            await held(scope, receive, send)
        except asyncio.CancelledError:
            turn.keep_until(lately)
            raise

    asker = Asker(inner)
    tasks = asker.asked(limits.PAGES.running_each, login=LOGIN)
    await until(lambda: held.running == limits.PAGES.running_each)
    waits = asker.asked(1, login=LOGIN)
    left = tasks.pop()
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    for _ in range(10):
        await asyncio.sleep(0)
    assert held.running == limits.PAGES.running_each - 1
    lately.set_result(None)
    await until(lambda: held.running == limits.PAGES.running_each)
    assert set(await _after(held, [*tasks, *waits])) == {200}


async def test_who_has_its_answer_may_ask_again_at_once() -> None:
    """A program with as many workers as it may have requests meets no bound."""
    slow = asyncio.Event()

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        await Held().answer(send)
        await slow.wait()  # what Django does after an answer

    asker = Asker(inner)
    first = asker.asked(limits.PAGES.running_each, CALL, token=TOKEN)
    await asyncio.sleep(0)
    rest = asker.asked(limits.PROGRAM_UNDER_WAY, CALL, token=TOKEN)
    await asyncio.sleep(0)
    slow.set()
    await asyncio.gather(*first, *rest)
    assert set(statuses([*first, *rest])) == {200}


async def test_an_application_that_breaks_leaves_its_place() -> None:
    async def inner(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("broken")

    asker = Asker(inner)
    before = meters.REQUESTS_UNDER_WAY.labels("pages")._value.get()
    for _ in range(limits.PAGES.under_way_each + 1):
        with pytest.raises(RuntimeError, match="broken"):
            await asker.ask(login=LOGIN)
    assert meters.REQUESTS_UNDER_WAY.labels("pages")._value.get() == before


async def test_a_refusal_is_a_page_for_browsers_and_is_counted() -> None:
    counted = meters.REQUESTS_BOUNDED.labels("caller_busy")
    before, held = counted._value.get(), Held()
    asker = Asker(held)
    tasks = asker.asked(limits.PAGES.under_way_each + 1, login=LOGIN)
    await until(lambda: _refused(tasks) == 1)
    refused = next(one.result() for one in tasks if one.done())
    assert refused.body.decode().startswith("Too many requests at once.")
    assert counted._value.get() == before + 1
    await _after(held, tasks)
