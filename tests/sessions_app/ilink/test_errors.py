"""One tree, one word and one sentence each."""

import re

import pytest

from sessions_app.ilink import errors
from sessions_app.ilink.errors import ILinkError, one_line, refusal

CLASSES = [
    value
    for value in vars(errors).values()
    if isinstance(value, type) and issubclass(value, ILinkError)
]


@pytest.mark.parametrize("error", CLASSES)
def test_every_error_has_a_machine_word(error: type[ILinkError]) -> None:
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code)


@pytest.mark.parametrize("error", CLASSES)
def test_every_error_stands_in_the_drawn_tree(error: type[ILinkError]) -> None:
    assert errors.__doc__ is not None
    assert error.__name__ in errors.__doc__


@pytest.mark.parametrize(
    ("code", "name"),
    [(-14, "SessionExpiredError"), (-2, "ReplyRefusedError"), (-1, "RefusedError")],
)
def test_a_code_finds_its_class(code: int, name: str) -> None:
    error = refusal(code, "rate limited")
    assert (type(error).__name__, error.wire_code) == (name, code)
    assert str(error).endswith(f"(code {code}): rate limited.")


def test_foreign_words_become_one_line() -> None:
    assert one_line("a\r\n\tb\0\u202ec. ") == "a b c"
    assert len(one_line("x" * 5_000)) == 200
