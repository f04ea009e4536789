"""Finds the process that holds a lock of the folder, from this host's kernel. Creates no file.

`/proc/locks` lists processes and files. If it does not exist, or the process runs in another
container, the answer is "" and callers say “another program”.
"""

import os
from pathlib import Path

LOCKS = Path("/proc/locks")
_STOPPED = ("T", "t")


def holder_of(path: Path) -> str:
    """The holder, such as “python3 (process 1234)”.

    "" if there is none or it cannot be determined.
    """
    pids = _holders(path)
    return _described(pids[0]) if pids else ""


def is_stopped(path: Path) -> bool:
    """Whether the process that holds the lock was stopped (SIGSTOP, a debugger).

    Then nobody receives: it does not receive itself and keeps others from it. False if unknown.
    """
    return any(_state_of(pid) in _STOPPED for pid in _holders(path))


def _state_of(pid: int) -> str:
    """The one-letter process state, as in `ps`.

    It follows the program's name, which may contain anything.
    """
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def _holders(path: Path) -> list[int]:
    try:
        found = os.stat(path, follow_symlinks=False)
        lines = LOCKS.read_text().splitlines()
    except OSError:
        return []
    return [pid for line in lines if (pid := _flock_of(line, found.st_ino)) > 0]


def _flock_of(line: str, inode: int) -> int:
    """The process id in a line such as `1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF`, or 0.

    Compares the inode only: on an overlay file system the device here differs from that of `stat`.
    """
    words = line.split()
    if len(words) < 6 or words[1] != "FLOCK" or not words[4].isdecimal():
        return 0  # "->" in the second field marks a waiting process
    return int(words[4]) if words[5].rpartition(":")[2] == str(inode) else 0


def _described(pid: int) -> str:
    """The process by its short program name, because a command line may contain secrets."""
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        name = ""
    return f"{name} (process {pid})" if name.isprintable() and name else f"process {pid}"
