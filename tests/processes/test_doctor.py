"""`manage.py doctor`: one line for each thing that the console needs, and what to do."""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.conf import LazySettings

from sessions_app.simulator.serve import SimulatorServer
from tests.processes.child import environment, python, run
from weilink_site.doctor import checks, network, report
from weilink_site.doctor.examining import examine
from weilink_site.doctor.report import Finding, Status

NOWHERE = "127.0.0.1:1"
SECRET = "hunter2"
BIND = "from tests.messaging.builders import make_session; make_session('Shop A')"


@pytest.fixture
def env(tmp_path: Path, prepared: Path, wechat: SimulatorServer) -> dict[str, str]:
    """A migrated database and a WeChat that answers: nothing is wrong."""
    shutil.copy2(prepared / "console.sqlite3", tmp_path)
    return environment(
        tmp_path / "home",
        DATABASE_URL=f"sqlite:///{tmp_path / 'console.sqlite3'}",
        WEILINK_BASE_PATH=str(tmp_path / "weilink"),
        WEILINK_MEDIA_ROOT=str(tmp_path / "media"),
        WEILINK_ILINK_URL=wechat.url,
        WEILINK_CDN_URL=wechat.cdn_url,
        SECRET_KEY="only-for-this-test",
        WEILINK_CREDENTIAL_KEYS=Fernet.generate_key().decode(),
    )


def _examined(env: dict[str, str]) -> tuple[int, dict[str, dict[str, str]]]:
    """(exit status, name → its worst finding)."""
    done = run("doctor", "--json", env=env)
    assert "Traceback" not in done.stderr, done.stderr
    assert SECRET not in done.stdout + done.stderr
    found: dict[str, dict[str, str]] = {}
    for one in json.loads(done.stdout)["checks"]:
        if found.get(one["name"], {}).get("status") != "wrong":
            found[one["name"]] = one
    return done.returncode, found


def test_nothing_is_wrong_with_a_good_setup(env: dict[str, str]) -> None:
    status, found = _examined(env)
    words = {name: one["status"] for name, one in found.items()}
    assert words.pop("worker") == "look"
    assert words.pop("clock") in {"ok", "skipped"}
    assert words == dict.fromkeys(
        ("settings", "database", "keys", "redis", "disk", "folder", "ilink", "cdn"), "ok"
    )
    assert status == 0
    assert "WAL" in found["database"]["sentence"]


def test_as_text_each_check_is_a_line_and_its_advice_another(env: dict[str, str]) -> None:
    env["REDIS_URL"] = f"redis://:{SECRET}@{NOWHERE}/0"
    done = run("doctor", env=env)
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("WRONG"))
    assert "Redis does not answer (" in lines[place]
    assert lines[place + 1].strip().startswith("→ Check REDIS_URL")
    assert "1 of 11 checks found something wrong." in lines[-1]
    assert SECRET not in done.stdout


def test_without_a_database_the_rest_is_still_examined(env: dict[str, str]) -> None:
    env["DATABASE_URL"] = f"postgres://u:{SECRET}@{NOWHERE}/name"
    status, found = _examined(env)
    assert status == 1
    assert found["database"]["status"] == "wrong"
    assert "does not answer" in found["database"]["sentence"]
    assert found["keys"]["status"] == "skipped"
    assert found["ilink"]["status"] == found["disk"]["status"] == "ok"


