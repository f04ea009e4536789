"""Scans the base folder: which sessions exist, and what is wrong with which.

Read-only. Broken or unsafe entries are never followed or repaired, only listed with a reason.
"""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace

from sessions_app.sessions import names

from . import disk, retired
from .errors import BrokenFileError, FolderError, UnsafeEntryError
from .places import Layout, entries, is_session_folder
from .retired import Retired
from .values import CONTEXTS_FILE, TOKEN_FILE, FoundSession, Listing, Problem, StoredToken

DEFAULT_FILE = ".default_session"
MARK_FILE = ".console.json"
"""Written when sessions are first seen here.

Without it an empty folder is taken for another place.
"""
UNDELIVERED_FOLDER = ".undelivered"
_NOT_SESSIONS = frozenset({UNDELIVERED_FOLDER})
Key = Callable[[FoundSession], str]
Signature = tuple[int, int, int] | None
"""(inode, mtime in ns, size in bytes) of a file.

It changes with every write, as writers replace the file.
"""

Memory = dict[str, tuple[tuple[Signature, bool], FoundSession | None]]
"""Earlier results by folder name: (token file's signature, whether contexts exist) → result."""


def listing(base: int, layout: Layout, memory: Memory | None = None) -> Listing:
    """All sessions by name, and the default's name. With a `memory` only changed files are read."""
    inside = entries(base)
    found = [session for entry in inside if (session := _scan_entry(base, layout, entry, memory))]
    if memory is not None:
        for gone in memory.keys() - {entry.name for entry in inside}:
            del memory[gone]
    if layout.flat_default and not any(session.name == names.DEFAULT for session in found):
        found.extend(_flat(base, layout))
    found = _without_written_back(found, retired.read(base))
    found = _one_of_each(found, lambda one: names.name_key(one.name), Problem.SAME_NAME)
    found = _one_of_each(found, lambda one: one.token.bot_id if one.token else "", Problem.SAME_BOT)
    is_marked = disk.exists(base, MARK_FILE)
    return Listing(tuple(found), default_name(base, found), is_marked=is_marked)


def default_name(base: int, found: Iterable[FoundSession]) -> str:
    """The session named in `.default_session` if it exists, else `default`, else the oldest one."""
    there = list(found)
    try:
        chosen = (disk.read_bytes(base, DEFAULT_FILE) or b"").decode("utf-8", "replace").strip()
    except FolderError:
        chosen = ""
    for name in (chosen, names.DEFAULT):
        if name and any(session.name == name for session in there):
            return name
    usable = [session for session in there if session.token]
    oldest = min(usable, key=_age, default=None)
    return oldest.name if oldest else names.DEFAULT


def signature(base: int, name: str, file_name: str) -> Signature:
    """The file's signature, or None if it does not exist."""
    try:
        found = os.stat(f"{name}/{file_name}", dir_fd=base, follow_symlinks=False)
    except OSError:
        return None
    return (found.st_ino, found.st_mtime_ns, found.st_size)


def _scan_entry(
    base: int, layout: Layout, entry: os.DirEntry[str], memory: Memory | None
) -> FoundSession | None:
    """The session in one entry of the base, or None if the entry is not a session."""
    if entry.name in _NOT_SESSIONS:
        return None
    if entry.is_symlink():
        is_ours = entry.name.startswith((".", "messages.db")) or entry.name.endswith(".json")
        reason = "This is a link to another place; links are not followed."
        return None if is_ours else FoundSession(entry.name, None, Problem.LINK, reason)
    if not entry.is_dir(follow_symlinks=False):
        return None
    if memory is None:
        return _read_unless_gone(base, layout, entry.name)
    # Take the signature before reading: a change during the read is then seen by the next scan.
    files = (
        signature(base, entry.name, TOKEN_FILE),
        signature(base, entry.name, CONTEXTS_FILE) is not None,
    )
    known = memory.get(entry.name)
    if known is None or known[0] != files:
        known = memory[entry.name] = (files, _read_unless_gone(base, layout, entry.name))
    return known[1]


def _read_unless_gone(base: int, layout: Layout, name: str) -> FoundSession | None:
    try:
        return read_session(base, layout, name) if is_session_folder(base, name) else None
    except (FileNotFoundError, UnsafeEntryError):
        return None  # it was deleted meanwhile, or cannot be opened


def _flat(base: int, layout: Layout) -> list[FoundSession]:
    if not disk.exists(base, layout.flat_default):
        return []
    found = read_session(base, layout, names.DEFAULT)
    return [found] if found else []


def read_session(base: int, layout: Layout, name: str) -> FoundSession | None:
    """One session from its files, or None if it has no token (logged out)."""
    try:
        if names.clean_session_name(name) != name:
            reason = "The folder's name is not written in Unicode's normal form."
            return FoundSession(name, None, Problem.BAD_NAME, reason)
    except names.BadSessionName as problem:
        return FoundSession(name, None, Problem.BAD_NAME, str(problem))
    with layout.place(base, name) as place:
        try:
            fields = disk.read_object(place.folder, place.token_file)
            if fields is None:
                return None
            token = StoredToken.from_json(fields)
        except (BrokenFileError, UnsafeEntryError) as error:
            return FoundSession(name, None, Problem.BROKEN_TOKEN, str(error))
        if not token.created_at_s:
            token = replace(token, created_at_s=_written_at(place.folder, place.token_file))
    return FoundSession(name, token)


def _written_at(folder: int, name: str) -> float:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime
    except OSError:
        return 0.0


def _age(session: FoundSession) -> tuple[float, bool, str]:
    created_at_s = session.token.created_at_s if session.token else 0.0
    return (created_at_s, session.name != names.DEFAULT, session.name)


def _without_written_back(found: list[FoundSession], known: Retired) -> list[FoundSession]:
    """Set aside folders whose token was logged out or now belongs to another name."""
    there = {(session.name, session.token.token) for session in found if session.token}

    def judged(session: FoundSession) -> FoundSession:
        home = known.home(session.token.token) if session.token else None
        if session.token is None or home is None or home == session.name:
            return session
        if home and (home, session.token.token) not in there:
            return session
        reason = "Another program wrote this folder back after it was renamed or logged out."
        return FoundSession(session.name, None, Problem.WRITTEN_BACK, reason)

    return [judged(session) for session in found]


def _one_of_each(found: list[FoundSession], key: Key, problem: Problem) -> list[FoundSession]:
    """Where several sessions share a key, keep the oldest (for one bot: the newest binding)."""
    groups: dict[str, list[FoundSession]] = defaultdict(list)
    for session in found:
        if session.token and key(session):
            groups[key(session)].append(session)
    losers: dict[str, str] = {}
    for group in groups.values():
        ordered = sorted(group, key=_age)
        keeper = ordered[0]
        if problem is Problem.SAME_BOT:
            newest_s = max(_age(session)[0] for session in group)
            keeper = next(session for session in ordered if _age(session)[0] == newest_s)
        losers.update({one.name: keeper.name for one in group if one is not keeper})
    sentences = {
        Problem.SAME_NAME: "The name differs from “{}” in upper and lower case only.",
        Problem.SAME_BOT: "“{}” holds the same bot.",
    }
    return [
        FoundSession(one.name, None, problem, sentences[problem].format(losers[one.name]))
        if one.name in losers
        else one
        for one in found
    ]
