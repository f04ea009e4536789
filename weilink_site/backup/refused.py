"""Why a backup or a restore does not happen."""

import errno
import sqlite3
import subprocess


class Refused(Exception):  # noqa: N818 - a statement
    """One sentence that says what is wrong and what to do."""


def of_disk(error: OSError, doing: str) -> Refused:
    """`doing`: what failed, as in "The backup". Names the file but nothing of its content."""
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Refused(f"{doing} does not fit on the disk{where}: make room and run it again.")
    return Refused(f"{doing} failed{where}: {error.strerror or error}.")


def of_sqlite(error: sqlite3.Error, doing: str) -> Refused:
    if "full" in str(error):
        return Refused(f"{doing} does not fit on the disk: make room and run it again.")
    return Refused(f"{doing} failed: SQLite says “{error}”.")


def of_program(name: str, done: subprocess.CompletedProcess[bytes] | None, said: bytes) -> Refused:
    """The program's own last line. PostgreSQL's programs name tables there, never a row."""
    lines = [
        line for line in said.decode("utf-8", "replace").splitlines() if "error" in line.lower()
    ]
    words = (lines or ["it said nothing"])[0].partition("error: ")[2] or (lines or ["no reason"])[0]
    status = f" (exit status {done.returncode})" if done is not None else ""
    return Refused(f"{name} failed{status}: {words.rstrip('.')}.")
