"""Every status of a QR login as a program sees it, on a worker and the simulated WeChat."""

from typing import Any

import pytest

from sessions_app.models import LoginAttempt, Session, Team
from sessions_app.people.roles import Role
from tests.api.callers import Answer, token_of
from tests.api.on_asgi import ask
from tests.conftest import Running, in_thread, make_user, until


class Program:
    """Starts a login over HTTP and follows it by `wait` and `seen`."""

    def __init__(self, secret: str, running: Running) -> None:
        self.secret = secret
        self.running = running
        self.now: dict[str, Any] = {}

    async def start(self, **body: Any) -> None:
        answer = await ask(self.secret, "POST", "/logins", body)
        assert answer.status == 201, answer
        self.now = answer.body

    async def until(self, status: str) -> dict[str, Any]:
        """Follow from news to news; what is passed on the way is not lost by polling late."""
        for _ in range(12):
            if self.now["status"] == status:
                return self.now
            await self.news()
        pytest.fail(f"never {status}, last {self.now['status']}")

    async def news(self) -> None:
        place = f"/logins/{self.now['id']}?wait=10&seen={self.now['version']}"
        self.now = (await ask(self.secret, "GET", place)).body

    async def say(self, action: str, body: Any) -> Answer:
        answer = await ask(self.secret, "POST", f"/logins/{self.now['id']}/{action}", body)
        if answer.status == 200:
            self.now = answer.body
        return answer

    async def handle(self) -> str:
        handle = await until(
            lambda: LoginAttempt.objects.get(pk=self.now["id"]).qrcode, "the code's handle"
        )
        return str(handle)


@pytest.fixture
async def program(running: Running, seeded: Team) -> Program:
    operator = await in_thread(make_user)("otto", Role.OPERATOR, seeded)
    return Program(await in_thread(token_of)(operator), running)


async def test_scanned_and_confirmed(program: Program, running: Running) -> None:
    await program.start(name="Shop A")
    assert program.now["qr_url"]
    assert program.now["qr_svg"]
    handle = await program.handle()
    running.control.scan(handle, "Lin")
    await program.until("scanned")
    running.control.confirm(handle)
    done = await program.until("confirmed")
    assert (done["session"], done["qr_url"]) == ("Shop A", None)
    listed = (await ask(program.secret, "GET", "/sessions")).body["items"]
    assert [one["name"] for one in listed] == ["Shop A"]


async def test_digits_wrong_twice_are_said_twice_and_right_ones_connect(
    program: Program, running: Running
) -> None:
    await program.start(name="Shop A")
    handle = await program.handle()
    digits = running.control.scan(handle, "Lin", ask_code=True)["digits"]
    await program.until("verify_code_required")
    wrong = "111111" if digits != "111111" else "222222"
    for _ in range(2):
        given = await program.say("verify-code", {"code": wrong})
        assert given.body["status"] == "scanned"  # until WeChat has judged them
        await program.until("verify_code_wrong")
    given = await program.say("verify-code", {"code": digits})
    await program.news()  # right digits are news too: nobody is left with “checking”
    assert program.now["status"] == "scanned"
    assert program.now["version"] > given.body["version"]
    running.control.confirm(handle)
    await program.until("confirmed")


async def test_too_many_wrong_digits_bring_a_new_code(program: Program, running: Running) -> None:
    running.control.switches(verify_code_tries=1)
    await program.start(name="Shop A")
    handle = await program.handle()
    first = program.now["qr_url"]
    digits = running.control.scan(handle, "Lin", ask_code=True)["digits"]
    await program.until("verify_code_required")
    await program.say("verify-code", {"code": "111111" if digits != "111111" else "222222"})
    blocked = await program.until("verify_code_blocked")
    assert blocked["qr_url"] not in {None, first}


CODES = "/ilink/bot/get_bot_qrcode"


async def test_blocked_digits_and_old_codes_together_bring_three_codes_at_most(
    program: Program, running: Running
) -> None:
    running.control.switches(verify_code_tries=1)
    await program.start(name="Shop A")
    digits = running.control.scan(await program.handle(), "Lin", ask_code=True)["digits"]
    await program.until("verify_code_required")
    await program.say("verify-code", {"code": "111111" if digits != "111111" else "222222"})
    await program.until("verify_code_blocked")
    for status in ("refreshed", "expired"):
        running.control.expire(await program.handle())
        await program.news()
        assert program.now["status"] == status
    assert running.control.requests()[CODES] == 3


