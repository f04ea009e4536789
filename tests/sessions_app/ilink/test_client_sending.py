"""Each way a send can fail, and what may be believed of the message afterwards."""

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator, Callable

import pytest

from sessions_app.ilink import exchange
from sessions_app.ilink.client import ILinkClient, Transports, asgi_transport
from sessions_app.ilink.errors import (
    AnswerTimeoutError,
    GatewayError,
    ILinkError,
    LineBrokenError,
    NotSentError,
    RefusedError,
    ReplyRefusedError,
    SessionExpiredError,
    UnreadableAnswerError,
)
from sessions_app.ilink.hosts import HostPolicy
from sessions_app.ilink.wire import SendReceipt, text_item

from .conftest import IDENTITY, TOKEN
from .raw_server import (
    Answer,
    Request,
    raw_server,
    resets,
    response,
    says,
    says_json,
    stays_silent,
)

ClientOf = Callable[..., ILinkClient]
CONTEXT = "context-token-secret"
TEXT = "what a person wrote"


async def send(client: ILinkClient) -> SendReceipt:
    try:
        return await client.send_message(
            to_user_id="u", client_id="c", context_token=CONTEXT, item=text_item(TEXT)
        )
    finally:
        await client.aclose()


async def closes_half_way(_request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"message_id":"7')
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def closes_at_once(_request: Request, writer: asyncio.StreamWriter) -> None:
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (resets, LineBrokenError),
        (closes_at_once, LineBrokenError),
        (closes_half_way, LineBrokenError),
        (says(b"this is not HTTP\r\n\r\n"), LineBrokenError),
        (says(b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"), LineBrokenError),
        (says(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"), LineBrokenError),
        (says(response(200, b"not packed", content_encoding="gzip")), LineBrokenError),
        (says(response(500, b"oops")), GatewayError),
        (says(response(502, b'{"ret":-2}')), GatewayError),
        (says(response(524)), GatewayError),
        (says(response(404, b"<html>")), GatewayError),
        (says(response(307, location="/x")), GatewayError),
        (says(response(200, b"<html>")), UnreadableAnswerError),
        (says(response(200)), UnreadableAnswerError),
        (says(response(200, b"[]")), UnreadableAnswerError),
        (says_json({"ret": -1}), RefusedError),
        (says_json({"errcode": "-7"}), RefusedError),
        (says_json({"ret": -2, "errmsg": "rate limited"}), ReplyRefusedError),
        (says_json({"ret": 0, "errcode": -14}), SessionExpiredError),
        (says_json({"errcode": -14}, status=401), SessionExpiredError),
    ],
)
async def test_a_failed_send_is_tried_once_and_told_apart(
    client_of: ClientOf, answer: Answer, error: type[ILinkError]
) -> None:
    async with raw_server(answer) as server:
        with pytest.raises(ILinkError) as caught:
            await send(client_of(server.url))
    assert type(caught.value) is error
    assert len(server.requests) == 1


async def test_the_status_of_the_gateway_is_kept(client_of: ClientOf) -> None:
    async with raw_server(says(response(503))) as server:
        with pytest.raises(GatewayError) as caught:
            await send(client_of(server.url))
    assert caught.value.status == 503


async def test_an_answer_without_an_id_is_a_receipt_without_one(client_of: ClientOf) -> None:
    async with raw_server(says_json({})) as server:
        assert await send(client_of(server.url)) == SendReceipt(None)


async def test_a_port_where_nobody_listens_means_not_sent(client_of: ClientOf) -> None:
    async with raw_server(says_json({})) as server:
        url = server.url
    with pytest.raises(NotSentError):
        await send(client_of(url))


async def test_a_name_that_does_not_resolve_means_not_sent(client_of: ClientOf) -> None:
    with pytest.raises(NotSentError):
        await send(client_of("http://no-such-host.invalid"))


@contextlib.asynccontextmanager
async def listener(greeting: bytes) -> AsyncIterator[str]:
    """An https address where nobody speaks TLS: it greets, if with anything, and waits."""
    lines: list[asyncio.StreamWriter] = []

    async def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines.append(writer)
        writer.write(greeting)
        await writer.drain()

    listening = await asyncio.start_server(greet, "127.0.0.1", 0)
    try:
        yield f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    finally:
        listening.close()
        for line in lines:
            line.transport.abort()


async def test_a_failing_handshake_means_not_sent(client_of: ClientOf) -> None:
    async with listener(b"HTTP/1.1 400 Speak plainly\r\n\r\n") as url:
        with pytest.raises(NotSentError):
            await send(client_of(url))


async def test_a_handshake_that_never_ends_means_not_sent(
    client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "CONNECT_TIMEOUT_S", 0.1)
    async with listener(b"") as url:
        with pytest.raises(NotSentError):
            await send(client_of(url))


async def test_silence_after_the_request_is_a_broken_line(client_of: ClientOf) -> None:
    async with raw_server(stays_silent) as server:
        with pytest.raises(AnswerTimeoutError):
            await send(client_of(server.url, read_timeout_s=0.1))
    assert len(server.requests) == 1


async def test_a_connection_the_server_closed_meanwhile_is_not_used_again(
    client_of: ClientOf,
) -> None:
    closed = asyncio.Event()

    async def answers_and_closes(_request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(response(200, b'{"message_id":"1"}'))
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        closed.set()

    async with raw_server(answers_and_closes) as server:
        client = client_of(server.url)
        await client.notify_start()
        await asyncio.wait_for(closed.wait(), 5)
        assert (await send(client)).message_id == "1"
    assert server.connections == 2


async def test_a_closed_client_sends_nothing(client_of: ClientOf) -> None:
    async with raw_server(says_json({})) as server:
        client = client_of(server.url)
        await client.aclose()
        with pytest.raises(NotSentError):
            await send(client)
    assert server.requests == []


async def test_a_client_closed_during_a_send_says_that_the_line_broke(
    client_of: ClientOf,
) -> None:
    arrived = asyncio.Event()

    async def announces(request: Request, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await stays_silent(request, writer)

    async with raw_server(announces) as server:
        client = client_of(server.url)
        sending = asyncio.create_task(send(client))
        await asyncio.wait_for(arrived.wait(), 5)
        await client.aclose()
        with pytest.raises(LineBrokenError):
            await asyncio.wait_for(sending, 5)


async def test_no_error_and_no_log_line_holds_a_secret(
    client_of: ClientOf, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    refused = {"ret": -1, "errmsg": f"bad token {TOKEN} for {CONTEXT}"}
    async with raw_server(says_json(refused)) as server:
        with pytest.raises(RefusedError) as caught:
            await send(client_of(server.url))
        poller = client_of(server.url)
        polled = await poller.get_updates("")
        await poller.aclose()
    assert "bad token" in str(caught.value)
    for words in (str(caught.value), repr(caught.value), caplog.text):
        assert not any(secret in words for secret in (TOKEN, CONTEXT, TEXT))
    assert TOKEN not in polled.error_message


async def test_transports_share_one_tls_context_and_forget_old_connections() -> None:
    transports = Transports()
    first, second = transports.open(), transports.open()
    pools = [vars(transport)["_pool"] for transport in (first, second)]
    assert pools[0] is not pools[1]
    assert pools[0]._ssl_context is pools[1]._ssl_context
    assert pools[0]._keepalive_expiry == 5.0
    await first.aclose()
    await second.aclose()


async def test_an_asgi_app_can_stand_in_for_the_network() -> None:
    async def app(scope: dict[str, object], receive: object, do: Callable[..., object]) -> None:
        body = json.dumps({"message_id": str(scope["path"])}).encode()
        await do({"type": "http.response.start", "status": 200, "headers": []})  # type: ignore[misc]
        await do({"type": "http.response.body", "body": body})  # type: ignore[misc]

    client = ILinkClient(
        base_url="http://wechat/x",
        identity=IDENTITY,
        hosts=HostPolicy("http://wechat"),
        transport=asgi_transport(app),
    )
    assert (await send(client)).message_id == "/x/ilink/bot/sendmessage"
