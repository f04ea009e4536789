"""The life of a QR code: each status of get_qrcode_status, and how an account is bound."""

import asyncio
import time

from sessions_app.simulator.control.panel import Control

from .conftest import BoundBot, Wire, until


async def test_a_drawn_code_waits_and_the_poll_is_held(wire: Wire) -> None:
    handle = (await wire.draw())["qrcode"]
    started = time.monotonic()
    assert (await wire.status(handle))["status"] == "wait"
    assert time.monotonic() - started >= 0.3


async def test_a_plain_get_draws_a_code_too(wire: Wire) -> None:
    response = await wire.client.get(
        "/ilink/bot/get_bot_qrcode?bot_type=3", headers=wire.app_headers
    )
    assert response.json()["qrcode_img_content"].startswith(str(wire.client.base_url))


async def test_scanning_answers_a_held_poll_at_once(wire: Wire, control: Control) -> None:
    control.switches(hold_s=20.0)
    handle = (await wire.draw())["qrcode"]
    poll = asyncio.create_task(wire.status(handle))
    await until(lambda: control.requests().get("/ilink/bot/get_qrcode_status"))
    control.scan(handle, "Lin")
    assert await asyncio.wait_for(poll, 2) == {"ret": 0, "status": "scaned"}


async def test_confirming_gives_the_credentials_again_and_again(
    wire: Wire, control: Control
) -> None:
    handle = (await wire.draw())["qrcode"]
    control.scan(handle, "Lin")
    bot = control.confirm(handle)
    first = await wire.status(handle)
    assert first == await wire.status(handle)
    assert first == {
        "ret": 0,
        "status": "confirmed",
        "bot_token": bot["token"],
        "ilink_bot_id": bot["bot_id"],
        "ilink_user_id": bot["account_id"],
        "baseurl": str(wire.client.base_url).rstrip("/"),
    }


async def test_a_refused_code_is_burnt(wire: Wire, control: Control) -> None:
    handle = (await wire.draw())["qrcode"]
    control.scan(handle, "Lin")
    control.refuse(handle)
    assert (await wire.status(handle))["status"] == "expired"


async def test_a_code_expires_by_the_simulators_clock_while_a_poll_is_held(
    wire: Wire, control: Control
) -> None:
    control.switches(hold_s=20.0)
    handle = (await wire.draw())["qrcode"]
    poll = asyncio.create_task(wire.status(handle))
    await until(lambda: control.requests().get("/ilink/bot/get_qrcode_status"))
    control.advance(301)
    assert (await asyncio.wait_for(poll, 2))["status"] == "expired"


async def test_a_code_expires_in_real_time_while_a_poll_is_held(
    wire: Wire, control: Control
) -> None:
    control.switches(hold_s=20.0, qr_lifetime_s=0.2)
    handle = (await wire.draw())["qrcode"]
    assert (await asyncio.wait_for(wire.status(handle), 2))["status"] == "expired"


async def test_an_unknown_handle_is_expired(wire: Wire) -> None:
    assert (await wire.status("nobody-drew-this"))["status"] == "expired"


async def test_right_digits_lead_on_and_wrong_ones_ask_again(wire: Wire, control: Control) -> None:
    handle = (await wire.draw())["qrcode"]
    digits = control.scan(handle, "Lin", ask_code=True)["digits"]
    wrong = "111111" if digits != "111111" else "222222"
    assert (await wire.status(handle))["status"] == "need_verifycode"
    assert (await wire.status(handle, verify_code=wrong))["status"] == "need_verifycode"
    assert (await wire.status(handle, verify_code=digits))["status"] == "scaned"
    assert control.confirm(handle)["alive"]


async def test_too_many_wrong_digits_block_the_code(wire: Wire, control: Control) -> None:
    handle = (await wire.draw())["qrcode"]
    control.scan(handle, "Lin", ask_code=True)
    answers = [(await wire.status(handle, verify_code="x"))["status"] for _ in range(3)]
    assert answers == ["need_verifycode", "need_verifycode", "verify_code_blocked"]


async def test_a_redirect_names_the_own_host_once_then_goes_on(
    wire: Wire, control: Control
) -> None:
    handle = (await wire.draw())["qrcode"]
    control.scan(handle, "Lin", redirect=True)
    answer = await wire.status(handle)
    assert answer["status"] == "scaned_but_redirect"
    assert answer["redirect_host"] == wire.client.base_url.netloc.decode()
    assert (await wire.status(handle))["status"] == "scaned"


async def test_a_redirect_to_another_host_stays_until_the_client_goes_there(
    wire: Wire, control: Control
) -> None:
    there = f"localhost:{wire.client.base_url.port}"
    control.switches(redirect_host=there)
    handle = (await wire.draw())["qrcode"]
    control.scan(handle, "Lin", redirect=True)
    control.confirm(handle)
    for _ in range(2):
        assert (await wire.status(handle))["redirect_host"] == there
    moved = Wire(wire.client, f"http://{there}/ilink/bot/")
    assert (await moved.status(handle))["status"] == "confirmed"


async def test_an_account_whose_bot_the_client_holds_is_already_bound(
    wire: Wire, bot: BoundBot, control: Control
) -> None:
    handle = (await wire.draw(bot.token))["qrcode"]
    control.scan(handle, "Lin")
    assert (await wire.status(handle)) == {"ret": 0, "status": "binded_redirect"}
    assert control.bot(bot.bot_id)["alive"]


async def test_another_account_is_not_bound_by_held_tokens(
    wire: Wire, bot: BoundBot, control: Control
) -> None:
    handle = (await wire.draw(bot.token))["qrcode"]
    control.scan(handle, "Guo")
    assert (await wire.status(handle))["status"] == "scaned"


async def test_a_second_bot_of_an_account_ends_the_first_and_its_open_poll(
    bot: BoundBot, control: Control
) -> None:
    control.switches(hold_s=20.0)
    poll = asyncio.create_task(bot.polls())
    await until(lambda: control.bot(bot.bot_id)["polls"]["now"])
    second = control.bind("Lin")
    assert (await asyncio.wait_for(poll, 2))["errcode"] == -14
    assert control.bot(bot.bot_id)["ended_because"] == "displaced"
    assert second["bot_id"] != bot.bot_id
    assert "errcode" not in await bot.wire.post("msg/notifystart", second["token"])


async def test_the_same_bot_id_may_come_again_with_a_new_token(
    bot: BoundBot, control: Control
) -> None:
    control.switches(same_bot_id_again=True)
    second = control.bind("Lin")
    assert second["bot_id"] == bot.bot_id
    assert (await bot.polls())["errcode"] == -14
    assert (await bot.wire.updates(second["token"]))["ret"] == 0


async def test_expiry_of_a_session_stands_where_the_switch_says(
    bot: BoundBot, control: Control
) -> None:
    control.end_bot(bot.bot_id)
    seen = []
    for where in ("errcode", "ret", "both"):
        control.switches(session_expired_in=where)
        answer = await bot.polls()
        seen.append((answer.get("errcode"), answer.get("ret")))
    assert seen == [(-14, None), (None, -14), (-14, -14)]
