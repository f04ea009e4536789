"""How many replies one context token has carried: our own ledger, beside the count in the file.

Pure. The file's count alone is not our truth: a running SDK (0.6.2) never resets a count in
memory, so it may write the old token's count beside a new token, and it may write an older count.
"""

from dataclasses import dataclass, replace

from .values import StoredContext


@dataclass(frozen=True, slots=True)
class Tally:
    """Replies on `token`: `ours`, and `others` that we saw the file's count rise by.

    `in_file` is the file's count as we last read or wrote it. `stale` is the count of the token
    before, as long as an SDK may still turn up with it beside this one.
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
    """What we know after reading the file's entry. Nothing known before: the file is believed."""
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
    believed = _believed(tally, entry, rise)
    return replace(
        tally,
        others=tally.others + believed,
        in_file=entry.replies_used,
        stale=0 if rise else tally.stale,
        replied_at_s=max(tally.replied_at_s, entry.replied_at_s),
    )


def on_new_token(tally: Tally, token: str) -> Tally:
    """The person wrote: a new token, a new ten."""
    return Tally(token=token, stale=tally.in_file or tally.stale, replied_at_s=tally.replied_at_s)


def counted(tally: Tally, replies: int) -> Tally:
    """Ours, before they are sent; what is written to the file is the new `used`."""
    return written(replace(tally, ours=tally.ours + replies))


def given_back(tally: Tally, replies: int) -> Tally:
    """Ours that never left."""
    return written(replace(tally, ours=max(0, tally.ours - replies)))


def written(tally: Tally) -> Tally:
    """After `used` was written to the file as its count."""
    # The count that we write heals an SDK's old one: it takes over any count but 0, and goes on
    # from the one before.
    stale = 0 if tally.used else tally.stale or tally.in_file
    return replace(tally, in_file=tally.used, stale=stale)


def _is_own_write(tally: Tally, entry: StoredContext) -> bool:
    """Whether the entry is what we would write: we did, and were killed before we noted it.

    Another program's reply has a time of its own. Rows keep microseconds.
    """
    is_same_time = abs(entry.replied_at_s - tally.replied_at_s) < 2e-6
    return entry.replies_used == tally.used and bool(entry.replied_at_s) and is_same_time


def _believed(tally: Tally, entry: StoredContext, rise: int) -> int:
    """A rise is believed, but for the first count of a token behind one that had been used."""
    if not rise or not tally.stale or tally.in_file:
        return rise
    has_replied = 1 if entry.replied_at_s > tally.replied_at_s else 0
    return min(rise, max(rise - tally.stale, has_replied))
