"""Servers and tools of the system that a test runs."""

import os
import shutil

import pytest


def needs(program: str) -> str:
    """Its path. Skips the test where it is not installed, or fails where everything is required."""
    if found := shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin"):
        return found
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"{program} is required here and is not installed")
    pytest.skip(f"{program} is not installed")
