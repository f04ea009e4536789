"""Syncs context tokens and reply counts between one session's rows and its contexts.json.

The context with the later message wins, with its token. If the tokens are equal, the replies of
both sides are added up (see `folder.store.tally`). Actions of other programs are reported to
`Conversations` in the same transaction.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

from django.db.models import F
from django.utils import timezone

from sessions_app.database.encryption import DecryptionError, decrypt, encrypt
from sessions_app.folder.store import Change as FolderChange
from sessions_app.folder.store import StoredContext, Tally, is_plain, merged, observed, written
from sessions_app.models import Context, Session
from sessions_app.realtime.streams import Change, announcing
from sessions_app.team_settings.limits import team_settings

AT_ONCE = 500
MAX_ID = 200
Entries = Mapping[str, StoredContext]


@dataclass(frozen=True, slots=True)
class ContextChange:
    """What another program did with one person.

    `received_at`: it received a message. `answered_at`: it replied, `replies` times by the counts.
    """

    user_id: str
    received_at: datetime | None = None
    answered_at: datetime | None = None
    replies: int = 0


Follow = Callable[[Change, Sequence[ContextChange]], None]


class Conversations(Protocol):
    """The part of conversations that depends on contexts: route, reply window, last message."""

    def lock(self, session: Session, user_ids: set[str]) -> Follow:
        """Lock these people's conversations, before their contexts.

        Returns the function to report changes to.
        """
        ...

    def last_forgotten(self) -> float:
        """When somebody was last forgotten, in epoch seconds; 0.0: never."""
        ...

    def forgotten_until(self, user_ids: Collection[str]) -> dict[str, float]:
        """The forgotten among these people → until when, in epoch seconds."""
        ...


def unfiled_sessions(session_ids: Iterable[int]) -> list[int]:
    """Sessions with contexts to be written to the folder. Those that queued replies come first."""
    rows = Context.objects.filter(unfiled=True, session__in=list(session_ids))
    rows = rows.order_by(F("last_reply_at").desc(nulls_last=True))
    return list(dict.fromkeys(rows.values_list("session_id", flat=True)))


def merge_entries(
    session_id: int, generation: int, entries: Entries, conversations: Conversations
) -> None:
    """Merge the file's entries into the rows. No file access."""
    people = sorted(user for user in entries if is_plain(user) and 0 < len(user) <= MAX_ID)
    for start in range(0, len(people), AT_ONCE):
        part = {user_id: entries[user_id] for user_id in people[start : start + AT_ONCE]}
        _merge_batch(session_id, generation, part, conversations)


def _merge_batch(
    session_id: int, generation: int, entries: Entries, conversations: Conversations
) -> None:
    with announcing() as change:
        session = Session.objects.select_for_update(no_key=True).filter(pk=session_id).first()
        if session is None or session.generation != generation or not session.encrypted_token:
            return
        follow = conversations.lock(session, _within_reach(entries))
        locked = Context.objects.select_for_update(no_key=True).filter(
            session=session, user_id__in=set(entries)
        )
        rows = {row.user_id: row for row in locked.order_by("pk")}
        changes = []
        for user_id, entry in entries.items():
            row = rows.get(user_id)
            made = _merge(row, entry) if row else _create(session, user_id, entry)
            if made is not None:
                changes.append(made)
        follow(change, changes)


def _within_reach(entries: Entries) -> set[str]:
    """People who can still be answered. The folder alone makes no conversation for anyone else."""
    since = (timezone.now() - team_settings().window).timestamp()
    return {user for user, one in entries.items() if one.token and one.received_at_s > since}


def _create(session: Session, user_id: str, entry: StoredContext) -> ContextChange | None:
    """Create the row of a person whom only another program has met."""
    at = _moment(entry.received_at_s)
    if not entry.token or at is None:
        return None
    replied_at = _moment(entry.replied_at_s)
    Context.objects.create(
        session=session,
        user_id=user_id,
        encrypted_token=encrypt(entry.token),
        received_at=at,
        replies_used=entry.replies_used,
        filed_count=entry.replies_used,
        last_reply_at=replied_at,
        first_seen_at=_moment(entry.first_seen_s) or at,
        unfiled=False,
    )
    return ContextChange(user_id, at, replied_at, entry.replies_used)


def _merge(row: Context, entry: StoredContext) -> ContextChange | None:
    """Merge one entry into its locked row. Returns what another program did, if anything."""
    mine, tally = _as_stored(row), _tally(row)
    if mine is None:
        return None
    if entry.token and entry.token != mine.token and entry.received_at_s > mine.received_at_s:
        after = observed(tally, entry)
        row.begin_token(entry.token, waiting=after.used)
        row.received_at = _moment(entry.received_at_s) or row.received_at
        row.filed_count, row.stale_count = after.in_file, after.stale
        row.last_reply_at = _latest(row.last_reply_at, _moment(entry.replied_at_s))
        row.save()
        answered = row.last_reply_at if after.used else None
        return ContextChange(row.user_id, row.received_at, answered, after.used)
    if entry.token != mine.token:
        # A program wrote back an outdated entry. Ours is newer and is written again.
        Context.objects.filter(pk=row.pk).update(unfiled=bool(mine.token))
        return None
    after = observed(tally, entry)
    rise = after.used - tally.used
    at = _moment(entry.replied_at_s)
    later = max(row.received_at, _moment(entry.received_at_s) or row.received_at)
    columns = {
        "replies_used": F("replies_used") + rise,
        "filed_count": after.in_file,
        "stale_count": after.stale,
        "received_at": later,
        "last_reply_at": _latest(row.last_reply_at, at) if rise else row.last_reply_at,
        # If the file's count differs from ours, write it again.
        "unfiled": row.unfiled or after.used != after.in_file,
    }
    Context.objects.filter(pk=row.pk).update(**columns)
    return ContextChange(row.user_id, None, at, rise) if rise else None


