"""Bodies that are arriving or lie on disk: how many, how large, and how slowly they may come."""

from weilink_site.bounds import limits
from weilink_site.bounds.places import Full, Places

_small, _large, _bytes = Places(), Places(), Places()


class OpenBody:
    """One body, from its first byte to the end of its request. `began_at`: monotonic seconds.

    It begins as a small one of its address. Raises Full.
    """

    def __init__(self, address: str, began_at: float) -> None:
        self._began_at = began_at
        self._address = address
        self._caller = ""
        self._size = 0
        self._is_arriving = False
        _small.take(address, each=limits.SMALL_BODIES_EACH, in_all=limits.SMALL_BODIES)
        self._is_arriving = True

    @property
    def is_small(self) -> bool:
        return not self._size

    def grow(self, caller: str, size: int, *, largest: int = 0) -> None:
        """It is known whose it is, and may have `size` bytes. Raises Full.

        `largest`: the most that any body may have here, by the team's own limits.
        """
        each = max(limits.BODY_BYTES_EACH, 2 * largest)
        in_all = max(limits.BODY_BYTES, 8 * largest)
        _large.take(caller, each=limits.BODIES_EACH, in_all=limits.BODIES)
        try:
            _bytes.take(caller, size, each=each, in_all=in_all)
        except Full:
            _large.give_back(caller)
            raise
        self._caller, self._size = caller, size

    def is_too_slow(self, received: int, now: float) -> bool:
        may_take_s = limits.BODY_GRACE_S + received / limits.BODY_BYTES_PER_S
        return self._is_arriving and now - self._began_at > may_take_s

    def has_come(self) -> None:
        """All of it: what is small is now counted by its request."""
        if self._is_arriving:
            self._is_arriving = False
            _small.give_back(self._address)

    def close(self) -> None:
        self.has_come()
        if self._size:
            _large.give_back(self._caller)
            _bytes.give_back(self._caller, self._size)
            self._size = 0
