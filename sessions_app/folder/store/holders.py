"""Who holds a lock of the folder, as far as this host's kernel tells. Looks only: makes no file.

`/proc/locks` names process and file; where there is none, or the process lives in another
container, the answer is "" and the caller says “another program”.
"""

import os
from pathlib import Path

LOCKS = Path("/proc/locks")
_STOPPED = ("T", "t")


def holder_of(path: Path) -> str:
    """As in “python3 (process 1234)”; "" when nobody holds it, or nobody can tell who."""
    pids = _holders(path)
    return _named(pids[0]) if pids else ""


def is_stopped(path: Path) -> bool:
    """Whether the process that holds the lock was stopped (SIGSTOP, a debugger): it lets nobody
    else receive and receives nothing itself. False where nobody can tell."""
    return any(_state_of(pid) in _STOPPED for pid in _holders(path))


def _state_of(pid: int) -> str:
    """The letter of `ps`, behind the program's name, which may hold anything."""
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
    """The process of a line like `1: FLOCK  ADVISORY  WRITE 1234 08:01:5678 0 EOF`, or 0.

    By the inode alone: an overlay file system shows another device here than `stat` does.
    """
    words = line.split()
    if len(words) < 6 or words[1] != "FLOCK" or not words[4].isdecimal():
        return 0  # "->" in the second place: a waiter
    return int(words[4]) if words[5].rpartition(":")[2] == str(inode) else 0


def _named(pid: int) -> str:
    """By the program's short name: a command line may hold secrets."""
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        name = ""
    return f"{name} (process {pid})" if name.isprintable() and name else f"process {pid}"
