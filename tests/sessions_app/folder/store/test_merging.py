"""Contexts merge both ways by one rule: the later message wins, the same token adds up."""

import pytest

from sessions_app.folder.store import StoredContext, merged

OLD = StoredContext("old", 100.0, 9, 105.0, 50.0)
NEW = StoredContext("new", 200.0, 0, 0.0, 200.0)


@pytest.mark.parametrize("pair", [(OLD, NEW), (NEW, OLD)], ids=["disk older", "disk newer"])
def test_the_later_message_wins_with_its_count(pair: tuple[StoredContext, StoredContext]) -> None:
    assert merged(*pair) == StoredContext("new", 200.0, 0, 105.0, 50.0)


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [(3, 5, 5), (5, 3, 5), (0, 0, 0), (10, 1, 10)],
)
def test_on_one_token_the_higher_count_stands(one: int, other: int, count: int) -> None:
    left, right = StoredContext("t", 100.0, one), StoredContext("t", 101.0, other)
    for both in (merged(left, right), merged(right, left)):
        assert (both.replies_used, both.received_at_s) == (count, 101.0)


def test_an_entry_without_a_token_wins_over_none() -> None:
    bare = StoredContext("", 999.0, 0, 300.0, 10.0)
    for both in (merged(OLD, bare), merged(bare, OLD)):
        assert (both.token, both.received_at_s, both.replied_at_s) == ("old", 100.0, 300.0)
        assert both.first_seen_s == 10.0


def test_at_the_same_time_the_second_brings_the_token() -> None:
    left, right = StoredContext("a", 100.0, 4), StoredContext("b", 100.0, 0)
    assert merged(left, right).token == "b"
    assert merged(right, left).token == "a"


def test_merging_twice_changes_nothing() -> None:
    once = merged(OLD, NEW)
    assert merged(once, NEW) == merged(once, OLD) == once
