"""One base folder shared with the `weilink` SDK: reads it, and changes it under its lock.

The disk is the truth: nothing is cached. All writes are methods of `Change`, which exists only
while the data lock is held. Never make a network call while holding it.
"""

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from sessions_app.sessions import names

from . import disk, migration, retired, scanning, undelivered
from .errors import FolderAbsentError, UnknownSessionError, UnsafeEntryError
from .locks import DATA_LOCK, POLL_LOCK, TRY_EVERY_S, FolderLock, StopEvent
from .places import Layout, Place, entries
from .scanning import Memory, Signature
from .undelivered import KeptAnswer
from .values import CONTEXTS_FILE, TOKEN_FILE, FoundSession, Listing, StoredContext, StoredToken

LOCK_LIMIT_S = 30.0


class SessionFolder:
    """One base folder.

    `flat_default`: a token file directly in `base` that stores the session `default`, for old code.
    """

    def __init__(
        self,
        base: Path,
        *,
        flat_default: str = "",
        now: Callable[[], float] = time.time,
        try_every_s: float = TRY_EVERY_S,
    ) -> None:
        self.base = base.expanduser().absolute()
        self.layout = Layout(flat_default)
        self.now = now
        self.poll_lock = FolderLock(self.base / POLL_LOCK)
        self.data_lock = FolderLock(self.base / DATA_LOCK, try_every_s=try_every_s)

    def scan(self, memory: Memory | None = None) -> Listing:
        """List all sessions. A missing base folder is not an error. `memory`: see `scanning`."""
        try:
            with disk.base_folder(self.base) as base:
                return scanning.listing(base, self.layout, memory)
        except FileNotFoundError:
            return Listing((), names.DEFAULT, is_absent=True)

    def read_contexts(self, name: str) -> dict[str, StoredContext]:
        """Contexts by WeChat id, expired ones included.

        Raises BadSessionName, BrokenFileError, UnsafeEntryError.
        """
        with contextlib.suppress(FileNotFoundError), self._place(name) as place:
            fields = disk.read_object(place.folder, CONTEXTS_FILE) or {}
            return {user_id: StoredContext.from_json(value) for user_id, value in fields.items()}
        return {}

    def contexts_signatures(self, wanted: Iterable[str]) -> dict[str, Signature]:
        """Signatures of the contexts files by session.

        A signature changes with every write; None: no file.
        """
        with contextlib.suppress(FileNotFoundError), disk.base_folder(self.base) as base:
            return {
                name: scanning.signature(base, names.clean_session_name(name), CONTEXTS_FILE)
                for name in wanted
            }
        return {}

    def migrate(self, *, limit_s: float = LOCK_LIMIT_S, stop: StopEvent | None = None) -> bool:
        """Move files of the layout before 0.5.0. Safe to call in several processes at once."""
        try:
            with disk.base_folder(self.base) as base:
                if not migration.is_due(base):
                    return False
                with self.data_lock.take(limit_s=limit_s, stop=stop):
                    return migration.migrate(base)
        except FileNotFoundError:
            return False

    @contextlib.contextmanager
    def changing(
        self, *, limit_s: float = LOCK_LIMIT_S, stop: StopEvent | None = None, make: bool = False
    ) -> Iterator["Change"]:
        """Hold the data lock. Raises FolderBusyError after `limit_s`. Not for event loops.

        Raises FolderAbsentError without a base folder, unless `make` (a login) creates it.
        """
        with contextlib.ExitStack() as stack:
            try:
                base = stack.enter_context(disk.base_folder(self.base, make=make))
            except FileNotFoundError:
                raise FolderAbsentError("The session folder does not exist.") from None
            stack.enter_context(self.data_lock.take(limit_s=limit_s, stop=stop))
            yield Change(base, self.layout, self.now)

    def keep_answer(self, answer: KeptAnswer) -> str:
        """Store and sync an answer until its delivery is certain.

        The caller holds the poll lock.
        """
        with disk.base_folder(self.base) as base:
            return undelivered.keep(base, answer)

    def kept_answers(self, *, tidy: bool = True) -> list[KeptAnswer]:
        """Answers of earlier pollers that, by the cursors on disk, were not delivered.

        `tidy` removes those that were delivered; without it nothing is changed.
        """
        try:
            with disk.base_folder(self.base) as base:
                answers = undelivered.kept(base, tidy=tidy)
        except FileNotFoundError:
            return []
        if not answers:
            return []
        tokens = [session.token for session in self.scan().usable() if session.token]
        still_open = undelivered.still_open(answers, {one.bot_id: one.cursor for one in tokens})
        if tidy:
            self.drop_answers(answer.key for answer in answers if answer not in still_open)
        return still_open

    def drop_answers(self, keys: Iterable[str]) -> None:
        with contextlib.suppress(FileNotFoundError), disk.base_folder(self.base) as base:
            undelivered.drop(base, keys)

    @contextlib.contextmanager
    def _place(self, name: str) -> Iterator[Place]:
        with disk.base_folder(self.base) as base, self.layout.place(base, name) as place:
            yield place


