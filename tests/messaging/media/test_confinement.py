"""What a file that takes its decoder over could reach: nothing but itself."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from messaging.media import confinement, workbench
from messaging.media.workshop import ROOT, WorkRefused, Workshop
from tests.processes.child import children_of, wait_for

PROBE = """
import ctypes, json, os, resource, socket, subprocess, sys
from pathlib import Path
from messaging.media.confinement import confine
folder, secret, parent = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
libc = ctypes.CDLL(None, use_errno=True)
confine(folder)

def tried(act):
    try:
        act()
        return "done"
    except OSError as error:
        return type(error).__name__

print(json.dumps({
    "own": tried(lambda: Path("input").read_bytes()),
    "write": tried(lambda: Path("output").write_bytes(b"1")),
    "secret": tried(lambda: open(secret).read()),
    "beside": tried(lambda: open(folder.parent / "beside").read()),
    "write_elsewhere": tried(lambda: open(folder.parent / "new", "w")),
    "environment": tried(lambda: open(f"/proc/{parent}/environ").read()),
    "memory": tried(lambda: open(f"/proc/{parent}/mem").read()),
    "list": tried(lambda: os.listdir("/")),
    "socket": tried(lambda: socket.socket()),
    "unix": tried(lambda: socket.socketpair()),
    "program": tried(lambda: os.execv("/bin/true", ["true"])),
    "signal": tried(lambda: os.kill(parent, 0)),
    "no_new_privs": libc.prctl(39, 0, 0, 0, 0),
    "memory_bytes": resource.getrlimit(resource.RLIMIT_AS),
    "cpu_s": resource.getrlimit(resource.RLIMIT_CPU),
    "open_files": resource.getrlimit(resource.RLIMIT_NOFILE),
}))
"""
PRESENT = confinement.missing()


@pytest.fixture
def found(tmp_path: Path) -> dict[str, Any]:
    """What a confined process of this user reached."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "input").write_bytes(b"x")
    (tmp_path / "beside").write_bytes(b"of another message")
    secret = tmp_path / "secret_key"
    secret.write_text("secret")
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(own), str(secret), str(os.getpid())],
        env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.skipif("Landlock" in PRESENT, reason="this kernel has no Landlock")
def test_no_file_but_its_own_can_be_opened(found: dict[str, Any]) -> None:
    refused = ("secret", "beside", "write_elsewhere", "environment", "memory", "list")
    assert {name: found[name] for name in refused} == dict.fromkeys(refused, "PermissionError")
    assert (found["own"], found["write"]) == ("done", "done")


@pytest.mark.skipif("seccomp" in PRESENT, reason="this kernel has no seccomp")
def test_no_network_no_program_no_other_process(found: dict[str, Any]) -> None:
    refused = ("socket", "unix", "program", "signal")
    assert {name: found[name] for name in refused} == dict.fromkeys(refused, "PermissionError")


def test_its_resources_are_bounded(found: dict[str, Any]) -> None:
    assert found["no_new_privs"] == 1
    assert found["memory_bytes"] == [confinement.MOST_MEMORY_BYTES] * 2
    assert found["cpu_s"] == [confinement.MOST_CPU_S] * 2
    assert found["open_files"] == [confinement.MOST_OPEN_FILES] * 2


def test_a_real_job_runs_like_that(tmp_path: Path) -> None:
    """The child of a job that never ends: its environment, files, folder and bounds."""
    workshop = Workshop(timeout_s=60)
    source = tmp_path / "endless"
    os.mkfifo(source)
    job = {"do": "picture", "source": str(source), "target": f"{source}.thumb", "most_pixels": 9}

    def ask() -> None:
        with pytest.raises(WorkRefused):
            workshop.do_now(job)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        process = wait_for(lambda: workshop._process, "a helper")
        assert process is not None
        helper = process.pid
        child = Path("/proc") / str(wait_for(lambda: children_of(helper), "its child")[0])
        wait_for(lambda: (child / "cwd").resolve() == tmp_path, "its own folder")
        limit = f"Max cpu time {confinement.MOST_CPU_S}"
        wait_for(lambda: limit in " ".join((child / "limits").read_text().split()), "its limits")
        status = dict(line.split(":\t", 1) for line in (child / "status").read_text().splitlines())
        assert status["NoNewPrivs"] == "1"
        if "seccomp" not in PRESENT:
            wait_for(lambda: "Seccomp:\t2" in (child / "status").read_text(), "its filter")
        environment = (child / "environ").read_bytes()
        assert {one.partition(b"=")[0] for one in environment.split(b"\0") if one} <= {
            b"PATH", b"PYTHONPATH", b"LC_CTYPE",
        }  # fmt: skip
        opened = {os.readlink(one) for one in (child / "fd").iterdir()}
        assert {one for one in opened if not one.startswith("pipe:")} <= {os.devnull, str(source)}
        assert len([one for one in (child / "fd").iterdir() if "pipe" in os.readlink(one)]) == 1
    finally:
        workshop.close()
        asking.join(30)


@pytest.mark.parametrize(
    "said",
    [
        b"", b"words", b"[]", b"{}", b'{"refused": "made up"}', b'{"refused": [1]}',
        b'{"made": []}', b'{"made": {"width": "1"}}',
        b'{"made": {"width": -1, "height": 5}}', b'{"made": {"path": 1}}',
        b'{"made": {"peaks": "' + b"z" * 500 + b'"}}',
    ],
)  # fmt: skip
def test_an_answer_that_no_decoder_gives_is_a_refusal(said: bytes) -> None:
    assert workbench._parsed(said) == {"refused": "not_readable"}


def test_what_cannot_be_confined_is_not_decoded_and_the_log_says_why(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(_folder: Path) -> None:
        raise PermissionError(1, "not permitted")

    monkeypatch.setattr(workbench, "confine", refuse)
    answer = workbench._confined_answer({"do": "picture", "source": str(tmp_path / "x")})
    assert workbench._parsed(json.dumps(answer).encode()) == {"refused": "not_readable"}
    assert "cannot be confined: Operation not permitted" in caplog.text
