"""A receiver that is killed at any moment loses no message; one may come twice over a kill.

On a WeChat that repeats what was not acknowledged. One that does not loses what it wrote to a line
whose reader was just killed; what was read is kept all the same (test_receiving)."""

import random
import subprocess
import sys
import time
from collections import Counter

import pytest

from .conftest import PERSON, World, received

RECEIVER = """
import sys
from sessions_app import WeiLink
weilink = WeiLink(base_path=sys.argv[1])
print("ready", flush=True)
while True:
    for message in weilink.recv(timeout=1):
        print(message.text, flush=True)
"""


def _kill_receivers(world: World, times: int) -> None:
    rng = random.Random(11)
    heard: Counter[str] = Counter()
    written = 0
    for number in range(times):
        with subprocess.Popen(
            [sys.executable, "-c", RECEIVER, str(world.base)], stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            for _ in range(6):
                world.write("default", f"message {written}", PERSON)
                written += 1
                time.sleep(rng.uniform(0, 0.12))  # not to wait: the random moment
            if not number:  # one of them lives until it has received something
                heard[process.stdout.readline().strip()] += 1
            process.kill()
            heard.update(line.strip() for line in process.stdout)
    last = world.open()
    left = written - len(heard)
    heard.update(str(one.text) for one in (received(last, left) if left else []))
    heard.update(str(one.text) for one in last.recv(timeout=0.5))
    assert set(heard) == {f"message {number}" for number in range(written)}
    # What one process printed may be in the hands of the next: at most what a kill cut off.
    assert max(heard.values()) <= 2


def test_five_random_kills_lose_no_message(world: World) -> None:
    world.bind("default")
    _kill_receivers(world, 5)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_fifty_random_kills_lose_no_message(world: World) -> None:
    world.bind("default")
    _kill_receivers(world, 50)