class Change:
    """The writes, available while the data lock is held.

    All raise NotWrittenError, UnsafeEntryError.
    """

    def __init__(self, base: int, layout: Layout, now: Callable[[], float]) -> None:
        self._base = base
        self._layout = layout
        self._now = now

    def scan(self) -> Listing:
        return scanning.listing(self._base, self._layout)

    def free_name(self, raw: str, *, besides: str = "") -> str:
        """The cleaned name. Raises BadSessionName, or SessionNameTaken if any folder has it."""
        name = names.clean_session_name(raw)
        for entry in entries(self._base):
            clash = names.name_key(entry.name) == names.name_key(name)
            if clash and entry.name != besides and self._is_in_use(entry.name):
                raise names.SessionNameTaken(entry.name)
        return name

    def write_token(self, name: str, token: StoredToken) -> None:
        """Write credentials and cursor. A changed bot voids the contexts.

        The previous token is retired, since a program that still holds it may write it back; the
        new one is no longer retired. Keys of other programs are kept. A broken file is never
        overwritten (BrokenFileError).
        """
        with self._layout.place(self._base, name, make=True) as place:
            fields = disk.read_object(place.folder, place.token_file) or {}
            before = StoredToken.from_json(fields) if fields else None
            if not token.created_at_s:
                token = replace(token, created_at_s=self._now())
            if before is not None and before.bot_id != token.bot_id:
                self._void_contexts(place)
            self._retire_for(before.token if before else "", token.token)
            disk.write_object(place.folder, place.token_file, token.over(fields))

    def mark(self) -> None:
        """Record that the console has seen sessions in this folder."""
        if not disk.exists(self._base, scanning.MARK_FILE):
            disk.write_object(self._base, scanning.MARK_FILE, {"since": self._now()})

    def _retire_for(self, before: str, token: str) -> None:
        known = retired.read(self._base)
        after = known.moved(before, "", self._now()) if before and before != token else known
        if after.home(token) is not None:
            after = after.allowed(token)
        if after is not known:
            retired.write(self._base, after)

    def holder(self, bot_token: str, hint: str = "") -> str | None:
        """The session that now holds this bot token. `hint` is checked first.

        None if there is none: it was logged out or bound anew, and must not be restored.
        """
        if hint and self._holds(hint, bot_token):
            return hint
        usable = self.scan().usable()
        return next(
            (one.name for one in usable if one.token and one.token.token == bot_token), None
        )

    def write_cursor(self, bot_token: str, cursor: str, hint: str = "") -> str | None:
        """Write the cursor of the session that now holds this bot token.

        Returns its name, or None.
        """
        name = self.holder(bot_token, hint)
        if name is not None:
            with self._open(name) as place:
                fields = disk.read_object(place.folder, place.token_file) or {}
                if fields.get("cursor") != cursor:
                    fields["cursor"] = cursor
                    disk.write_object(place.folder, place.token_file, fields)
        return name

    def read_contexts(self, name: str) -> dict[str, StoredContext]:
        with contextlib.suppress(FileNotFoundError), self._open(name) as place:
            fields = disk.read_object(place.folder, CONTEXTS_FILE) or {}
            return {user_id: StoredContext.from_json(value) for user_id, value in fields.items()}
        return {}

    def write_contexts(self, name: str, changes: Mapping[str, StoredContext]) -> None:
        """Replace these people's entries. All other entries and unknown keys are kept."""
        with self._open(name) as place:
            fields = disk.read_object(place.folder, CONTEXTS_FILE) or {}
            for user_id, context in changes.items():
                fields[user_id] = context.over(fields.get(user_id))
            disk.write_object(place.folder, CONTEXTS_FILE, fields)

    def forget_people(self, name: str, until_s: Mapping[str, float]) -> None:
        """Delete these people's entries, unless they wrote again after the given time."""
        with self._open(name) as place:
            fields = disk.read_object(place.folder, CONTEXTS_FILE) or {}
            gone = [
                user_id
                for user_id, at_s in until_s.items()
                if user_id in fields
                and StoredContext.from_json(fields[user_id]).received_at_s <= at_s
            ]
            for user_id in gone:
                del fields[user_id]
            if gone:
                disk.write_object(place.folder, CONTEXTS_FILE, fields)

    def set_default(self, name: str) -> None:
        """Raises UnknownSessionError if there is no such session."""
        self._known(name)
        disk.write_bytes(self._base, scanning.DEFAULT_FILE, name.encode("utf-8"))

    def rename(self, old: str, new: str) -> str:
        """Move the folder with its content. Returns the cleaned new name.

        Raises UnknownSessionError, BadSessionName or SessionNameTaken. A renamed default stays the
        default.
        """
        was_default = self.scan().default_name == old
        token = self._known(old).token
        clean = self.free_name(names.clean_new_name(new), besides=old)
        if clean == old:
            return clean
        self._move(old, clean)
        if token is not None:
            known = retired.read(self._base)
            retired.write(self._base, known.moved(token.token, clean, self._now()))
        if was_default:
            self.set_default(clean)
        return clean

    def log_out(self, name: str) -> None:
        """Delete credentials and contexts.

        The folder stays if it has other files. Raises UnknownSessionError.
        """
        listing = self.scan()
        token = self._known(name).token
        if token is not None:
            known = retired.read(self._base)
            retired.write(self._base, known.moved(token.token, "", self._now()))
        with self._open(name) as place:
            disk.remove(place.folder, place.token_file)
            disk.remove(place.folder, CONTEXTS_FILE)
            is_own = place.is_own
        if is_own:
            disk.remove_folder(self._base, name)
        if listing.default_name == name:
            disk.remove(self._base, scanning.DEFAULT_FILE)

    def _known(self, name: str) -> FoundSession:
        found = self.scan().get(names.clean_session_name(name))
        if found is None:
            raise UnknownSessionError(name)
        return found

    def _open(self, name: str) -> contextlib.AbstractContextManager[Place]:
        return self._layout.place(self._base, name)

    def _is_in_use(self, folder_name: str) -> bool:
        """Whether the name is in use. Empty folders and other kinds of files do not count."""
        try:
            with disk.subfolder(self._base, folder_name) as folder:
                return bool(entries(folder))
        except FileNotFoundError:
            return False
        except UnsafeEntryError:
            return True

    def _holds(self, name: str, bot_token: str) -> bool:
        try:
            found = scanning.read_session(self._base, self._layout, name)
        except (FileNotFoundError, UnsafeEntryError):
            return False
        if found is None or found.token is None or found.token.token != bot_token:
            return False
        return retired.read(self._base).home(bot_token) in (None, name)

    def _void_contexts(self, place: Place) -> None:
        """Drop tokens of another bot. Keep who wrote first, and when."""
        fields = disk.read_object(place.folder, CONTEXTS_FILE)
        if fields is not None:
            for user_id, value in fields.items():
                context = StoredContext.from_json(value)
                void = replace(context, token="", received_at_s=0.0, replies_used=0)
                fields[user_id] = void.over(value)
            disk.write_object(place.folder, CONTEXTS_FILE, fields)

    def _move(self, old: str, new: str) -> None:
        with self._open(old) as place:
            if place.is_own:
                # The new name may belong to an empty folder. A folder with content is in use.
                if names.name_key(old) != names.name_key(new):
                    disk.remove_folder(self._base, new)
                disk.move(old, new, folder=self._base, new_folder=self._base)
                return
            with disk.subfolder(self._base, new, make=True) as folder:
                for source, target in (
                    (CONTEXTS_FILE, CONTEXTS_FILE),
                    (place.token_file, TOKEN_FILE),
                ):
                    with contextlib.suppress(FileNotFoundError):
                        disk.move(source, target, folder=place.folder, new_folder=folder)
