"""Rows of the SDK's history are written in groups in which each person's own order stays."""

from messaging.folder_sync.store_file import StoredRow
from messaging.folder_sync.store_follower import groups


def _row(pk: int, who: str, *, is_sent: bool) -> StoredRow:
    return StoredRow(pk, "b@im.bot", who, is_sent, 1, "text", 0, {})


def _ids(*rows: StoredRow) -> list[list[int]]:
    return [[row.id for row in group] for group in groups(rows)]


def test_what_came_in_and_its_answers_are_one_group() -> None:
    rows = [_row(pk, who, is_sent=pk % 2 == 0) for pk, who in enumerate("aabbcc", start=1)]
    assert _ids(*rows) == [[1, 2, 3, 4, 5, 6]]


def test_what_somebody_wrote_after_an_answer_begins_a_new_group() -> None:
    first, answer = _row(1, "a", is_sent=False), _row(2, "a", is_sent=True)
    other, again = _row(3, "b", is_sent=False), _row(4, "a", is_sent=False)
    assert _ids(first, answer, other, again) == [[1, 2, 3], [4]]


def test_nothing_is_no_group() -> None:
    assert _ids() == []