def test_before_the_first_migration_it_says_what_to_run(
    env: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "none" / "console.sqlite3"
    env["DATABASE_URL"] = f"sqlite:///{path}"
    status, found = _examined(env)
    assert (status, found["database"]["status"]) == (1, "wrong")
    assert "python manage.py migrate" in found["database"]["advice"]
    assert not path.exists()
    path.touch()
    status, found = _examined(env)
    assert "lacks" in found["database"]["sentence"]
    assert "python manage.py migrate" in found["database"]["advice"]


def test_without_a_network_it_says_so_within_seconds(env: dict[str, str]) -> None:
    env |= {
        "WEILINK_ILINK_URL": "https://ilink.invalid",
        "WEILINK_CDN_URL": f"http://{NOWHERE}/c2c",
    }
    status, found = _examined(env)
    assert status == 1
    assert found["ilink"]["status"] == found["cdn"]["status"] == "wrong"
    assert "let this machine connect to ilink.invalid" in found["ilink"]["advice"]
    assert found["clock"]["status"] == "skipped"


def test_keys_that_cannot_read_the_tokens(env: dict[str, str]) -> None:
    python(BIND, env=env)
    assert _examined(env)[1]["keys"]["status"] == "ok"
    env["WEILINK_CREDENTIAL_KEYS"] = Fernet.generate_key().decode()
    status, found = _examined(env)
    assert (status, found["keys"]["status"]) == (1, "wrong")
    assert "1 of 1 sessions" in found["keys"]["sentence"]
    assert "WEILINK_CREDENTIAL_KEYS" in found["keys"]["advice"]


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_a_setting_that_is_wrong_is_a_finding(env: dict[str, str], words: list[str]) -> None:
    env["PUBLIC_URL"] = f"https://u:{SECRET}@host"
    done = run("doctor", *words, env=env)
    assert (done.returncode, done.stderr) == (1, "")
    assert "PUBLIC_URL in the environment or .env" in done.stdout
    assert SECRET not in done.stdout
    if words:
        assert json.loads(done.stdout)["ok"] is False


# In this process


def _statuses(findings: Iterator[Finding]) -> list[Status]:
    return [one.status for one in findings]


def test_the_session_folder_is_to_be_this_users_alone(
    settings: LazySettings, tmp_path: Path
) -> None:
    base = tmp_path / "weilink"
    settings.WEILINK_STORE, settings.WEILINK_BASE_PATH = "files", base
    assert _statuses(checks.check_folder()) == [Status.OK]
    base.mkdir(mode=0o755)
    base.chmod(0o755)
    [found] = checks.check_folder()
    assert (found.status, found.advice) == (Status.LOOK, f"Run `chmod 700 {base}`.")
    base.chmod(0o700)
    assert _statuses(checks.check_folder()) == [Status.OK]
    (base / ".poll.lock").touch()
    assert "nobody polls there now" in next(checks.check_folder()).sentence
    with subprocess.Popen(
        ["flock", str(base / ".poll.lock"), "-c", "echo held; read line"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        assert "another program polls there now" in next(checks.check_folder()).sentence
        holder.communicate(b"\n")
    settings.WEILINK_BASE_PATH = tmp_path / "file"
    settings.WEILINK_BASE_PATH.touch()
    assert _statuses(checks.check_folder()) == [Status.WRONG]


@pytest.mark.parametrize(
    ("ahead_s", "status"),
    [(0, Status.OK), (-20, Status.LOOK), (20, Status.LOOK), (600, Status.WRONG)],
)
def test_the_clock_is_compared_with_wechats(ahead_s: int, status: Status) -> None:
    theirs = datetime.now(UTC) - timedelta(seconds=ahead_s)
    found = network._clock(network.Heard(200, network._ahead_s(format_datetime(theirs))))
    assert found.status == status
    assert ("timedatectl" in found.advice) == (status != Status.OK)


def test_an_answer_without_a_date_says_nothing_of_the_clock() -> None:
    assert network._ahead_s("") is None
    assert network._clock(network.Heard(200, None)).status == Status.SKIPPED


def test_a_check_that_hangs_costs_its_limit_and_one_that_breaks_hides_no_other() -> None:
    over = threading.Event()

    def hang() -> list[Finding]:
        over.wait(30)
        return []

    def broken() -> list[Finding]:
        raise KeyError("x")

    good = Finding("good", Status.OK, "It is.")
    every: list[tuple[str, Any]] = [("hang", hang), ("broken", broken), ("good", lambda: [good])]
    found = examine(every, limit_s=0.2)
    over.set()
    assert [one.status for one in found] == [Status.WRONG, Status.WRONG, Status.OK]
    assert "No answer within" in found[0].sentence
    assert report.is_wrong(found)
