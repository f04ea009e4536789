"""The context tokens and reply counts of one WeiLink, in sync with the folder.

Called from threads, never from the event loop, because it waits for the folder's lock. Replies are
counted only here, before they are sent.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sessions_app.folder.store import (
    Change,
    FolderError,
    FoundSession,
    SessionFolder,
    StoredContext,
    StoredToken,
    Tally,
    UnknownSessionError,
    counted,
    given_back,
    merged,
    observed,
    on_new_token,
    written,
)
from sessions_app.ilink.errors import QuotaExhaustedError
from sessions_app.ilink.wire import REPLIES_PER_TOKEN
from sessions_app.sessions.routing import Candidate, find_route

from .errors import NoContextError, NotLoggedInError, SessionOfflineError, WindowClosedError

logger = logging.getLogger(__name__)

GIVE_BACK_LIMIT_S = 5.0
IsDead = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Reservation:
    """Replies that were counted and may now be sent, with their session and token."""

    session: str
    token: StoredToken
    user_id: str
    context_token: str
    remaining: int


class Ledger:
    """`is_dead` returns whether WeChat has refused a bot token."""

    def __init__(self, folder: SessionFolder, is_dead: IsDead) -> None:
        self._folder = folder
        self._is_dead = is_dead
        self._tallies: dict[tuple[str, str], Tally] = {}
        self._guard = threading.Lock()
        self._unwritten: dict[str, dict[str, StoredContext]] = {}
        self._bots: dict[str, str] = {}

    def note(self, token: StoredToken, contexts: Mapping[str, StoredContext]) -> None:
        """Remember contexts from received messages.

        The next `write_down` writes them to the folder.
        """
        with self._guard:
            people = self._unwritten.setdefault(token.token, {})
            self._bots[token.token] = token.bot_id
            for user_id, context in contexts.items():
                known = people.get(user_id)
                people[user_id] = merged(known, context) if known else context

    def write_down(self, change: Change) -> None:
        """Merge the remembered contexts into the folder. Skips sessions logged out meanwhile."""
        with self._guard:
            waiting, self._unwritten = self._unwritten, {}
        for bot_token, people in list(waiting.items()):
            name = change.holder(bot_token)
            try:
                if name is not None:
                    self._merge(change, name, self._bots[bot_token], people)
            except FolderError as error:
                logger.warning("contexts of %s not written yet: %s", name, error)
                self._keep_for_later(bot_token, people)

    def reserve(
        self, user_id: str, replies: int, *, session: str | None, override: bool, limit_s: float
    ) -> Reservation:
        """Choose a session and count `replies`.

        Raises NotLoggedInError, UnknownSessionError and FolderError; also NoContextError,
        QuotaExhaustedError, WindowClosedError and SessionExpiredError, each with `.offer`.
        """
        if self._folder.scan().is_absent:
            raise NotLoggedInError
        with self._folder.changing(limit_s=limit_s) as change:
            self.write_down(change)
            sessions = change.scan().usable()
            if not sessions:
                raise NotLoggedInError
            if session is not None and all(found.name != session for found in sessions):
                raise UnknownSessionError(session)
            contexts, unread = self._contexts(change, sessions, user_id)
            route = find_route(
                self._candidates(sessions, contexts, user_id),
                now=datetime.fromtimestamp(self._folder.now(), UTC),
                session_name=session,
                override=override,
                cost=replies,
            )
            if route.chosen is None or route.code == "no_context":
                concerned = tuple(one for one in unread if session in (None, one))
                raise NoContextError(session, tuple(route.offer), concerned)
            if route.code:
                raise _refusal(route.code, route.chosen, replies, tuple(route.offer))
            found = sessions[route.chosen.session_id]
            return self._count(change, found, user_id, contexts[found.name], replies)

    def give_back(self, reservation: Reservation, replies: int) -> int:
        """Uncount replies of which no byte left.

        Returns how many replies the token now has left.
        """
        key = (reservation.token.bot_id, reservation.user_id)
        tally = self._tallies.get(key)
        if tally is None or tally.token != reservation.context_token or not replies:
            return reservation.remaining
        try:
            with self._folder.changing(limit_s=GIVE_BACK_LIMIT_S) as change:
                self._give_back(change, reservation, replies)
        except FolderError as error:
            logger.warning("a reply that did not leave is still counted in the folder: %s", error)
            self._tallies[key] = replace(tally, ours=max(0, tally.ours - replies))
        return max(0, REPLIES_PER_TOKEN - self._tallies[key].used)

    def newest(self, user_id: str) -> tuple[FoundSession, StoredContext] | None:
        """The session with this person's newest token, for calls that are not replies (typing)."""
        best: tuple[FoundSession, StoredContext] | None = None
        for found in self._folder.scan().usable():
            context = self._known(found, user_id)
            if context.token and (best is None or context.received_at_s > best[1].received_at_s):
                best = (found, context)
        return best

    def _known(self, found: FoundSession, user_id: str) -> StoredContext:
        assert found.token is not None
        try:
            context = self._folder.read_contexts(found.name).get(user_id, StoredContext())
        except FolderError:
            context = StoredContext()
        with self._guard:
            fresh = self._unwritten.get(found.token.token, {}).get(user_id)
        return merged(context, fresh) if fresh else context

    def _contexts(
        self, change: Change, sessions: Sequence[FoundSession], user_id: str
    ) -> tuple[dict[str, StoredContext], list[str]]:
        """This person's entries by session, and the sessions whose contexts cannot be read."""
        contexts: dict[str, StoredContext] = {}
        unread = []
        for found in sessions:
            try:
                context = change.read_contexts(found.name).get(user_id)
            except FolderError as error:
                logger.warning("session %s: %s", found.name, error)
                unread.append(found.name)
                continue
            if context is not None and context.token:
                contexts[found.name] = context
        return contexts, unread

    def _candidates(
        self,
        sessions: Sequence[FoundSession],
        contexts: Mapping[str, StoredContext],
        user_id: str,
    ) -> list[Candidate]:
        candidates = []
        for place, found in enumerate(sessions):
            context = contexts.get(found.name)
            if context is None or found.token is None:
                continue
            tally = self._observe((found.token.bot_id, user_id), context)
            candidates.append(
                Candidate(
                    session_id=place,
                    name=found.name,
                    may_send=not self._is_dead(found.token.token),
                    has_token=True,
                    received_at=datetime.fromtimestamp(context.received_at_s, UTC),
                    replies_used=tally.used,
                )
            )
        return candidates

    def _count(
        self, change: Change, found: FoundSession, user_id: str, context: StoredContext,
        replies: int,
    ) -> Reservation:  # fmt: skip
        assert found.token is not None
        key = (found.token.bot_id, user_id)
        tally = counted(self._tallies[key], replies)
        now_s = self._folder.now()
        entry = replace(context, replies_used=tally.used, replied_at_s=now_s)
        change.write_contexts(found.name, {user_id: entry})
        self._tallies[key] = replace(tally, replied_at_s=now_s)
        return Reservation(
            session=found.name,
            token=found.token,
            user_id=user_id,
            context_token=context.token,
            remaining=max(0, REPLIES_PER_TOKEN - tally.used),
        )

    def _give_back(self, change: Change, reservation: Reservation, replies: int) -> None:
        key = (reservation.token.bot_id, reservation.user_id)
        name = change.holder(reservation.token.token, reservation.session)
        context = change.read_contexts(name).get(reservation.user_id) if name else None
        if name is None or context is None or context.token != reservation.context_token:
            self._tallies[key] = given_back(self._tallies[key], replies)
            return
        tally = given_back(self._observe(key, context), replies)
        entry = replace(context, replies_used=tally.used)
        change.write_contexts(name, {reservation.user_id: entry})
        self._tallies[key] = tally

    def _observe(self, key: tuple[str, str], context: StoredContext) -> Tally:
        tally = observed(self._tallies.get(key), context)
        self._tallies[key] = tally
        return tally

    def _merge(
        self, change: Change, name: str, bot_id: str, people: Mapping[str, StoredContext]
    ) -> None:
        on_disk = change.read_contexts(name)
        changes: dict[str, StoredContext] = {}
        for user_id, mine in people.items():
            theirs = on_disk.get(user_id, StoredContext())
            tally = self._observe((bot_id, user_id), theirs)
            entry = merged(theirs, mine)
            if entry.token != tally.token:
                tally = on_new_token(tally, entry.token)
            changes[user_id] = replace(entry, replies_used=tally.used)
            self._tallies[bot_id, user_id] = tally
        if any(on_disk.get(user_id) != entry for user_id, entry in changes.items()):
            change.write_contexts(name, changes)
            for user_id in changes:
                self._tallies[bot_id, user_id] = written(self._tallies[bot_id, user_id])

    def _keep_for_later(self, bot_token: str, people: Mapping[str, StoredContext]) -> None:
        with self._guard:
            newer = self._unwritten.get(bot_token, {})
            both = dict(people)
            for user_id, context in newer.items():
                both[user_id] = merged(both[user_id], context) if user_id in both else context
            self._unwritten[bot_token] = both


def _refusal(code: str, chosen: Candidate, cost: int, offer: tuple[str, ...]) -> Exception:
    if code == "quota_exhausted":
        left = chosen.replies_left()
        if left:  # a text and its files need one reply each
            return QuotaExhaustedError(f"This takes {cost} replies, and {left} are left.", offer)
        return QuotaExhaustedError(offer=offer)
    if code == "window_closed":
        return WindowClosedError(offer)
    return SessionOfflineError(chosen.name, offer)
