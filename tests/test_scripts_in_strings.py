"""Tests hand scripts to other processes as strings; what these import must exist, too."""

import ast
import textwrap
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
OURS = ("weilink_site", "sessions_app", "messaging", "tests")
EXAMPLES = {Path(__file__).name, "test_rooms.py"}
"""Their strings import what need not exist."""


def _strings(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _imported(script: str) -> Iterator[tuple[str, str]]:
    """(module, name) of each import of ours; nothing if the text is no script."""
    if "import " not in script:
        return
    try:
        tree = ast.parse(textwrap.dedent(script))
    except SyntaxError:  # prose, or a template with blanks: its import lines are scripts still
        lines = [line.strip() for line in script.splitlines()]
        scripts = [
            line for line in lines if line.startswith(("from ", "import ")) and line != script
        ]
        yield from (pair for line in scripts for pair in _imported(line))
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in OURS:
            yield from ((node.module, alias.name) for alias in node.names)


def _exists(module: str, name: str) -> bool:
    try:
        if hasattr(import_module(module), name):
            return True
        import_module(f"{module}.{name}")
    except ImportError:
        return False
    return True


@pytest.mark.parametrize(
    "script", ["from messaging.nowhere import x", "x = {y!\nfrom messaging import z"]
)
def test_an_import_that_leads_nowhere_is_found(script: str) -> None:
    assert [pair for pair in _imported(script) if not _exists(*pair)]


def test_scripts_in_strings_import_what_exists() -> None:
    pairs = {
        (path.relative_to(TESTS), *pair)
        for path in TESTS.rglob("*.py")
        if path.name not in EXAMPLES
        for text in _strings(path)
        for pair in _imported(text)
    }
    assert len(pairs) > 50
    assert not [f"{path}: {m}.{n}" for path, m, n in sorted(pairs) if not _exists(m, n)]
