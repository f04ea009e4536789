"""A worker without work: each of its jobs looks as rarely as it says."""

from collections import Counter
from typing import Any

import pytest

from messaging.conversations.leavers import Leavers
from messaging.worker import analyze, worker
from tests.conftest import QUICK, Running, until


@pytest.fixture(autouse=True)
def looks(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each of them was asked."""
    counted: Counter[str] = Counter()

    def count(place: Any, name: str) -> None:
        asked = getattr(place, name)

        def counting(*args: Any, **kwargs: Any) -> Any:
            counted[name] += 1
            return asked(*args, **kwargs)

        monkeypatch.setattr(place, name, counting)

    count(Leavers, "look")
    count(analyze, "learn_sizes")
    count(worker, "glance")
    return counted


async def test_no_job_looks_again_at_once(running: Running, looks: Counter[str]) -> None:
    enough = 10
    await until(lambda: looks["glance"] >= enough, "so many glances")
    rarely = 1 + enough * 2 * QUICK.sweep_s / QUICK.leavers_every_s
    assert 1 <= looks["look"] <= rarely
    assert looks["learn_sizes"] == 0
