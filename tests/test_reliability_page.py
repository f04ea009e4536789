"""docs/reliability.md: each promise names a test that exists, and the page is found."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reliability.md"
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_the_named_test_exists(file: str, name: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, functions)}


def test_every_row_names_a_test() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line[:1] == "|"]
    promises = [line for line in rows if not line.startswith(("| promise", "| ---"))]
    assert len(promises) == len(NAMED)


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md"])
def test_the_page_is_linked(page: str) -> None:
    assert "reliability.md" in (ROOT / page).read_text(encoding="utf-8")
