"""Waiting until something holds, while the page and the routes of the test go on."""

import time
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page


def until(
    page: Page,
    holds: Callable[[], Any],
    what: str = "",
    *,
    within_s: float = 90.0,
    every_ms: float = 20.0,
) -> None:
    """Returns as soon as `holds` is true; `what` is said when it is not in time."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within_s} s: {what or holds}")
        page.wait_for_timeout(every_ms)
