"""The rooms of the house: who may import whom, how long a file, a function, a template may be."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAX_FILE_LINES, MAX_FUNCTION_LINES, MAX_TEMPLATE_LINES = 400, 60, 130
MAX_LINE_CHARACTERS = 119
"""Of templates and css; ruff measures the Python files."""
MAX_TEMPLATES = 20
"""In one folder."""
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
# The rooms of messaging, from the worker down to the models.
MESSAGING: tuple[tuple[str, ...], ...] = (
    ("worker",), ("api", "folder_sync", "push"), ("inbox",), ("replying", "retention"),
    ("transfers",), ("composing",), ("delivering",), ("receiving",), ("reply_window",),
    ("conversations", "forgotten"), ("media", "text"), ("models",),
)  # fmt: skip
# The command that serves the simulator is Django's, so it lives with the app's other commands.
SESSIONS: tuple[tuple[str, ...], ...] = (
    ("audit", "board"), ("folder", "invitations"), ("links",), ("login",), ("sessions",),
    ("installation",), ("realtime", "team_settings"), ("models",), ("people",),
    ("database", "loops", "pages", "recording", "text"), ("monitoring",),
)  # fmt: skip
# Django wants these at the top of an app; landed migrations know the others by these paths.
APP_TOP = {
    "messaging": {"__init__", "admin", "apps", "urls"},
    "sessions_app": {"__init__", "admin", "apps", "urls", "folding", "link_models"},
}
MAX_MODULES = 16
"""`__init__` among them."""
SIMULATOR_COMMAND = "sessions_app/management/commands/simulator.py"
# These rooms are used without Django.
PLAIN_ROOMS = ("sessions_app.ilink", "sessions_app.simulator")
FILES_AND_SDK = ("sessions_app/folder/store", "sessions_app/sdk")


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


def _imports(path: Path, *, when_run: bool = False) -> Iterator[str]:
    package = ".".join(path.relative_to(ROOT).parent.parts)
    return _names_imported(path.read_text(encoding="utf-8"), package, when_run=when_run)


def _names_imported(source: str, package: str, *, when_run: bool = False) -> Iterator[str]:
    """Dotted names of all that a module imports, at its top or inside a function.

    `when_run`: without what only the type checker imports.
    """
    tree = ast.parse(source)
    for node in _nodes_that_run(tree) if when_run else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parts = package.split(".")
            parts = parts[: len(parts) - node.level + 1] if node.level else []
            base = ".".join([*parts, node.module] if node.module else parts)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _nodes_that_run(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        yield from _nodes_that_run(node)


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


def _inner_room(module: str) -> str:
    """ "messaging.inbox.views.rows" → "inbox"; "" for what Django wants at the app's top."""
    parts = module.split(".")
    return parts[1] if len(parts) > 2 or (ROOT / "/".join(parts[:2])).is_dir() else ""


@pytest.mark.parametrize(("app", "rooms"), [("messaging", MESSAGING), ("sessions_app", SESSIONS)])
def test_the_rooms_of_an_app_import_one_way(app: str, rooms: tuple[tuple[str, ...], ...]) -> None:
    """Also the proof that there is no circle of rooms: every import leads to a later one."""
    rank = {room: place for place, beside in enumerate(rooms) for room in beside}
    found = set()
    for path in _modules(app):
        room = _inner_room(_module_of(path))
        if room not in rank:
            continue
        for name in _imports(path):
            other = _inner_room(name) if name.startswith(f"{app}.") else room
            if other != room and other in rank:
                found.add(room)
                assert rank[other] > rank[room], f"{_name(path)} → {name}"
    assert len(found) > len(rooms) // 2


@pytest.mark.parametrize("app", ["messaging", "sessions_app"])
def test_no_modules_import_each_other_in_a_circle(app: str) -> None:
    paths = {_module_of(path).removesuffix(".__init__"): path for path in _modules(app)}
    graph = {
        module: {_known(name, paths) for name in _imports(path, when_run=True)} - {module, ""}
        for module, path in paths.items()
    }
    with_inits = {module for module, path in paths.items() if path.stem == "__init__"}
    for module in graph:
        # A package that hands out what its modules define is imported by them as their parent.
        graph[module] -= {one for one in with_inits if module.startswith(f"{one}.")}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def _known(name: str, paths: dict[str, Path]) -> str:
    """The module of ours that an import of `name` loads; "" for others."""
    parent = name.rpartition(".")[0]
    return name if name in paths else parent if parent in paths else ""


@pytest.mark.parametrize("app", ["messaging", "sessions_app"])
def test_nothing_lies_at_the_top_of_an_app_but_what_django_wants(app: str) -> None:
    assert {path.stem for path in (ROOT / app).glob("*.py")} == APP_TOP[app]


def test_no_room_is_too_full() -> None:
    folders = {path.parent for path in _modules(*CODE)}
    full = {
        _name(folder).replace("/", "."): count
        for folder in folders
        if (count := len(list(folder.glob("*.py")))) > MAX_MODULES
    }
    assert not full


def test_the_session_folder_and_the_sdk_know_no_django() -> None:
    paths = _modules(*FILES_AND_SDK)
    assert len(paths) > 20
    for path in paths:
        for name in _imports(path):
            assert name.partition(".")[0] not in {"django", "channels", "asgiref"}, _name(path)


@pytest.mark.parametrize("app", ["messaging", "sessions_app"])
def test_every_room_is_on_the_map(app: str) -> None:
    rooms = {path.parent.name for path in (ROOT / app).glob("*/__init__.py")}
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    unknown = {room for room in rooms if f"`{app}/{room}/`" not in text}
    assert unknown <= {"migrations", "management", "templatetags"}


@pytest.mark.parametrize("page", ["architecture.md", "contributing.md"])
def test_every_path_that_a_document_names_exists(page: str) -> None:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    named = re.findall(
        r"`((?:weilink_site|sessions_app|messaging|static|templates|tests|docs)/[\w./-]+)`", text
    )
    assert len(named) > 20
    assert not [path for path in named if not (ROOT / path).exists()]


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


def test_one_module_imports_httpx() -> None:
    users = {
        _name(path)
        for path in _modules(*CODE)
        if any(name.partition(".")[0] == "httpx" for name in _imports(path))
    }
    assert users == {"sessions_app/ilink/exchange.py"}


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


def _templates() -> list[Path]:
    found = [*(ROOT / "templates").rglob("*.html"), *(ROOT / "templates").rglob("*.svg")]
    assert found
    return found


def test_templates_are_short() -> None:
    long = {
        _name(path)
        for path in _templates()
        if len(path.read_text(encoding="utf-8").splitlines()) > MAX_TEMPLATE_LINES
    }
    assert not long


def test_lines_of_templates_and_css_are_short() -> None:
    styles = sorted((ROOT / "static/css").rglob("*.css"))
    assert styles
    long = [
        f"{_name(path)}:{number} has {len(line)} characters"
        for path in (*_templates(), *styles)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if len(line) > MAX_LINE_CHARACTERS
    ]
    assert not long


def test_no_folder_of_templates_is_too_full() -> None:
    counts = Counter(_name(path.parent) for path in _templates())
    assert not {folder for folder, count in counts.items() if count > MAX_TEMPLATES}


def test_the_walk_sees_inner_and_relative_imports() -> None:
    source = "def f():\n    import messaging.queue\nfrom . import live\nfrom sessions_app import x"
    seen = set(_names_imported(source, "sessions_app"))
    assert seen == {"messaging.queue", "sessions_app.live", "sessions_app.x"}
