"""The three ways to serve it: mounted under Daphne, as a process of its own, in a thread."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from sessions_app.simulator.app import create_app
from sessions_app.simulator.serve import SimulatorServer, listen
from tests.processes.child import wait_for

from .conftest import PERSON, Wire, until

ROOT = Path(__file__).parents[3]
COMMAND = [sys.executable, str(ROOT / "manage.py"), "simulator"]


def start(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


@pytest.fixture
def alone() -> Iterator[tuple[subprocess.Popen[str], str]]:
    process = start(*COMMAND, "--port", "0")
    assert process.stdout
    found = re.search(r"http://\S+:\d+", process.stdout.readline())
    assert found
    yield process, found[0]
    end(process)


@pytest.fixture
async def mounted() -> AsyncIterator[str]:
    """Under Daphne; the url of the mount."""
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
    module = f"{__package__}.mounted:application"
    process = start(sys.executable, "-m", "daphne", "-v", "0", "-p", str(port), module)
    try:
        await until(lambda: _answers(port), within_s=20)
        yield f"http://127.0.0.1:{port}/simulator"
    finally:
        end(process)


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_alone_it_stops_with_long_polls_open(
    alone: tuple[subprocess.Popen[str], str],
) -> None:
    process, url = alone
    control = f"{url}/simulator/control/"
    with httpx.Client(trust_env=False, timeout=10) as client:
        client.post(control + "switches", json={"hold_s": 600})
        token = client.post(control + "bind", json={"account": "Lin"}).json()["token"]
        body = b'{"base_info":{}}'
        head = f"POST /ilink/bot/getupdates HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}"
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as poll:
            poll.sendall(f"{head}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
            wait_for(lambda: client.get(control + "polls").json()["now"], "the poll open")
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
            assert b'"msgs": []' in poll.recv(65_536)


def test_a_taken_port_is_one_sentence_and_status_1() -> None:
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        result = subprocess.run(
            [*COMMAND, "--port", str(port)], cwd=ROOT, capture_output=True, text=True, timeout=30
        )
    assert result.returncode == 1
    assert result.stderr.count("\n") == 1
    assert f"Port {port}" in result.stderr


async def test_mounted_under_daphne_everything_carries_the_prefix(mounted: str) -> None:
    async with httpx.AsyncClient(base_url=mounted, trust_env=False, timeout=10) as client:
        wire = Wire(client, f"{mounted}/ilink/bot/")
        drawn = await wire.draw()
        assert drawn["qrcode_img_content"].startswith(f"{mounted}/scan?code=")
        control = f"{mounted}/control/"
        await client.post(control + "scan", json={"handle": drawn["qrcode"], "account": "Lin"})
        await client.post(control + "confirm", json={"handle": drawn["qrcode"]})
        answer = await wire.status(drawn["qrcode"])
        assert answer["baseurl"] == mounted
        values: dict[str, Any] = {"bot_id": answer["ilink_bot_id"], "person_id": PERSON}
        await client.post(control + "write", json={**values, "kind": "image"})
        [message] = (await wire.updates(answer["bot_token"]))["msgs"]
        full_url = message["item_list"][0]["image_item"]["media"]["full_url"]
        assert full_url.startswith(f"{mounted}/c2c/download?")
        assert (await client.get(full_url)).status_code == 200
        page = await client.get(f"{mounted}/")
        assert 'src="static/simulator.js"' in page.text
        assert (await client.get(f"{mounted}/static/simulator.js")).status_code == 200


@pytest.mark.parametrize("kind", ["reset", "lost", "cut_body"])
async def test_mounted_under_daphne_a_broken_body_stands_for_a_reset(
    mounted: str, kind: str
) -> None:
    async with httpx.AsyncClient(base_url=mounted, trust_env=False, timeout=30) as client:
        fault = {"kind": kind, "path": "/ilink/bot/get_bot_qrcode"}
        await client.post(f"{mounted}/control/add_fault", json=fault)
        with pytest.raises(httpx.RemoteProtocolError):  # not a timeout
            await Wire(client, f"{mounted}/ilink/bot/").draw()
        logins = (await client.get(f"{mounted}/control/logins")).json()
        assert len(logins) == (0 if kind == "reset" else 1)


async def test_a_stopped_simulator_can_be_served_again_on_its_port() -> None:
    with SimulatorServer(hold_s=0.2) as first:
        bot = first.control.bind("Lin")
    with SimulatorServer(first.wechat, port=first.port) as second:
        async with httpx.AsyncClient(base_url=second.url, trust_env=False) as client:
            started = time.monotonic()
            assert (await Wire(client).updates(bot["token"]))["ret"] == 0
            assert time.monotonic() - started >= 0.2


async def test_stopping_does_not_wait_for_a_fault_that_never_ends(
    server: SimulatorServer, wire: Wire
) -> None:
    server.control.add_fault("slow", delay_s=3600)
    request = asyncio.create_task(wire.draw())
    await until(lambda: not server.control.faults())
    await asyncio.wait_for(asyncio.to_thread(server.stop), 30)
    with pytest.raises(httpx.TransportError):
        await request


async def test_over_an_asgi_transport_it_needs_no_server() -> None:
    app = create_app(public_url="https://sim.example/simulator")
    transport = httpx.ASGITransport(app, root_path="/simulator")
    async with httpx.AsyncClient(transport=transport, base_url="http://any") as client:
        drawn = await Wire(client, "http://any/simulator/ilink/bot/").draw()
    assert drawn["qrcode_img_content"].startswith("https://sim.example/simulator/scan?code=")


def test_the_simulator_imports_nothing_of_the_client_or_of_models() -> None:
    code = (
        "import sys, sessions_app.simulator.serve;"
        "sys.exit(any(m.startswith('sessions_app.ilink') or m == 'sessions_app.models'"
        " or m == 'django' for m in sys.modules))"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env).returncode == 0
