"""What a poller and a console refuse to start with: one sentence, status 1, and nothing written."""

import shutil
import socket
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.processes.child import environment, python, run, wait_for
from tests.processes.console import Console

NOBODY = "redis://127.0.0.1:1/0"
"""Where no Redis is: every other refusal comes before it is asked."""
HEAR = """
from datetime import timedelta
from django.utils import timezone
from sessions_app.models import WorkerBeat
heard_at = timezone.now() + timedelta(minutes=10)  # still fresh on a busy machine
WorkerBeat.objects.create(worker_id="w", host={host!r}, pid=1, heard_at=heard_at)
"""
BIND = """
from sessions_app.models import Team
from tests.messaging.builders import make_session
for name in {names!r}:
    make_session(name)
"""
WORKERS = "from sessions_app.models import WorkerBeat; print(WorkerBeat.objects.count())"


@pytest.fixture
def env(tmp_path: Path, prepared: Path) -> dict[str, str]:
    """A poller that nothing is wrong with but that no Redis answers, which is looked at last."""
    shutil.copy2(prepared / "console.sqlite3", tmp_path)
    return environment(
        tmp_path / "home",
        DATABASE_URL=f"sqlite:///{tmp_path / 'console.sqlite3'}",
        REDIS_URL=NOBODY,
        WEILINK_BASE_PATH=str(tmp_path / "weilink"),
        SECRET_KEY="only-for-this-test",
        WEILINK_CREDENTIAL_KEYS=Fernet.generate_key().decode(),
    )


def _refusal(env: dict[str, str], tmp_path: Path) -> str:
    done = run("poller", env=env)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1, done.stderr
    assert not (tmp_path / "weilink").exists()
    return done.stderr


def test_a_poller_without_redis(env: dict[str, str], tmp_path: Path) -> None:
    assert _refusal({**env, "REDIS_URL": ""}, tmp_path).startswith("The poller needs REDIS_URL")


def test_a_poller_on_a_database_without_tables(env: dict[str, str], tmp_path: Path) -> None:
    env["DATABASE_URL"] = f"sqlite:///{tmp_path / 'empty.sqlite3'}"
    assert "python manage.py migrate" in _refusal(env, tmp_path)


def test_a_poller_on_files_while_another_host_is_alive(env: dict[str, str], tmp_path: Path) -> None:
    python(HEAR.format(host="otherhost"), env=env)
    sentence = _refusal(env, tmp_path)
    assert "Another host (otherhost) is alive" in sentence
    assert "set WEILINK_STORE=database" in sentence
    assert python(WORKERS, env=env) == "1"


def test_a_poller_whose_keys_cannot_read_the_tokens(env: dict[str, str], tmp_path: Path) -> None:
    python(BIND.format(names=["a", "b"]), env=env)
    older = env["WEILINK_CREDENTIAL_KEYS"]
    env["WEILINK_CREDENTIAL_KEYS"] = newer = Fernet.generate_key().decode()
    assert "cannot read the tokens of 2 of 2 sessions" in _refusal(env, tmp_path)
    python(BIND.format(names=["c"]), env=env)
    sentence = _refusal(env, tmp_path)
    assert "cannot read the tokens of 2 of 3 sessions" in sentence
    assert "set WEILINK_CREDENTIAL_KEYS" in sentence
    assert newer not in sentence
    # With both keys there is nothing to refuse: it gets as far as Redis.
    env["WEILINK_CREDENTIAL_KEYS"] = f"{newer},{older}"
    env["WEILINK_STORE"] = "database"
    python(HEAR.format(host="otherhost"), env=env)
    python(WORKERS, env=env)
    assert _refusal(env, tmp_path).startswith("Redis does not answer (")


def test_a_console_on_files_while_another_host_is_alive(console: Console) -> None:
    python(HEAR.format(host="otherhost"), env=console.env)
    child = console.launch()
    assert child.wait() == 1
    [sentence] = child.err.splitlines()
    assert "Another host (otherhost) is alive" in sentence
    assert not (console.folder / "weilink").exists()


def test_a_console_beside_a_worker_of_its_own_host_starts(console: Console) -> None:
    python(HEAR.format(host=socket.gethostname()), env=console.env)
    console.start()
    assert console.child.terminate() == 0


def test_a_console_whose_keys_cannot_read_a_token_starts_and_says_it(console: Console) -> None:
    python(BIND.format(names=["Shop A"]), env=console.env)
    before = console.rows("SELECT sealed_token FROM sessions_app_session")
    console.env["WEILINK_CREDENTIAL_KEYS"] = Fernet.generate_key().decode()
    console.start()
    cookie = console.log_in()

    def is_said() -> bool:
        page = console.get("/sessions/", Cookie=cookie)[1]
        return "encrypted with a key that is missing in WEILINK_CREDENTIAL_KEYS" in page

    wait_for(is_said, "the board says it")
    assert console.rows("SELECT sealed_token FROM sessions_app_session") == before
    assert console.child.terminate() == 0
