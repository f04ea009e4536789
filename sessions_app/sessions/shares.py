"""How many sessions each worker should poll. Pure: no database, no clock.

Every worker computes this by itself from the same rows. Two that read the rows at different moments
may disagree for one look; the next look puts that right.
"""

from collections.abc import Mapping


def fair_shares(total: int, held: Mapping[str, int]) -> dict[str, int]:
    """The number of sessions for each worker, with as few moves as possible.

    `held`: the sessions that each living worker polls now. Shares differ by one at most and add up
    to `total`. Where they cannot be equal, the workers that hold most keep one more, so whatever is
    balanced already stays where it is.
    """
    if not held:
        return {}
    least, with_one_more = divmod(total, len(held))
    by_size = sorted(held, key=lambda worker_id: (-held[worker_id], worker_id))
    return {worker_id: least + (place < with_one_more) for place, worker_id in enumerate(by_size)}
