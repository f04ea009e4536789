"""Headers and base_info: what breaks the rules is recorded, and refused when strict."""

import pytest

from sessions_app.simulator.control.panel import Control

from .conftest import BoundBot, Wire

ALL_FAULTS = {
    "iLink-App-Id is not 'bot'",
    "iLink-App-ClientVersion is not a decimal number",
    "AuthorizationType is not 'ilink_bot_token'",
    "X-WECHAT-UIN is not base64 of a decimal uint32",
    "base_info is missing",
}


async def test_a_right_request_breaks_no_rule(bot: BoundBot, control: Control) -> None:
    await bot.wire.draw()
    await bot.says("hi", bot.hears())
    assert control.violations() == {"items": [], "counts": {}}


async def test_what_is_missing_is_recorded_but_answered(bot: BoundBot, control: Control) -> None:
    response = await bot.wire.client.post(
        "/ilink/bot/getupdates", json={}, headers={"Authorization": f"Bearer {bot.token}"}
    )
    assert response.json()["ret"] == 0
    assert set(control.violations()["counts"]) == ALL_FAULTS


async def test_strict_refuses_what_breaks_the_rules(bot: BoundBot, control: Control) -> None:
    control.switches(strict=True)
    assert (await bot.wire.post("msg/notifystart", bot.token))["ret"] == 0
    bot.wire.base_info = {"channel_version": "1", "bot_agent": "名"}
    answer = await bot.wire.post("msg/notifystart", bot.token)
    assert answer["ret"] == -1
    assert "channel_version" in answer["errmsg"]
    assert "bot_agent" in answer["errmsg"]


@pytest.mark.parametrize("uin", ["", "12345", "MDE=", "NDI5NDk2NzI5Ng==", "LTE="])
async def test_a_uin_that_is_no_uint32_is_recorded(wire: Wire, control: Control, uin: str) -> None:
    headers = wire.post_headers() | {"X-WECHAT-UIN": uin}
    body = {"base_info": wire.base_info}
    await wire.client.post("/ilink/bot/get_bot_qrcode?bot_type=3", json=body, headers=headers)
    assert list(control.violations()["counts"]) == [
        "X-WECHAT-UIN is not base64 of a decimal uint32"
    ]


async def test_a_repeated_uin_is_recorded(bot: BoundBot, control: Control) -> None:
    headers = bot.wire.post_headers(bot.token)
    for _ in range(2):
        await bot.wire.client.post(
            "/ilink/bot/msg/notifystart", json={"base_info": bot.wire.base_info}, headers=headers
        )
    assert list(control.violations()["counts"]) == [
        "X-WECHAT-UIN is not fresh: the one of the last request"
    ]


async def test_a_body_that_is_no_object_is_a_bad_request(wire: Wire) -> None:
    for content in (b"{", b"[]", b"\xff"):
        response = await wire.client.post(
            "/ilink/bot/getupdates", content=content, headers=wire.post_headers()
        )
        assert (response.status_code, response.json()["ret"]) == (200, -1)
