"""Long texts in parts: at line ends, never inside what a person sees as one character."""

import regex
from hypothesis import given
from hypothesis import strategies as st

from messaging.text.splitting import parts_of

FAMILY = "👩‍👩‍👧‍👦"
FLAG = "🇨🇳"


def test_a_short_text_is_one_part() -> None:
    assert parts_of("hello\nthere", characters=2_000) == ["hello\nthere"]


def test_a_long_text_is_cut_at_a_line_end() -> None:
    line = "字" * 30
    parts = parts_of("\n".join([line] * 10), characters=100)
    assert parts == ["\n".join([line] * 3)] * 3 + [line]


def test_without_line_ends_after_a_sentence_and_else_at_a_space() -> None:
    assert parts_of("一二三四五六七八。" * 3, characters=20) == [
        "一二三四五六七八。" * 2,
        "一二三四五六七八。",
    ]
    assert parts_of("word " * 6, characters=12) == ["word word", "word word", "word word "]


def test_a_line_end_right_at_the_start_does_not_make_a_tiny_part() -> None:
    parts = parts_of("ab\n" + "x" * 40, characters=20)
    assert [len(part) for part in parts] == [20, 20, 3]


def test_a_grapheme_is_never_cut() -> None:
    for grapheme in (FAMILY, FLAG, "é", "각"):
        parts = parts_of(grapheme * 50, characters=20)
        assert "".join(parts) == grapheme * 50
        for part in parts:
            assert part == grapheme * (len(part) // len(grapheme))


def test_one_grapheme_beyond_the_limit_goes_as_it_is() -> None:
    monster = "a" + "\u0301" * 50
    assert parts_of(monster * 2, characters=20) == [monster, monster]


def test_bytes_bound_a_part_too() -> None:
    parts = parts_of("字" * 100, characters=2_000, most_bytes=90)
    assert [len(part.encode()) for part in parts] == [90, 90, 90, 30]


@given(st.text(alphabet="ab \n字。é👩\u200d🇨🇳\u0301", max_size=200), st.integers(5, 60))
def test_nothing_is_lost_and_no_part_is_too_long(text: str, characters: int) -> None:
    parts = parts_of(text, characters=characters)
    assert "".join("".join(parts).split()) == "".join(text.split())
    for part in parts:
        assert part.strip()
        assert len(part) <= characters or len(regex.findall(r"\X", part)) == 1
