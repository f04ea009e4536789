"""Counts the replies sent with one context token: our own ledger beside the count in the file.

Pure. The count in the file alone is not reliable: a running SDK (0.6.2) never resets its count in
memory, so it may write the old token's count next to a new token, or an outdated count.
"""

from dataclasses import dataclass, replace

from .values import StoredContext


@dataclass(frozen=True, slots=True)
class Tally:
    """Replies on `token`: `ours`, and `others`, the increases of the file's count that we saw.

    `in_file` is the file's count as we last read or wrote it. `stale` is the previous token's
    count, kept while an SDK may still write it next to the current token.
    """

    token: str
    ours: int = 0
    others: int = 0
    in_file: int = 0
    stale: int = 0
    replied_at_s: float = 0.0

    @property
    def used(self) -> int:
        return self.ours + self.others


def observed(tally: Tally | None, entry: StoredContext) -> Tally:
    """The tally after reading the file's entry. Without an earlier tally the file is believed."""
    if tally is None:
        return Tally(
            token=entry.token,
            others=entry.replies_used,
            in_file=entry.replies_used,
            replied_at_s=entry.replied_at_s,
        )
    if tally.token != entry.token:
        tally = on_new_token(tally, entry.token)
    is_own = _is_own_write(tally, entry)
    rise = 0 if is_own else max(0, entry.replies_used - tally.in_file)
    believed = _credible_rise(tally, entry, rise)
    return replace(
        tally,
        others=tally.others + believed,
        in_file=entry.replies_used,
        stale=0 if rise else tally.stale,
        replied_at_s=max(tally.replied_at_s, entry.replied_at_s),
    )


def on_new_token(tally: Tally, token: str) -> Tally:
    """The tally after the person wrote: a new token with a full reply quota."""
    return Tally(token=token, stale=tally.in_file or tally.stale, replied_at_s=tally.replied_at_s)


def counted(tally: Tally, replies: int) -> Tally:
    """The tally after queueing `replies` of ours. The new `used` is written to the file."""
    return written(replace(tally, ours=tally.ours + replies))


def given_back(tally: Tally, replies: int) -> Tally:
    """The tally after giving back `replies` that never left."""
    return written(replace(tally, ours=max(0, tally.ours - replies)))


def written(tally: Tally) -> Tally:
    """The tally after `used` was written to the file."""
    # Writing a count corrects an SDK that holds an old one: it adopts any count but 0 and continues
    # from there. With 0 it may still continue from the previous token's count.
    stale = 0 if tally.used else tally.stale or tally.in_file
    return replace(tally, in_file=tally.used, stale=stale)


def _is_own_write(tally: Tally, entry: StoredContext) -> bool:
    """Whether the entry is our own write, which a crash kept us from recording.

    A reply of another program has a different time. Rows keep microseconds.
    """
    is_same_time = abs(entry.replied_at_s - tally.replied_at_s) < 2e-6
    return entry.replies_used == tally.used and bool(entry.replied_at_s) and is_same_time


def _credible_rise(tally: Tally, entry: StoredContext, rise: int) -> int:
    """The credible part of the rise.

    The first count of a new token may include the old token's count.
    """
    if not rise or not tally.stale or tally.in_file:
        return rise
    has_replied = 1 if entry.replied_at_s > tally.replied_at_s else 0
    return min(rise, max(rise - tally.stale, has_replied))
