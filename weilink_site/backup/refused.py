"""Why a backup or a restore does not happen."""

import errno
import re
import sqlite3


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


def of_program(name: str, said: bytes) -> Refused:
    """The program's first complaint; the lines after it would tell what a row holds."""
    found = re.search(r"error:\s+(.+)", said.decode("utf-8", "replace"), re.IGNORECASE)
    words = found[1].strip().rstrip(".") if found else "it does not say why"
    return Refused(f"{name} failed: {words}.")
