"""What each call puts on the line."""

import base64
from collections.abc import Callable

import pytest

from sessions_app.ilink.client import ILinkClient
from sessions_app.ilink.errors import NotSentError, UnsafeHostError
from sessions_app.ilink.hosts import HostPolicy
from sessions_app.ilink.wire import LoginStatus, UploadKind, UploadRequest, text_item

from .conftest import IDENTITY, TOKEN
from .raw_server import RawServer, raw_server, response, says, says_json

ClientOf = Callable[..., ILinkClient]


async def test_a_post_carries_every_header_the_protocol_names(client_of: ClientOf) -> None:
    async with raw_server(says_json({"message_id": "75"})) as server:
        client = client_of(server.url)
        receipt = await client.send_message(
            to_user_id="u", client_id="c", context_token="ctx", item=text_item("你好")
        )
        await client.aclose()
    (request,) = server.requests
    assert receipt.message_id == "75"
    assert (request.method, request.target) == ("POST", "/ilink/bot/sendmessage")
    headers = request.headers
    assert headers["authorization"] == f"Bearer {TOKEN}"
    assert headers["authorizationtype"] == "ilink_bot_token"
    assert headers["content-type"] == "application/json"
    assert (headers["ilink-app-id"], headers["ilink-app-clientversion"]) == ("bot", "66051")
    assert base64.b64decode(headers["x-wechat-uin"]) == b"4294967295"
    assert request.json["base_info"] == {
        "channel_version": "1.2.3",
        "bot_agent": "WeiLinkConsole/1.2.3",
    }


async def test_a_login_carries_no_token_and_its_handle_is_percent_encoded(
    client_of: ClientOf,
) -> None:
    answer = {"qrcode": "h", "qrcode_img_content": "https://x", "status": "scaned"}
    async with raw_server(says_json(answer)) as server:
        client = client_of(server.url, token=None)
        drawn = await client.get_bot_qrcode(["t1", "t2"])
        status = await client.get_qrcode_status("a/b?c&d=%2F 你", verify_code="12&3")
        await client.aclose()
    drawing, polling = server.requests
    assert (drawn.qrcode, drawn.image_content) == ("h", "https://x")
    assert drawing.target == "/ilink/bot/get_bot_qrcode?bot_type=3"
    assert drawing.json["local_token_list"] == ["t1", "t2"]
    assert "authorization" not in drawing.headers
    assert status.status is LoginStatus.SCANED
    assert (polling.method, polling.body) == ("GET", b"")
    assert polling.target == (
        "/ilink/bot/get_qrcode_status?qrcode=a%2Fb%3Fc%26d%3D%252F%20%E4%BD%A0&verify_code=12%263"
    )
    assert polling.headers["ilink-app-id"] == "bot"
    assert "x-wechat-uin" not in polling.headers


async def test_the_other_calls_find_their_paths(client_of: ClientOf) -> None:
    answer = {"ret": 0, "typing_ticket": "tt", "upload_param": "up", "upload_full_url": "https://f"}
    async with raw_server(says_json(answer)) as server:
        client = client_of(server.url + "/simulator/")
        assert await client.get_config("u", "ctx") == "tt"
        await client.send_typing("u", "tt", True)
        request = UploadRequest("f" * 32, UploadKind.IMAGE, "u", 5, "d" * 32, bytes(16))
        upload = await client.get_upload_url(request)
        await client.notify_start()
        await client.notify_stop()
        await client.aclose()
    assert (upload.upload_param, upload.upload_full_url) == ("up", "https://f")
    assert [
        request.target.removeprefix("/simulator/ilink/bot/") for request in server.requests
    ] == [
        "getconfig",
        "sendtyping",
        "getuploadurl",
        "msg/notifystart",
        "msg/notifystop",
    ]


async def test_calls_in_a_row_share_one_connection(client_of: ClientOf) -> None:
    async with raw_server(says_json({})) as server:
        client = client_of(server.url)
        for _ in range(3):
            await client.notify_start()
        await client.aclose()
    assert (server.connections, len(server.requests)) == (1, 3)


async def test_redirects_are_not_followed(client_of: ClientOf) -> None:
    async with raw_server(says_json({})) as other:
        moved = response(302, location=f"{other.url}/elsewhere")
        async with raw_server(says(moved)) as server:
            client = client_of(server.url)
            with pytest.raises(Exception, match="302"):
                await client.notify_start()
            await client.aclose()
    assert other.requests == []


async def test_a_token_that_no_header_can_carry_is_not_told_to_anybody(
    client_of: ClientOf,
) -> None:
    for token in ("secret\r\nX-Evil: 1", "geheim-ä", "secret "):
        async with raw_server(says_json({})) as server:
            client = client_of(server.url, token=token)
            with pytest.raises(NotSentError) as caught:
                await client.notify_start()
            await client.aclose()
        assert server.requests == []
        assert "secret" not in str(caught.value)
        assert caught.value.__cause__ is None


async def test_an_address_that_is_not_allowed_is_refused_at_once() -> None:
    with pytest.raises(UnsafeHostError):
        ILinkClient(
            base_url="https://evil.com",
            identity=IDENTITY,
            hosts=HostPolicy(RawServer(port=1).url),
        )
