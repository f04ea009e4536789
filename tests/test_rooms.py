"""The rooms of the house: who may import whom, how long a file, a function, a template may be."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAX_FILE_LINES, MAX_FUNCTION_LINES, MAX_TEMPLATE_LINES = 400, 60, 130
CODE = ("weilink_site", "sessions_app", "messaging")
GRAB_BAGS = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}
# Who may import from our other rooms; a room may always import from itself.
MAY_IMPORT = {
    "weilink_site": {"messaging", "sessions_app", "sessions_app.ilink", "sessions_app.simulator"},
    "messaging": {"sessions_app", "sessions_app.ilink"},
    "sessions_app": {"sessions_app.ilink"},
    "sessions_app.ilink": set[str](),
    "sessions_app.simulator": set[str](),
}
# The command that serves the simulator is Django's, so it lives with the app's other commands.
SIMULATOR_COMMAND = "sessions_app/management/commands/simulator.py"
# These rooms are used without Django.
PLAIN_ROOMS = ("sessions_app.ilink", "sessions_app.simulator")


def _modules(*folders: str) -> list[Path]:
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in found if "migrations" not in path.parts]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _room(module: str) -> str:
    """ "messaging.models.message" → "messaging"; "sessions_app.ilink.wire" → itself."""
    return (
        next((room for room in PLAIN_ROOMS if f"{module}.".startswith(f"{room}.")), "")
        or (module.partition(".")[0])
    )


def _imports(path: Path) -> Iterator[str]:
    package = ".".join(path.relative_to(ROOT).parent.parts)
    return _names_imported(path.read_text(encoding="utf-8"), package)


def _names_imported(source: str, package: str) -> Iterator[str]:
    """Dotted names of all that a module imports, at its top or inside a function."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            parts = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join([*parts, node.module] if node.module else parts)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def test_imports_run_one_way() -> None:
    upward = [
        f"{_name(path)} → {name}"
        for path in _modules(*CODE)
        if _name(path) != SIMULATOR_COMMAND
        for name in _imports(path)
        if name.partition(".")[0] in CODE and not _may(_room(_module_of(path)), _room(name))
    ]
    assert not upward


def _may(room: str, other: str) -> bool:
    return other == room or other in MAY_IMPORT[room]


@pytest.mark.parametrize("room", PLAIN_ROOMS)
def test_the_wire_and_the_simulator_know_no_django_and_not_each_other(room: str) -> None:
    paths = _modules(room.replace(".", "/"))
    assert paths
    for path in paths:
        for name in _imports(path):
            assert name.partition(".")[0] not in {"django", "channels", "asgiref"}, _name(path)
            assert name.partition(".")[0] not in CODE or _room(name) == room, _name(path)


def test_only_the_client_imports_httpx() -> None:
    users = {
        _name(path)
        for path in _modules(*CODE)
        if any(name.partition(".")[0] == "httpx" for name in _imports(path))
    }
    assert users == {"sessions_app/ilink/client.py"}


def test_no_module_is_a_grab_bag() -> None:
    found = [
        _name(path)
        for path in _modules(*CODE, "tests")
        if GRAB_BAGS & set(_module_of(path).split("."))
    ]
    assert not found


def test_files_and_functions_are_short() -> None:
    long = [fault for path in _modules(*CODE, "tests") for fault in _too_long(path)]
    assert not long


def _too_long(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    if len(text.splitlines()) > MAX_FILE_LINES:
        yield f"{_name(path)} has {len(text.splitlines())} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_FUNCTION_LINES:
                yield f"{_name(path)}: {node.name} has {lines} lines"


def test_templates_are_short() -> None:
    found = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "templates").rglob("*.svg")]
    assert found
    long = {
        _name(path) for path in found if len(path.read_text().splitlines()) > MAX_TEMPLATE_LINES
    }
    assert not long


def test_the_walk_sees_inner_and_relative_imports() -> None:
    source = "def f():\n    import messaging.outbox\nfrom . import live\nfrom sessions_app import x"
    seen = set(_names_imported(source, "sessions_app"))
    assert seen == {"messaging.outbox", "sessions_app.live", "sessions_app.x"}
