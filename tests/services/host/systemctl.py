"""Stands in for `systemctl`: starts and stops what the unit files say, without systemd.

Run as a program by the commands of docs/operations.md. HOST_FOLDER holds `units`, `run` (a file per
process with its id) and `log`.
"""

import os
import re
import select
import shlex
import signal
import subprocess
import sys
from pathlib import Path

HOST = Path(os.environ.get("HOST_FOLDER", "."))
STOP_S = 20.0


def setting(unit: str, name: str) -> str:
    """The value of one line of the unit's file, with its instance filled in."""
    template, _, instance = unit.partition("@")
    text = (HOST / "units" / f"{template}@.service").read_text()
    found = re.search(rf"^{name}=(.*)$", text, re.MULTILINE)
    assert found is not None, f"{unit} has no {name}"
    return found[1].replace("%i", instance)


def start(unit: str) -> None:
    if unit == "nginx":
        subprocess.run(["nginx"], check=True)
        return
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": str(HOST / "home")}
    if compiled := os.environ.get("PYTHONPYCACHEPREFIX"):
        environment["PYTHONPYCACHEPREFIX"] = compiled
    with (HOST / "log" / unit).open("ab") as log:
        process = subprocess.Popen(
            shlex.split(setting(unit, "ExecStart")),
            cwd=setting(unit, "WorkingDirectory"), env=environment, stdin=subprocess.DEVNULL,
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    (HOST / "run" / unit).write_text(str(process.pid))


def stop(unit: str) -> None:
    mark = HOST / "run" / unit
    pid = int(mark.read_text())
    process = os.pidfd_open(pid)
    os.kill(pid, signal.SIGTERM)
    ended, _, _ = select.select([process], [], [], STOP_S)
    os.close(process)
    if not ended:
        os.kill(pid, signal.SIGKILL)
        sys.exit(f"{unit} did not stop within {STOP_S} s")
    mark.unlink()


def main(arguments: list[str]) -> None:
    verb, units = arguments[0], [one for one in arguments[1:] if not one.startswith("-")]
    for unit in units:
        if verb in {"stop", "restart"}:
            stop(unit)
        if verb in {"start", "restart", "enable", "reload"}:
            start(unit)


if __name__ == "__main__":
    main(sys.argv[1:])