async def test_refreshed_and_in_the_end_expired(program: Program, running: Running) -> None:
    await program.start(name="Shop A")
    codes = [program.now["qr_url"]]
    for _ in range(2):
        running.control.expire(await program.handle())
        await program.news()
        assert program.now["status"] == "refreshed"
        codes.append(program.now["qr_url"])
    assert len(set(codes)) == 3
    running.control.expire(await program.handle())
    await program.news()
    assert (program.now["status"], program.now["qr_url"]) == ("expired", None)


async def test_another_account_is_resolved_as_a_new_session(
    program: Program, running: Running
) -> None:
    await running.scan("Shop A", "Lin")
    refused = await ask(program.secret, "POST", "/logins", {"name": "Shop A"})
    assert (refused.status, refused.code) == (409, "already_connected")
    await program.start(name="Shop A", force=True)
    handle = await program.handle()
    running.control.scan(handle, "Guo")
    running.control.confirm(handle)
    await program.until("other_account")
    assert (await program.say("resolve", {"as": "new", "name": "shop a"})).code == "name_in_use"
    resolved = await program.say("resolve", {"as": "new"})
    assert (resolved.body["status"], resolved.body["session"]) == ("confirmed", "Shop A 2")
    assert await Session.objects.acount() == 2


async def test_another_account_replaces_the_old_one(program: Program, running: Running) -> None:
    old = await running.scan("Shop A", "Lin")
    await program.start(name="Shop A", force=True)
    handle = await program.handle()
    running.control.scan(handle, "Guo")
    bot_id = running.control.confirm(handle)["bot_id"]
    await program.until("other_account")
    resolved = await program.say("resolve", {"as": "replace"})
    assert (resolved.body["status"], resolved.body["session"]) == ("confirmed", "Shop A")
    (listed,) = (await ask(program.secret, "GET", "/sessions")).body["items"]
    assert listed["bot_id"] == bot_id != old.bot_id
    assert (await program.say("resolve", {"as": "replace"})).code == "nothing_to_resolve"


async def test_without_a_name_it_is_the_default_session_whatever_its_name(
    program: Program, running: Running
) -> None:
    await program.start()
    assert program.now["session"] == "default"  # there is none yet: its literal name
    handle = await program.handle()
    running.control.scan(handle, "Lin")
    running.control.confirm(handle)
    await program.until("confirmed")
    await ask(program.secret, "POST", "/sessions/default/rename", {"new_name": "Shop A"})
    assert (await ask(program.secret, "POST", "/logins", {})).status == 409
    await program.start(force=True)
    assert program.now["session"] == "Shop A"
    await program.start(name="default")  # a name as any other, not the default session
    assert program.now["session"] == "default"
    assert await Session.objects.acount() == 1


async def test_every_news_has_a_higher_version_and_waits_for_nothing_that_is_known(
    program: Program, running: Running
) -> None:
    await program.start(name="Shop A")
    place = f"/logins/{program.now['id']}"
    versions = [program.now["version"]]
    handle = await program.handle()
    running.control.scan(handle, "Lin")
    await program.until("scanned")
    versions.append(program.now["version"])
    running.control.confirm(handle)
    await program.until("confirmed")
    versions.append(program.now["version"])
    assert versions == sorted(set(versions))
    for query in (f"?wait=30&seen={versions[-1]}", f"?wait=30&seen={versions[0]}", "?wait=30"):
        # Final, or news: at once. Nobody waits 30 s for the answer here.
        assert (await ask(program.secret, "GET", place + query)).body["version"] == versions[-1]


async def test_an_account_that_is_connected_already_changes_nothing(
    program: Program, running: Running
) -> None:
    await running.scan("Shop A", "Lin")
    await program.start(name="Shop B")
    running.control.scan(await program.handle(), "Lin")
    await program.until("already_connected")
    assert await Session.objects.acount() == 1


async def test_failed_and_cancelled(program: Program, running: Running) -> None:
    await program.start(name="Shop A")
    cancelled = await ask(program.secret, "DELETE", f"/logins/{program.now['id']}")
    assert cancelled.body["status"] == "cancelled"
    running.control.switches(redirect_host="evil.example")
    await program.start(name="Shop A")
    running.control.scan(await program.handle(), "Lin", redirect=True)
    await program.until("failed")
