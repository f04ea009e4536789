"""The table of docs/api.md, the schema and the code name the same errors.

That no answer bears another code is looked at in every test of this folder (`callers.answer_of`).
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from messaging.api import app, errors
from messaging.api.codes import CODES
from messaging.models import Message, MessageStatus
from messaging.replying.reasons import not_cancelled
from sessions_app.sessions import names

ROOT = Path(__file__).parents[2]
ROWS = re.compile(r"^\| (\d{3}) \| (.*) \|$", re.M)


def table() -> dict[int, set[str]]:
    """Status → codes, as a reader finds them."""
    text = (ROOT / "docs/api.md").read_text()
    return {
        int(status): set(re.findall(r"`([a-z_]+)`", rest)) for status, rest in ROWS.findall(text)
    }


def test_the_table_names_every_status_and_code_and_no_other() -> None:
    assert table() == {status: set(codes) for status, codes in CODES.items()}


def test_the_schema_names_every_status_and_code() -> None:
    schema = app.schema()
    code = schema["components"]["schemas"]["ErrorBody"]["properties"]["code"]
    assert set(code["enum"]) == {one for codes in CODES.values() for one in codes}
    for path, methods in schema["paths"].items():
        for method, call in methods.items():
            said = {int(one) for one in call["responses"] if int(one) >= 400}
            assert said == set(CODES), (method, path)


def _raised() -> Iterator[tuple[int, str]]:
    """What the rooms of the API write down literally: `ApiError(409, "…"`."""
    for path in (ROOT / "messaging/api").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ApiError"):
                continue
            values: list[Any] = [getattr(one, "value", None) for one in node.args[:2]]
            if all(isinstance(one, int | str) for one in values):
                yield values[0], values[1]


def test_the_code_raises_no_other() -> None:
    raised = set(_raised())
    assert len(raised) > 10
    assert {(status, code) for status, code in raised if code not in CODES[status]} == set()


@pytest.mark.parametrize("code", sorted(names._SENTENCES))
def test_each_thing_wrong_with_a_name_has_its_place(code: str) -> None:
    kind = names.SessionNameTaken if code == "name_in_use" else names.BadSessionName
    problem = errors.from_name(kind(code), "name")
    assert problem.code in CODES[problem.status]


@pytest.mark.parametrize("status", [one for one in MessageStatus if one != MessageStatus.QUEUED])
def test_what_cannot_be_cancelled_says_so_with_a_code_of_the_table(status: MessageStatus) -> None:
    problem = errors.from_reply(not_cancelled(Message(status=status)))
    assert problem.code in CODES[problem.status]
