"""No call of a logger in our code takes what people wrote, who they are on WeChat, or a token."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CODE = ("weilink_site", "sessions_app", "messaging")
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log", "step"}
NEVER = {
    "text", "note", "user_id", "wechat_id", "to_user_id", "from_user_id", "contact_name",
    "contact_words", "owner_id", "token", "context_token", "bot_token", "raw", "body", "wire",
    "file_name", "last_text", "quote_text", "transcript", "content", "entries", "encrypted_raw",
}  # fmt: skip
"""Names of variables and attributes that hold such things."""


def _calls(source: str) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            whose = ast.unparse(node.func.value)
            if node.func.attr in LEVELS and whose.endswith(("logger", "traces")):
                yield node


def _told(call: ast.Call) -> set[str]:
    """Names of what the call writes down."""
    given = [*call.args, *(one.value for one in call.keywords)]
    inner = [node for value in given for node in ast.walk(value)]
    return {node.attr for node in inner if isinstance(node, ast.Attribute)} | {
        node.id for node in inner if isinstance(node, ast.Name)
    }


def test_logs_take_ids_alone() -> None:
    paths = [path for folder in CODE for path in sorted((ROOT / folder).rglob("*.py"))]
    calls = [(path, call) for path in paths for call in _calls(path.read_text(encoding="utf-8"))]
    assert len(calls) > 90
    found = [
        f"{path.relative_to(ROOT)}:{call.lineno} {sorted(words)}"
        for path, call in calls
        if (words := _told(call) & NEVER)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        "logger.info('from %s', message.text)",
        "self._logger.warning(f'{contact.user_id}')",
        "logger.exception('x', extra={'code': token})",
    ],
)
def test_the_walk_sees_what_is_told(line: str) -> None:
    [call] = _calls(line)
    assert _told(call) & NEVER
