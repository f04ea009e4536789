"""Computes the wait after a failed call: 2 s, 2 s, then 30 s from the third in a row, with jitter.

It never sleeps, so that the caller can also wait for its stop event.
"""

from collections.abc import Callable

FIRST_S, LATER_S = 2.0, 30.0


class Backoff:
    """Failures in a row and the pause that the next one asks for.

    `rng` returns a float in [0, 1); the pause lies between 1 - jitter and 1 + jitter times
    `first_s` or `later_s`, so that sessions which failed together do not return together.
    """

    def __init__(
        self,
        rng: Callable[[], float],
        first_s: float = FIRST_S,
        later_s: float = LATER_S,
        threshold: int = 3,
        jitter: float = 0.2,
    ) -> None:
        self._rng = rng
        self._first_s = first_s
        self._later_s = later_s
        self._threshold = threshold
        self._jitter = jitter
        self.failures = 0

    def failed(self) -> float:
        """Count one more failure in a row. Returns the seconds to wait before the next try."""
        self.failures += 1
        pause_s = self._first_s if self.failures < self._threshold else self._later_s
        return pause_s * (1 + self._jitter * (2 * self._rng() - 1))

    def succeeded(self) -> None:
        """Reset the count of failures."""
        self.failures = 0
