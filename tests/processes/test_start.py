"""Starting a console: what it says, what it refuses, and where it writes."""

import socket

from tests.processes.child import python, run
from tests.processes.console import Console, as_json


def test_it_starts_says_its_address_once_and_is_ready(console: Console) -> None:
    console.start()

    assert f"WeiLink Console: http://localhost:{console.port}\n" in console.child.out
    assert console.child.out.count("First administrator: admin") == 1
    assert console.get("/healthz")[0] == 200
    assert as_json(console.get("/readyz")[1]) == {
        "status": "ready",
        "database": "ok",
        "channel_layer": "ok",
        "worker": "ok",
        "receiving": "ok",
        "disk": "ok",
    }
    assert console.child.terminate() == 0
    console.start()
    assert "First administrator" not in console.child.out
    assert list((console.folder / "home").iterdir()) == []


def test_the_first_administrator_can_log_in(console: Console) -> None:
    console.start()
    cookie = console.log_in()
    assert console.get("/sessions/", Cookie=cookie)[0] == 200
    assert console.get("/sessions/")[0] == 302


def test_a_taken_port_is_one_sentence_and_status_1(console: Console) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", console.port))
        taken.listen()
        child = console.launch()
        assert child.wait() == 1
    [sentence] = child.err.splitlines()
    assert sentence.startswith(f"Port {console.port} on 127.0.0.1 cannot be used")
    assert child.out == ""


def test_a_second_console_on_the_same_data_is_refused_in_one_sentence(console: Console) -> None:
    console.start()
    done = run("console", "--port", "0", env=console.env)
    assert done.returncode == 1
    assert done.stderr == "Another console runs on this data already; stop it first.\n"
    assert console.get("/healthz")[0] == 200


def test_sqlite_is_in_wal_with_every_commit_synced(console: Console) -> None:
    console.start()
    code = (
        "from django.db import connection as c; cursor = c.cursor();"
        "modes = [cursor.execute(f'PRAGMA {n}').fetchone()[0] for n in"
        " ('journal_mode', 'synchronous')]; print(modes)"
    )
    assert python(code, env=console.env) == "['wal', 2]"
