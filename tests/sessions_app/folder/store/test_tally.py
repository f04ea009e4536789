"""Our ledger of replies beside the file's count, and an SDK's old counts that are not believed."""

import pytest

from sessions_app.folder.store import (
    StoredContext,
    Tally,
    counted,
    given_back,
    observed,
    on_new_token,
)


def _entry(token: str, count: int, replied_at_s: float = 0.0) -> StoredContext:
    return StoredContext(token, 100.0, count, replied_at_s)


def _used(count: int) -> Tally:
    """A token "t1" on which the file counted so much, seen by us."""
    return observed(None, _entry("t1", count, 10.0))


def test_what_is_seen_first_is_believed() -> None:
    assert _used(4).used == 4


def test_ours_and_the_rises_of_the_file_add_up() -> None:
    tally = counted(_used(0), 1)
    tally = observed(tally, _entry("t1", 3, 11.0))  # two of another program
    tally = counted(tally, 2)
    assert (tally.ours, tally.others, tally.used, tally.in_file) == (3, 2, 5, 5)


def test_our_own_write_is_no_rise() -> None:
    tally = counted(_used(0), 4)
    assert observed(tally, _entry("t1", 4)).used == 4


def test_a_count_that_falls_takes_nothing_from_ours_and_its_next_rise_counts() -> None:
    tally = counted(_used(0), 5)
    tally = observed(tally, _entry("t1", 2, 11.0))
    assert tally.used == 5
    assert observed(tally, _entry("t1", 3, 12.0)).used == 6


def test_what_never_left_is_given_back_and_never_more() -> None:
    tally = given_back(counted(_used(2), 3), 2)
    assert (tally.used, tally.in_file) == (3, 3)
    assert given_back(tally, 10).used == 2


@pytest.mark.parametrize(
    ("before", "count", "replied", "believed"),
    [
        (9, 9, False, 0),  # rewritten while it answered somebody else
        (9, 10, True, 1),  # its old count and one reply
        (9, 12, True, 3),
        (5, 3, True, 1),  # an older count still: one reply is sure
        (5, 1, True, 1),  # it forgot, and answered once
        (5, 3, False, 0),
        (0, 3, True, 3),  # nothing old was there
        (0, 10, True, 10),
    ],
)
def test_a_high_count_that_comes_with_a_new_token_is_not_believed(
    before: int, count: int, replied: bool, believed: int
) -> None:
    replied_at_s = 20.0 if replied else 10.0
    with_token = observed(_used(before), _entry("t2", count, replied_at_s))
    assert with_token.used == believed
    ours = on_new_token(_used(before), "t2")  # we received it and wrote a count of 0
    after_ours = observed(observed(ours, _entry("t2", 0, 10.0)), _entry("t2", count, replied_at_s))
    assert after_ours.used == believed


def test_rises_after_the_first_count_are_believed_again() -> None:
    tally = observed(_used(9), _entry("t2", 10, 20.0))
    assert observed(tally, _entry("t2", 12, 21.0)).used == 3


def test_our_count_heals_an_old_one() -> None:
    tally = observed(_used(9), _entry("t2", 9, 10.0))
    tally = counted(tally, 1)
    assert tally.in_file == 1  # this is written, and an SDK takes it over
    assert observed(tally, _entry("t2", 2, 20.0)).used == 2


def test_an_old_count_may_come_two_tokens_late() -> None:
    tally = on_new_token(on_new_token(_used(9), "t2"), "t3")
    assert observed(tally, _entry("t3", 9, 10.0)).used == 0


def test_what_we_wrote_and_did_not_note_is_no_rise() -> None:
    """Killed between the file and the row."""
    tally = Tally(token="t1", ours=3, in_file=2, replied_at_s=30.0)
    assert observed(tally, _entry("t1", 3, 30.0)).used == 3
    assert observed(tally, _entry("t1", 3, 31.0)).used == 4  # another program's third


def test_a_count_given_back_to_nothing_may_come_again() -> None:
    """An SDK keeps the count that it read, since 0 does not reset it."""
    tally = given_back(counted(_used(0), 1), 1)
    assert (tally.used, tally.in_file) == (0, 0)
    assert observed(tally, _entry("t1", 2, 20.0)).used == 1
