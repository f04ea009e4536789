"""How long a failed call waits."""

import pytest

from sessions_app.ilink.backoff import Backoff


def test_the_third_failure_in_a_row_waits_long() -> None:
    backoff = Backoff(lambda: 0.5)
    assert [backoff.failed() for _ in range(4)] == [2.0, 2.0, 30.0, 30.0]
    assert backoff.failures == 4


def test_a_success_ends_the_row() -> None:
    backoff = Backoff(lambda: 0.5)
    for _ in range(3):
        backoff.failed()
    backoff.succeeded()
    assert (backoff.failures, backoff.failed()) == (0, 2.0)


@pytest.mark.parametrize(("rolled", "factor"), [(0.0, 0.8), (0.25, 0.9), (0.999_999, 1.2)])
def test_jitter_stays_within_a_fifth(rolled: float, factor: float) -> None:
    backoff = Backoff(lambda: rolled)
    assert backoff.failed() == pytest.approx(2.0 * factor, rel=1e-5)
    assert Backoff(lambda: 0.0).failed() >= 1.6
