"""How fast this machine is at this moment, and what it is.

Goals in absolute figures hold for a machine that takes `USUAL_S` for ten million additions; on a
machine that takes twice as long, a goal in seconds is twice as high and a goal per second half.
"""

import os
import platform
import time

USUAL_S = 0.65
ADDITIONS = 10_000_000


def additions_s() -> float:
    """Seconds for ten million additions in Python."""
    began = time.perf_counter()
    total = 0
    for number in range(ADDITIONS):
        total += number
    assert total
    return time.perf_counter() - began


def description() -> str:
    cores = len(os.sched_getaffinity(0))
    return f"{cores} cores, {platform.machine()}, Python {platform.python_version()}"


def load() -> float:
    """How many processes wanted to run in the last minute, ours and others'."""
    return os.getloadavg()[0]
