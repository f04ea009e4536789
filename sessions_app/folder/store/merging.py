"""Merges what two programs know about one person's context. Pure and symmetric.

The context with the later message wins, with its token. If the tokens are equal, the higher reply
count wins. A caller with a ledger passes `Tally.used` as its count.
"""

from dataclasses import replace

from .values import StoredContext


def merged(one: StoredContext, other: StoredContext) -> StoredContext:
    """Both contexts merged.

    If the last message has the same time in both, the token of `other` wins.
    """
    if one.token and one.token == other.token:
        newest = replace(
            other,
            received_at_s=max(one.received_at_s, other.received_at_s),
            replies_used=max(one.replies_used, other.replies_used),
        )
    else:
        newest = one if _is_newer(one, other) else other
    return replace(
        newest,
        replied_at_s=max(one.replied_at_s, other.replied_at_s),
        first_seen_s=_earliest(one.first_seen_s, other.first_seen_s),
    )


def _is_newer(one: StoredContext, other: StoredContext) -> bool:
    """Whether `one` is newer. An entry without a token never is, whatever time it names."""
    if bool(one.token) != bool(other.token):
        return bool(one.token)
    return one.received_at_s > other.received_at_s


def _earliest(one_s: float, other_s: float) -> float:
    return min(one_s, other_s) if one_s and other_s else one_s or other_s
