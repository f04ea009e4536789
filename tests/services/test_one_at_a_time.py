"""These tests share two servers and count what all of them do: no two of them run at once."""

import pytest


def test_they_are_one_group(request: pytest.FixtureRequest) -> None:
    """The group is part of a test's name; xdist cannot write it there if pytest is too new."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("all tests run one after the other")
    assert request.node.nodeid.endswith("@services")
