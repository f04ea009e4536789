"""Tests that start many processes run in few groups; each group runs one test at a time."""

import pytest


def test_groups_are_heeded(request: pytest.FixtureRequest) -> None:
    """The group is part of a test's name; xdist cannot write it there if pytest is too new."""
    if not getattr(request.config.option, "loadgroup", False):
        pytest.skip("all tests run one after the other")
    assert request.node.nodeid.endswith("@services 1")
