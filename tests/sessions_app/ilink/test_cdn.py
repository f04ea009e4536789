"""Files to and from the CDN, over a line that may break."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from sessions_app.ilink.cdn import Cdn, bytes_source
from sessions_app.ilink.crypto import decrypt, encrypt
from sessions_app.ilink.errors import (
    CdnError,
    CdnFinalError,
    CdnTransientError,
    CryptoError,
    UnsafeHostError,
)
from sessions_app.ilink.hosts import HostPolicy
from sessions_app.ilink.wire import Media, UploadTarget

from .raw_server import Answer, Request, raw_server, resets, response, says

KEY = bytes(range(16))
DATA = bytes(range(256)) * 2_000
STORED = response(200, x_encrypted_param="down=load/param")
TARGET = UploadTarget(upload_param="a/b+c&d", upload_full_url="")


class Pauses(list[float]):
    async def __call__(self, pause_s: float) -> None:
        self.append(pause_s)


@contextlib.asynccontextmanager
async def cdn_at(url: str, pauses: Pauses | None = None) -> AsyncIterator[Cdn]:
    cdn = Cdn(
        base_url=f"{url}/c2c", hosts=HostPolicy(url), sleep=Pauses() if pauses is None else pauses
    )
    try:
        yield cdn
    finally:
        await cdn.aclose()


def media(*, param: str = "p", key: str = KEY.hex(), full_url: str = "") -> Media:
    return Media(encrypt_query_param=param, aes_key=key, full_url=full_url, encrypt_type=1)


async def fetched(
    cdn: Cdn, what: Media, max_bytes: int = len(DATA), deadline_s: float = 9
) -> bytes:
    chunks = cdn.download(what, max_bytes=max_bytes, deadline_s=deadline_s)
    return b"".join([chunk async for chunk in chunks])


async def stored(cdn: Cdn, target: UploadTarget = TARGET, size: int = len(DATA)) -> str:
    return await cdn.upload(
        target, file_key="f" * 32, key=KEY, source=bytes_source(DATA), size=size
    )


async def test_a_file_is_fetched_and_opened() -> None:
    answer = says(response(200, encrypt(DATA, KEY)))
    async with raw_server(answer) as server, cdn_at(server.url) as cdn:
        assert await fetched(cdn, media(param="a/b+c&d=")) == DATA
    assert server.requests[0].target == "/c2c/download?encrypted_query_param=a%2Fb%2Bc%26d%3D"
    assert "authorization" not in server.requests[0].headers


async def test_a_file_without_a_key_is_plain() -> None:
    async with raw_server(says(response(200, DATA))) as server, cdn_at(server.url) as cdn:
        assert await fetched(cdn, media(key="")) == DATA


async def test_a_full_address_is_followed_byte_for_byte() -> None:
    answer = says(response(200, encrypt(DATA, KEY)))
    async with raw_server(answer) as server, cdn_at(server.url) as cdn:
        await fetched(cdn, media(full_url=f"{server.url}/x?sig=a%2Fb+c=="))
    assert server.requests[0].target == "/x?sig=a%2Fb+c=="


async def test_an_address_elsewhere_is_not_followed() -> None:
    async with raw_server(says(STORED)) as server, cdn_at(server.url) as cdn:
        with pytest.raises(UnsafeHostError):
            await fetched(cdn, media(full_url="https://evil.com/x"))
        with pytest.raises(UnsafeHostError):
            await stored(cdn, UploadTarget("p", "http://evil.com/x"))
        assert server.requests == []


async def test_a_file_from_nowhere_is_final() -> None:
    async with raw_server(says(STORED)) as server, cdn_at(server.url) as cdn:
        with pytest.raises(CdnFinalError):
            await fetched(cdn, media(param=""))


async def cuts(_request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(response(200, encrypt(DATA, KEY))[:-100])
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def endless(_request: Request, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(bytes(65_536))
        await writer.drain()


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (says(response(404)), CdnFinalError),
        (says(response(302, location="http://evil.com/")), CdnTransientError),
        (says(response(500)), CdnTransientError),
        (resets, CdnTransientError),
        (cuts, CdnTransientError),
        (endless, CdnFinalError),
        (says(response(200, encrypt(DATA + b"x" * 16, KEY))), CdnFinalError),
        (says(response(200, encrypt(DATA, KEY)[:-1])), CryptoError),
        (says(response(200, encrypt(DATA, b"x" * 16))), CryptoError),
        (says(response(200)), CryptoError),
    ],
)
async def test_a_file_that_cannot_be_fetched_says_why(
    answer: Answer, error: type[Exception]
) -> None:
    async with raw_server(answer) as server, cdn_at(server.url) as cdn:
        with pytest.raises(error):
            await fetched(cdn, media())


async def test_a_trickle_does_not_outlast_its_deadline() -> None:
    async with raw_server(endless) as server, cdn_at(server.url) as cdn:
        with pytest.raises(CdnTransientError):
            await fetched(cdn, media(key=""), max_bytes=10**12, deadline_s=0.05)


async def test_a_download_may_be_left_early() -> None:
    async with (
        raw_server(endless) as server,
        cdn_at(server.url) as cdn,
        contextlib.aclosing(cdn.download(media(key=""), max_bytes=10**12)) as chunks,
    ):
        assert await anext(chunks)


async def test_an_upload_is_encrypted_and_brings_its_parameter() -> None:
    async with raw_server(says(STORED)) as server, cdn_at(server.url) as cdn:
        assert await stored(cdn) == "down=load/param"
    (request,) = server.requests
    assert (request.method, decrypt(request.body, KEY)) == ("POST", DATA)
    assert request.target == (f"/c2c/upload?encrypted_query_param=a%2Fb%2Bc%26d&filekey={'f' * 32}")
    assert request.headers["content-type"] == "application/octet-stream"
    assert "transfer-encoding" not in request.headers


async def test_an_upload_prefers_the_full_address() -> None:
    async with raw_server(says(STORED)) as server, cdn_at(server.url) as cdn:
        await stored(cdn, UploadTarget("p", f"{server.url}/full?x=%2B"))
    assert server.requests[0].target == "/full?x=%2B"


async def test_a_refused_upload_is_final_and_gives_the_reason() -> None:
    refused = response(403, x_error_message="bad filekey")
    async with raw_server(says(refused)) as server, cdn_at(server.url) as cdn:
        with pytest.raises(CdnFinalError) as caught:
            await stored(cdn)
    assert (caught.value.status, caught.value.reason) == (403, "bad filekey")
    assert "bad filekey" in str(caught.value)
    assert len(server.requests) == 1


@pytest.mark.parametrize("ill", [response(500), response(200)])
async def test_an_ill_cdn_is_asked_three_times(ill: bytes) -> None:
    pauses = Pauses()
    async with raw_server(says(ill)) as server, cdn_at(server.url, pauses) as cdn:
        with pytest.raises(CdnTransientError):
            await stored(cdn)
    assert (len(server.requests), len(pauses)) == (3, 2)


async def test_a_later_try_reads_the_file_from_its_beginning() -> None:
    answer = says(response(502), response(503), STORED)
    async with raw_server(answer) as server, cdn_at(server.url) as cdn:
        assert await stored(cdn) == "down=load/param"
    assert decrypt(server.requests[2].body, KEY) == DATA


@pytest.mark.parametrize("size", [len(DATA) - 1, len(DATA) + 1])
async def test_a_file_that_changed_its_size_is_not_sent(size: int) -> None:
    async with raw_server(says(STORED)) as server, cdn_at(server.url) as cdn:
        with pytest.raises(CdnFinalError):
            await stored(cdn, size=size)
    assert server.requests == []


def test_only_some_errors_are_worth_another_try() -> None:
    assert issubclass(CdnFinalError, CdnError)