def file_out(session_id: int, name: str, folder: FolderChange) -> Entries:
    """Write this session's unfiled contexts, under the folder's lock. Returns what was written.

    The caller has merged the file under the same lock, so no reply of another program is
    overwritten. The `unfiled` flags are cleared first, so that a concurrent change can set its own
    again. On errors (FolderError) they are restored.
    """
    rows = Context.objects.filter(session=session_id, unfiled=True)
    pks = list(rows.values_list("pk", flat=True)[:AT_ONCE])
    Context.objects.filter(pk__in=pks).update(unfiled=False)
    try:
        return _write_entries(Context.objects.filter(pk__in=pks), name, folder)
    except Exception:
        Context.objects.filter(pk__in=pks).update(unfiled=True)
        raise


def _write_entries(rows: Iterable[Context], name: str, folder: FolderChange) -> Entries:
    on_disk = folder.read_contexts(name)
    entries: dict[str, StoredContext] = {}
    tallies: dict[tuple[int, str], Tally] = {}
    for row in rows:
        mine = _as_stored(row)
        if mine is None:
            continue
        entry = merged(on_disk.get(row.user_id, StoredContext()), mine)
        if entry.token == mine.token:
            entries[row.user_id] = replace(entry, replies_used=mine.replies_used)
            tallies[row.pk, row.encrypted_token] = written(_tally(row))
    changed = {user: entry for user, entry in entries.items() if on_disk.get(user) != entry}
    if changed:
        folder.write_contexts(name, changed)
    for (pk, encrypted_token), tally in tallies.items():
        note_filed(pk, encrypted_token, tally)
    return entries


def note_filed(pk: int, encrypted_token: str, tally: Tally) -> None:
    """Store what the file has of this token. A newer token that arrived has its own counts."""
    counts = {"filed_count": tally.in_file, "stale_count": tally.stale}
    rows = Context.objects.filter(pk=pk)
    if rows.filter(encrypted_token=encrypted_token).update(**counts):
        return
    # The same token may have been encrypted with a newer key meanwhile.
    row = rows.first()
    try:
        if row is not None and row.token == decrypt(encrypted_token):
            rows.filter(encrypted_token=row.encrypted_token).update(**counts)
    except DecryptionError:
        return


def file_again(session_id: int, user_ids: Iterable[str] | None = None) -> None:
    """Mark contexts to be written again, because the folder lacks them.

    None: all of the session's.
    """
    rows = Context.objects.filter(session=session_id).exclude(encrypted_token="")
    if user_ids is not None:
        rows = rows.filter(user_id__in=list(user_ids))
    rows.update(unfiled=True)


def file_missing(session_id: int, in_folder: set[str]) -> None:
    """Mark live tokens of ours that the folder does not hold at all."""
    alive = Context.objects.filter(
        session=session_id, received_at__gt=timezone.now() - team_settings().window
    )
    missing = set(alive.values_list("user_id", flat=True)) - in_folder
    if missing:
        file_again(session_id, missing)


def leave_unfiled(session_id: int) -> None:
    """Clear the flags of a session whose file cannot be written, so that no reply waits for it.

    `file_again` sets them later.
    """
    Context.objects.filter(session=session_id, unfiled=True).update(unfiled=False)


def leave_others(bound: Iterable[int]) -> None:
    """Clear the flags of sessions without readable credentials: they are not in the folder."""
    unfiled = Context.objects.filter(unfiled=True)
    others = set(unfiled.values_list("session", flat=True).distinct()) - set(bound)
    if others:
        unfiled.filter(session__in=others).update(unfiled=False)


def _tally(row: Context) -> Tally:
    return Tally(
        token=_token(row) or "",
        ours=row.replies_used,
        in_file=row.filed_count,
        stale=row.stale_count,
        replied_at_s=_seconds(row.last_reply_at),
    )


def _as_stored(row: Context) -> StoredContext | None:
    """The row as an entry, or None if its token cannot be decrypted. It is not compared then."""
    token = _token(row)
    if token is None:
        return None
    return StoredContext(
        token=token,
        received_at_s=_seconds(row.received_at) if token else 0.0,
        replies_used=row.replies_used,
        replied_at_s=_seconds(row.last_reply_at),
        first_seen_s=_seconds(row.first_seen_at),
    )


def _token(row: Context) -> str | None:
    try:
        return row.token
    except DecryptionError:
        return None


def _seconds(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0


def _moment(seconds: float) -> datetime | None:
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds else None
    except (OverflowError, ValueError, OSError):
        return None


def _latest(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((each for each in (one, other) if each is not None), default=None)
