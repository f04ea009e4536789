"""A wrong setting is one sentence and a status, whatever command meets it; never a traceback."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.ports import free_port
from tests.processes.child import ROOT, environment, run

SECRET = "hunter2"
NOWHERE = "127.0.0.1:1"
COMMANDS = {
    "poller": ["poller"],
    "simulator": ["simulator", "--port", "0"],
    "migrate": ["migrate"],
    "token": ["api_token", "list", "nobody"],
}


@pytest.fixture
def env(tmp_path: Path, prepared: Path) -> dict[str, str]:
    """A console that nothing is wrong with."""
    shutil.copy2(prepared / "console.sqlite3", tmp_path)
    return environment(
        tmp_path / "home",
        DATABASE_URL=f"sqlite:///{tmp_path / 'console.sqlite3'}",
        WEILINK_BASE_PATH=str(tmp_path / "weilink"),
        WEILINK_MEDIA_ROOT=str(tmp_path / "media"),
        SECRET_KEY="only-for-this-test",
        WEILINK_CREDENTIAL_KEYS=Fernet.generate_key().decode(),
        PORT=str(free_port()),
    )


def _sentence(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert SECRET not in done.stderr
    return done.stderr


def _daphne(env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    program = ("-m", "daphne")
    return run("-p", env["PORT"], "weilink_site.asgi:application", env=env, program=program)


@pytest.mark.parametrize("command", ["console", "daphne", *COMMANDS])
def test_every_command_says_it(env: dict[str, str], command: str) -> None:
    env["WEILINK_CREDENTIAL_KEYS"] = "no key"
    done = _daphne(env) if command == "daphne" else run(*COMMANDS.get(command, [command]), env=env)
    assert _sentence(done).startswith("WEILINK_CREDENTIAL_KEYS in the environment or .env: ")


@pytest.mark.parametrize("command", ["console", "daphne", "poller", "migrate", "token"])
@pytest.mark.parametrize("query", ["", "?no_such_option=1"])
def test_a_database_that_does_not_answer(env: dict[str, str], command: str, query: str) -> None:
    env |= {
        "DATABASE_URL": f"postgres://u:{SECRET}@{NOWHERE}/name{query}",
        "REDIS_URL": f"redis://{NOWHERE}/0",
    }
    done = _daphne(env) if command == "daphne" else run(*COMMANDS.get(command, [command]), env=env)
    sentence = _sentence(done)
    assert sentence.startswith("The database does not answer (")
    assert "check DATABASE_URL" in sentence


@pytest.mark.parametrize("command", ["console", "daphne", "poller"])
@pytest.mark.parametrize("query", ["", "?no_such_option=1"])
def test_a_redis_that_does_not_answer(env: dict[str, str], command: str, query: str) -> None:
    env["REDIS_URL"] = f"redis://:{SECRET}@{NOWHERE}/0{query}"
    done = _daphne(env) if command == "daphne" else run(command, env=env)
    assert _sentence(done).startswith("Redis does not answer (")


@pytest.mark.parametrize("command", ["daphne", "poller"])
def test_migrations_that_nobody_applied(env: dict[str, str], command: str, tmp_path: Path) -> None:
    env |= {"REDIS_URL": f"redis://{NOWHERE}/0"}
    undone = run("migrate", "messaging", "0002", "--verbosity", "0", env=env)
    assert undone.returncode == 0, undone.stderr
    done = _daphne(env) if command == "daphne" else run(command, env=env)
    sentence = _sentence(done)
    assert "migrations of this release" in sentence
    assert "python manage.py migrate" in sentence


@pytest.mark.parametrize("command", ["console", "daphne", "poller"])
@pytest.mark.parametrize("place", ["DATABASE_URL", "WEILINK_MEDIA_ROOT", "not sqlite"])
def test_a_folder_that_cannot_be_one(
    env: dict[str, str], command: str, place: str, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("here is no folder")
    if place == "DATABASE_URL":
        env["DATABASE_URL"] = f"sqlite:///{tmp_path}/file/console.sqlite3"
    elif place == "not sqlite":
        env["DATABASE_URL"] = f"sqlite:///{tmp_path}/file"
    else:
        env["WEILINK_MEDIA_ROOT"] = f"{tmp_path}/file/media"
    env["REDIS_URL"] = f"redis://{NOWHERE}/0"
    done = _daphne(env) if command == "daphne" else run(command, env=env)
    assert str(tmp_path / "file") in _sentence(done) or "is no database" in done.stderr


def test_an_error_of_ours_is_still_a_traceback(env: dict[str, str]) -> None:
    done = run("shell", "--no-imports", "-c", "1 / 0", env=env)
    assert "ZeroDivisionError" in done.stderr
    assert "Traceback" in done.stderr


def test_a_port_out_of_range_on_the_command_line(env: dict[str, str]) -> None:
    for command in ("console", "simulator"):
        done = run(command, "--port", "70000", env=env)
        assert _sentence(done).count("70000") == 1
        assert done.returncode == 1


def test_relative_paths_are_relative_to_the_project_from_wherever_it_is_started(
    env: dict[str, str], tmp_path: Path
) -> None:
    env |= {
        "DATABASE_URL": "sqlite:///var/some/place.sqlite3",
        "WEILINK_MEDIA_ROOT": "var/some/media",
        "WEILINK_BASE_PATH": "bots",
        "PYTHONPATH": str(ROOT),
    }
    code = (
        "from weilink_site.host import environment as e; h = e.HostSettings();"
        "print(h.database()['NAME'], h.data_dir, h.weilink_media_root, h.weilink_base_path)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    wanted = ["var/some/place.sqlite3", "var/some", "var/some/media", "bots"]
    assert done.stdout.split() == [str(ROOT / path) for path in wanted]
