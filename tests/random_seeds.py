"""Seeds of random tests: each run has its own, prints it, and can be repeated with it."""

import os
import random

import pytest
from hypothesis import HealthCheck, settings

REPEAT = "TEST_SEED"
"""Set it, and `--hypothesis-seed`, to what a run has printed."""


TIMES = int(os.environ.get("TEST_EXAMPLES_TIMES", "1"))
"""How many times as many examples as usual; `make test-slow` takes 20 times as many."""


def register_profile() -> None:
    """What a slow machine takes for an example is no failure, and one that fails can be copied."""
    settings.register_profile("console", deadline=None, print_blob=True, max_examples=100 * TIMES)
    settings.load_profile("console")


def examples(number: int) -> settings:
    """For a test whose examples take long: so many in a usual run."""
    return settings(
        max_examples=number * TIMES,
        stateful_step_count=20,
        suppress_health_check=list(HealthCheck),
    )


def choose(config: pytest.Config) -> int:
    """The seed of this run, handed on to hypothesis and to the processes of xdist."""
    if REPEAT not in os.environ:
        os.environ[REPEAT] = str(random.SystemRandom().randrange(2**32))
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = os.environ[REPEAT]
    return int(os.environ[REPEAT])


def seed() -> int:
    """For tests that choose moments at random by themselves."""
    return int(os.environ[REPEAT])
