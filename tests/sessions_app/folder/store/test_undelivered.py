"""Answers that nobody has yet are kept, in order, until a cursor shows they arrived."""

import pytest

from sessions_app.folder.store import KeptAnswer, SessionFolder, disk

from .conftest import log_in, mode


def _answer(number: int, bot: str = "bot1@im.bot") -> KeptAnswer:
    return KeptAnswer(bot, f"c{number - 1}", f"c{number}", b'{"msgs": "\xff"}')


@pytest.fixture
def kept(folder: SessionFolder) -> SessionFolder:
    log_in(folder, "shop", cursor="c0")
    for number in (1, 2, 3):
        folder.keep_answer(_answer(number))
    return folder


def _cursors(folder: SessionFolder) -> list[str]:
    return [answer.cursor_after for answer in folder.kept_answers()]


def test_they_come_back_in_order_with_every_byte(kept: SessionFolder) -> None:
    answers = kept.kept_answers()
    assert [answer.cursor_after for answer in answers] == ["c1", "c2", "c3"]
    assert answers[0].raw == b'{"msgs": "\xff"}'
    folder = kept.base / ".undelivered"
    assert mode(folder) == 0o700
    assert {mode(path) for path in folder.iterdir()} == {0o600}


def test_what_was_handed_over_is_dropped(kept: SessionFolder) -> None:
    kept.drop_answers([kept.kept_answers()[0].key])
    assert _cursors(kept) == ["c2", "c3"]


@pytest.mark.parametrize(
    ("cursor", "left"), [("c0", ["c1", "c2", "c3"]), ("c2", ["c3"]), ("c3", []), ("other", 3)]
)
def test_a_cursor_on_disk_shows_what_had_arrived(
    kept: SessionFolder, cursor: str, left: object
) -> None:
    with kept.changing() as change:
        change.write_cursor("secret-1", cursor)
    found = _cursors(kept)
    assert found == left or len(found) == left
    assert len(list((kept.base / ".undelivered").iterdir())) == len(found)


def test_a_rename_and_a_logout_leave_them(kept: SessionFolder) -> None:
    with kept.changing() as change:
        change.rename("shop", "new")
        change.log_out("new")
    assert _cursors(kept) == ["c1", "c2", "c3"]


def test_a_broken_one_stays_and_a_killed_writers_draft_goes(kept: SessionFolder) -> None:
    place = kept.base / ".undelivered"
    (place / "0-0.json").write_text("{")
    (place / f".1-0.json{disk.DRAFT_SUFFIX}").write_text("{")
    assert _cursors(kept) == ["c1", "c2", "c3"]
    assert {path.name for path in place.iterdir()} >= {"0-0.json"}
    assert len(list(place.iterdir())) == 4
