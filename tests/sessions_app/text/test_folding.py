"""Folded text compares alike whatever case, width or accents it was typed with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.text.folding import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Мария Иванова", "мария иванова"),
        ("Éva  KOVÁCS", "eva kovacs"),
        ("ＭＡＲÍＡ\u3000１２", "maria 12"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("ﬁx", "fix"),
        ("\u202eabc\u200b\ufeff", "abc"),
        ("李娜", "李娜"),
        ("한국어", "한국어"),
        ("Ёлка", "елка"),
        (" \t\n", ""),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_what_is_folded_stays_as_it_is(text: str) -> None:
    assert fold(fold(text)) == fold(text)
