"""`/metrics` and the log of a console as it is run: the ways of a message and of a reply."""

import http.client
import json
import os
import re
import socket
from contextlib import closing
from typing import Any

import pytest

from tests.metric_lines import value_of
from tests.ports import free_port
from tests.processes.child import Child, run, wait_for
from tests.processes.console import Console, as_json
from tests.processes.open_lines import open_websocket

WRITTEN, ANSWERED = "the secret of Lina", "an answer that nobody logs"
PERSON = "lina@im.wechat"


@pytest.fixture
def started(console: Console) -> Console:
    console.env["WEILINK_LOG_FORMAT"] = "json"
    console.start()
    return console


def _log(console: Console) -> list[dict[str, Any]]:
    return [json.loads(line) for line in console.child.err.splitlines()]


def _steps(console: Console) -> list[dict[str, Any]]:
    return [line for line in _log(console) if line["logger"] == "weilink.way"]


def _step(console: Console, event: str, trace_id: str = "") -> dict[str, Any]:
    """The first step of this kind, of this way if one is named."""

    def found() -> dict[str, Any] | None:
        steps = (one for one in _steps(console) if one["event"] == event)
        return next((one for one in steps if trace_id in ("", one["trace_id"])), None)

    step = wait_for(found, f"the line “{event}”")
    assert step is not None
    return step


def _page(console: Console) -> str:
    status, page = console.get("/metrics")
    assert status == 200
    return page


def _show_the_inbox(line: socket.socket) -> None:
    """Say as a page does what it shows, in a masked frame."""
    text = json.dumps({"type": "showing", "kind": "inbox", "list": "", "language": "en"}).encode()
    mask = os.urandom(4)
    masked = bytes(one ^ mask[place % 4] for place, one in enumerate(text))
    line.sendall(bytes([0x81, 0x80 | len(text)]) + mask + masked)


def _token(console: Console, *words: str) -> str:
    done = run("api_token", "create", "admin", "--name", "test", *words, env=console.env)
    found = re.search(r"wlk_\S+", done.stdout)
    assert found is not None, done.stderr
    return found[0]


def _post(console: Console, body: dict[str, str], token: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", console.port, timeout=20)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with closing(connection):
        connection.request("POST", "/api/v1/messages", json.dumps(body), headers)
        return connection.getresponse().status


def test_a_message_and_its_answer_show_in_numbers_and_by_one_id_each(started: Console) -> None:
    console = started
    [bot] = console.bind("Lin")
    cookie = console.log_in()
    with closing(open_websocket(console.port, cookie)) as line:
        _show_the_inbox(line)
        wait_for(lambda: value_of(_page(console), "weilink_websockets") == 1, "the socket")
        console.control.write(bot, PERSON, WRITTEN)
        stored = _step(console, "message stored")
        shown = _step(console, "frame sent", stored["trace_id"])
        assert shown["pages"] == 1
        assert _post(console, {"to": PERSON, "text": ANSWERED}, _token(console)) == 202
        queued = _step(console, "reply queued")
        _step(console, "reply leaves", queued["trace_id"])
        sent = _step(console, "reply sent", queued["trace_id"])
        _step(console, "frame sent", queued["trace_id"])
    assert sent["message_id"] == queued["message_id"] != stored["message_id"]
    assert queued["trace_id"] != stored["trace_id"]

    def with_the_workers_numbers() -> str:
        found = _page(console)
        name = "weilink_messages_sent_total"
        return found if value_of(found, name, outcome="sent") == 1 else ""

    page = wait_for(with_the_workers_numbers, "the worker's numbers")
    assert value_of(page, "weilink_messages_received_total", kind="text") == 1
    assert value_of(page, "weilink_wechat_to_page_seconds_count") == 1
    assert value_of(page, "weilink_composer_to_wechat_seconds_count") == 1
    assert value_of(page, "weilink_polls_total", result="messages") == 1
    assert value_of(page, "weilink_sessions", state="connected") == 1
    assert value_of(page, "weilink_leases") == 1
    assert value_of(page, "weilink_workers") == 1
    assert value_of(page, "weilink_outbox_messages") == 0
    assert value_of(page, "weilink_process_info", role="console") == 1
    assert value_of(page, "weilink_process_info", role="worker") == 1
    assert console.child.terminate() == 0
    for secret in (WRITTEN, ANSWERED, PERSON, "Shop of Lin", "admin"):
        assert secret not in console.child.err


def test_refused_requests_are_one_line_each_without_what_their_address_says(
    started: Console,
) -> None:
    console = started
    before = len(_log(console))
    cookie = console.log_in()
    assert console.get("/scan/a-secret-code/")[0] == 404
    assert console.get("/no/such-secret")[0] == 404
    assert console.get("/inbox/999999/", Cookie=cookie)[0] == 404
    assert console.get("/api/v1/status")[0] == 401
    assert console.get("/healthz", Host="evil.example")[0] == 400
    lines = [line for line in _log(console)[before:] if line["logger"] != "weilink.way"]
    said = [(line["level"], line["event"]) for line in lines]
    assert said.pop(0) == ("info", "sign-in from 127.0.0.1")
    assert len(said) == 5, said
    assert all(level == "warning" and words.startswith("refused with ") for level, words in said)
    assert "secret" not in str(said)
    assert not any("exception" in line for line in lines)
    page = _page(console)
    assert value_of(page, "weilink_requests_refused_total", area="api", status="401") == 1
    assert value_of(page, "weilink_requests_refused_total", status="404") == 3
    assert value_of(page, "weilink_errors_total") == 0


def test_metrics_answer_this_machine_and_tokens_of_their_scope_alone(started: Console) -> None:
    console = started
    assert console.get("/metrics")[0] == 200
    assert console.get("/metrics", **{"X-Forwarded-For": "203.0.113.9"})[0] == 401
    assert console.get("/metrics", Forwarded="for=203.0.113.9")[0] == 401
    good = {"Authorization": f"Bearer {_token(console, '--scopes', 'metrics')}"}
    other = {"Authorization": f"Bearer {_token(console, '--scopes', 'read')}"}
    assert console.get("/metrics", **good, Forwarded="for=203.0.113.9")[0] == 200
    assert console.get("/metrics", **other)[0] == 403
    assert console.get("/metrics", Authorization="Bearer wlk_nothing")[0] == 403
    assert console.get("/api/v1/status", **good)[0] == 403


def test_another_web_process_shows_the_workers_numbers_too(started: Console) -> None:
    """The console's worker leaves its numbers beside its beat; a second web finds them."""
    console = started
    [bot] = console.bind("Lin")
    console.control.write(bot, PERSON, WRITTEN)
    _step(console, "message stored")
    port = free_port()
    second = _second_web(console, port)
    try:

        def both() -> bool:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            try:
                connection.request("GET", "/metrics")
                page = connection.getresponse().read().decode()
            except OSError:
                return False
            finally:
                connection.close()
            name = "weilink_messages_received_total"
            roles = [
                value_of(page, "weilink_process_info", role=role) for role in ("web", "worker")
            ]
            return roles == [1, 1] and value_of(page, name, kind="text") == 1

        wait_for(both, "the numbers of both processes", within_s=40)
    finally:
        second.kill()
    assert as_json(console.get("/readyz")[1])["worker"] == "ok"


def _second_web(console: Console, port: int) -> Child:
    code = (
        "from daphne.cli import CommandLineInterface as C;"
        f"C().run(['-p', '{port}', '-b', '127.0.0.1', 'weilink_site.asgi:application'])"
    )
    arguments = ["shell", "--no-imports", "-c", code]
    return Child(arguments, env=console.env, log=console.folder / "second")
