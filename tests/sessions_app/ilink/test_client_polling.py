"""Long polls: what came, what did not, and bodies without end."""

import asyncio
import gzip
import json
from collections.abc import Callable

import httpx
import pytest

from sessions_app.ilink import client as client_module
from sessions_app.ilink.client import ILinkClient
from sessions_app.ilink.errors import (
    GatewayError,
    LineBrokenError,
    NotSentError,
    UnreadableAnswerError,
)
from sessions_app.ilink.wire import LoginStatus, Updates

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
FULL = {"ret": 0, "msgs": [{"message_id": 5}], "get_updates_buf": "next"}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client outwaits the server by 0.1 s, and a whole call lasts 0.4 s longer at most."""
    monkeypatch.setattr(client_module, "POLL_MARGIN_S", 0.1)
    monkeypatch.setattr(client_module, "DEADLINE_MARGIN_S", 0.4)


async def poll(client: ILinkClient, hold_ms: int = 0) -> Updates:
    try:
        return await asyncio.wait_for(client.get_updates("old", hold_ms=hold_ms), 10)
    finally:
        await client.aclose()


async def test_messages_and_the_cursor_arrive(client_of: ClientOf) -> None:
    async with raw_server(says_json(FULL)) as server:
        updates = await poll(client_of(server.url))
    assert [message.message_id for message in updates.messages] == ["5"]
    assert (updates.cursor, updates.code, updates.timed_out) == ("next", 0, False)
    assert json.loads(updates.raw) == FULL
    assert server.requests[0].json["get_updates_buf"] == "old"


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("answer", [stays_silent, says(response(524, b"<html>"))])
async def test_nothing_in_time_is_an_empty_answer(client_of: ClientOf, answer: Answer) -> None:
    async with raw_server(answer) as server:
        updates = await poll(client_of(server.url))
    assert updates.timed_out
    assert (updates.code, updates.cursor, updates.messages) == (0, None, ())


@pytest.mark.parametrize("status", [200, 400, 403])
async def test_a_code_is_returned_and_not_raised(client_of: ClientOf, status: int) -> None:
    refused = {"errcode": -14, "errmsg": "session timeout"}
    async with raw_server(says_json(refused, status=status)) as server:
        updates = await poll(client_of(server.url))
    assert (updates.code, updates.error_message) == (-14, "session timeout")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (resets, LineBrokenError),
        (says(response(500)), GatewayError),
        (says(response(502, b'{"errcode":-14}')), GatewayError),
        (says(response(404, b'{"ret":0}')), GatewayError),
        (says(response(200, b"")), UnreadableAnswerError),
        (says(response(502, b'{"msgs":[')), GatewayError),
    ],
)
async def test_an_ill_gateway_raises(
    client_of: ClientOf, answer: Answer, error: type[Exception]
) -> None:
    async with raw_server(answer) as server:
        with pytest.raises(error):
            await poll(client_of(server.url))


@pytest.mark.parametrize(
    ("body", "may_have_lost"),
    [(b"<html>", False), (b'{"msgs":[', True), (b'{"ret":0', True), (b'{"msgs":[]', False)],
)
async def test_an_answer_that_cannot_be_parsed_says_so_and_is_there_as_bytes(
    client_of: ClientOf, body: bytes, may_have_lost: bool
) -> None:
    async with raw_server(says(response(200, body))) as server:
        updates = await poll(client_of(server.url))
    assert updates.broke_off
    assert (updates.raw, updates.messages, updates.cursor) == (body, (), None)
    assert updates.may_have_lost is may_have_lost


async def test_the_whole_messages_before_a_reset_are_there(client_of: ClientOf) -> None:
    async def breaks(_request: Request, writer: asyncio.StreamWriter) -> None:
        head = b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n"
        writer.write(head + b'{"msgs":[{"message_id":1},{"message_id":2},{"from_user_id":"u3"')
        await writer.drain()
        writer.close()

    async with raw_server(breaks) as server:
        updates = await poll(client_of(server.url))
    assert [one.message_id for one in updates.messages] == ["1", "2"]
    assert updates.named == ("u3",)
    assert updates.missing is not None
    assert updates.missing >= 1
    assert updates.may_have_lost


async def test_an_unreachable_gateway_raises(client_of: ClientOf) -> None:
    async with raw_server(resets) as server:
        url = server.url
    with pytest.raises(NotSentError):
        await poll(client_of(url))


async def endless(_request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b" " * 65_536)
        await writer.drain()


async def drips(_request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def drips_its_head(_request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nx-drip: ")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def stops_half_way(request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"msgs":[')
    await stays_silent(request, writer)


@pytest.mark.usefixtures("impatient")
async def test_a_body_that_stops_half_way_is_a_broken_answer(client_of: ClientOf) -> None:
    async with raw_server(stops_half_way) as server:
        assert (await poll(client_of(server.url))).may_have_lost


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("answer", [endless, drips, drips_its_head])
async def test_a_body_without_its_end_ends_as_a_broken_line(
    client_of: ClientOf, answer: Answer
) -> None:
    async with raw_server(answer) as server:
        with pytest.raises(LineBrokenError):
            await poll(client_of(server.url))


async def test_a_body_of_exactly_the_limit_is_taken(client_of: ClientOf) -> None:
    body = json.dumps(FULL).encode()
    async with raw_server(says(response(200, body))) as server:
        taken = await poll(client_of(server.url, max_body_bytes=len(body)))
        assert taken.cursor == "next"
        cut = await poll(client_of(server.url, max_body_bytes=len(body) - 1))
        assert cut.broke_off
        assert cut.cursor is None


async def test_a_packed_body_is_unpacked_although_we_ask_for_none(client_of: ClientOf) -> None:
    packed = response(200, gzip.compress(json.dumps(FULL).encode()), content_encoding="gzip")
    async with raw_server(says(packed)) as server:
        assert (await poll(client_of(server.url))).cursor == "next"
    assert server.requests[0].headers["accept-encoding"] == "identity"


async def test_a_small_body_that_unpacks_to_a_huge_one_is_refused(client_of: ClientOf) -> None:
    packed = response(200, gzip.compress(b" " * 50_000_000), content_encoding="gzip")
    async with raw_server(says(packed)) as server:
        with pytest.raises(LineBrokenError):
            await poll(client_of(server.url))


async def test_a_poll_that_is_cancelled_leaves_the_client_usable(client_of: ClientOf) -> None:
    arrived = asyncio.Event()

    async def holds_the_first(request: Request, writer: asyncio.StreamWriter) -> None:
        if not arrived.is_set():
            arrived.set()
            await stays_silent(request, writer)
        writer.write(response(200, b"{}"))

    async with raw_server(holds_the_first) as server:
        client = client_of(server.url)
        polling = asyncio.create_task(client.get_updates("old"))
        await asyncio.wait_for(arrived.wait(), 5)
        polling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await polling
        assert (await poll(client)).code == 0


@pytest.mark.parametrize("answer", [stays_silent, says(response(502)), says(response(524))])
async def test_a_held_login_is_still_waiting(client_of: ClientOf, answer: Answer) -> None:
    async with raw_server(answer) as server:
        client = client_of(server.url, token=None)
        status = await client.get_qrcode_status("h", timeout_s=0.1)
        await client.aclose()
    assert status.status is LoginStatus.WAIT


async def test_a_refused_login_is_an_error_and_hides_its_handle(client_of: ClientOf) -> None:
    async with raw_server(says_json({"ret": -1, "errmsg": "no handle-123"})) as server:
        client = client_of(server.url, token=None)
        with pytest.raises(Exception, match="refused") as caught:
            await client.get_qrcode_status("handle-123")
        await client.aclose()
    assert "handle-123" not in str(caught.value)


class SlowToClose(httpx.AsyncBaseTransport):
    """Its closing takes steps, as that of open connections does."""

    def __init__(self) -> None:
        self.began, self.may_end, self.is_closed = asyncio.Event(), asyncio.Event(), False

    async def aclose(self) -> None:
        self.began.set()
        await self.may_end.wait()
        self.is_closed = True


async def test_a_client_closes_its_connections_though_its_user_is_cancelled(
    client_of: ClientOf,
) -> None:
    transport = SlowToClose()
    closing = asyncio.create_task(client_of("http://localhost:1", transport=transport).aclose())
    await transport.began.wait()
    closing.cancel()
    await asyncio.sleep(0)
    assert not closing.done()
    transport.may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert transport.is_closed
