"""Takes forgotten people out of the contexts files, and keeps their entries out of the rows.

The database knows them by hashes alone, so each entry is looked up once: when it is new or changed,
and again after somebody was forgotten. A program that still has an entry in memory may write it
back; then it goes again. An entry with a later message is that of a new person.
"""

import logging
from collections.abc import Iterable, Mapping

from sessions_app.folder.mirror.comparing import RowState
from sessions_app.folder.mirror.contexts import Conversations
from sessions_app.folder.store import Change, FolderError, StoredContext

logger = logging.getLogger(__name__)

Entries = dict[str, StoredContext]


class Forgotten:
    """What is known of one folder's sessions, by their keys."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations
        self._last = 0.0
        self._waiting: dict[int, dict[str, float]] = {}

    def look_again(self, known: Mapping[int, Mapping[str, StoredContext]]) -> None:
        """Look up all known entries, by session, if somebody was forgotten since the last time."""
        last = self._conversations.last_forgotten()
        if last != self._last:
            self._last = last
            for pk, entries in known.items():
                self.without(pk, entries)

    def without(self, pk: int, entries: Mapping[str, StoredContext]) -> Entries:
        """The entries of everybody else. Those of forgotten people wait to be taken out."""
        if not self._last or not entries:
            return dict(entries)
        until_s = self._conversations.forgotten_until(entries.keys())
        gone = {user: at_s for user, at_s in until_s.items() if entries[user].received_at_s <= at_s}
        if gone:
            self._waiting.setdefault(pk, {}).update(gone)
        return {user: entry for user, entry in entries.items() if user not in gone}

    def waiting(self, rows: Iterable[RowState]) -> list[RowState]:
        return [row for row in rows if row.pk in self._waiting]

    def take_out(self, change: Change, rows: Iterable[RowState]) -> None:
        """Delete the entries that wait, under the folder's lock. What fails waits for the next."""
        for row in rows:
            try:
                change.forget_people(row.filed_name, self._waiting[row.pk])
            except FileNotFoundError:
                pass  # the whole session is gone
            except (FolderError, OSError) as error:
                logger.warning("cannot write the contexts of session %s: %s", row.pk, error)
                continue
            del self._waiting[row.pk]
