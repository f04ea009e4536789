"""The scripts of static/js: which imports which, what each may do, and the events between them."""

import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from messaging.inbox.views.saying import SAID
from tests.test_rooms import MAX_FILE_LINES, MAX_MODULES
from weilink_site.pages.texts import PLURAL_COUNTS, refusal_texts, texts

SCRIPTS = Path(__file__).resolve().parent.parent / "static" / "js"
ENTRIES = {"console.js", "scan/watch.js", "page/theme.js"}
"""What the templates load."""
IMPORT = re.compile(r"""(?:\bfrom |\bimport\(|^import )["'](\.[^"']+)["']""", re.MULTILINE)
DRAWS = re.compile(
    r"\.(textContent|innerHTML|hidden|className|value) = |\.classList\.|\.(replaceChildren|"
    r"replaceWith|insertBefore|setAttribute|removeAttribute|remove)\(|document\.createElement"
)
FETCHES = re.compile(
    r"\bfetch\(|new (XMLHttpRequest|WebSocket)\(|htmx\.ajax\(|import \{[^}]*\b(ask|send)\b[^}]*\}"
)
EMITS = re.compile(r"\bemit\(")


def _modules() -> dict[str, str]:
    found = {
        str(path.relative_to(SCRIPTS)): path.read_text(encoding="utf-8")
        for path in sorted(SCRIPTS.rglob("*.js"))
    }
    assert len(found) > 50
    return found


def _imports(name: str, source: str) -> Iterator[str]:
    """Also those that are fetched when they are needed first: a circle through them is one, too."""
    for path in IMPORT.findall(source):
        other = (SCRIPTS / name).parent.joinpath(path).resolve()
        assert other.is_file(), f"{name} → {path}"
        yield str(other.relative_to(SCRIPTS))


def _graph() -> dict[str, set[str]]:
    return {name: set(_imports(name, source)) for name, source in _modules().items()}


def test_no_scripts_import_each_other_in_a_circle() -> None:
    TopologicalSorter(_graph()).prepare()  # raises CycleError, which names the circle


def test_every_script_is_loaded_by_somebody() -> None:
    graph = _graph()
    assert set(graph) - set().union(*graph.values()) == ENTRIES


def test_no_script_draws_and_emits_and_fetches() -> None:
    all_three = [
        name
        for name, source in _modules().items()
        if DRAWS.search(source) and EMITS.search(source) and FETCHES.search(source)
    ]
    assert not all_three


@pytest.mark.parametrize(
    ("does", "names"),
    [
        (DRAWS, {"live/upsert.js", "composer/tray.js", "page/toasts.js"}),
        (EMITS, {"live/news.js", "composer/drafts.js", "composer/composer.js"}),
        (
            FETCHES,
            {"live/news.js", "composer/posts.js", "composer/uploads.js", "conversation/jump.js"},
        ),
    ],
)
def test_the_walk_sees_who_draws_who_emits_and_who_fetches(
    does: re.Pattern[str], names: set[str]
) -> None:
    assert names <= {name for name, source in _modules().items() if does.search(source)}


def _events() -> set[str]:
    source = (SCRIPTS / "events.js").read_text(encoding="utf-8")
    listed = source[source.index("@typedef {object} Events") :]
    return set(re.findall(r"@property \{.*\} ([a-z-]+)", listed[: listed.index("*/")]))


def test_every_event_is_on_the_list_and_has_both_ends() -> None:
    """What they carry is checked by `make lint`, see `tsconfig.json`."""
    sources = "\n".join(_modules().values())
    from_server = {SAID.removeprefix("console:")}
    emitted = set(re.findall(r"\bemit\(\s*\"([a-z-]+)\"", sources)) | from_server
    heard = set(re.findall(r"\bon\(\s*\"([a-z-]+)\"", sources))
    assert emitted == heard == _events()


def test_only_one_script_knows_how_events_travel() -> None:
    users = {name for name, source in _modules().items() if re.search("[\"'`]console:", source)}
    assert users == {"events.js"}
    dispatchers = {name for name, source in _modules().items() if "new CustomEvent(" in source}
    # An answer without htmx names events as htmx's header does.
    assert dispatchers == {"events.js", "live/exchange.js"}


def test_rooms_and_scripts_are_small() -> None:
    modules = _modules()
    rooms = [name.rpartition("/")[0] for name in modules]
    assert {room: rooms.count(room) for room in rooms if rooms.count(room) > MAX_MODULES} == {}
    lines = {name: len(source.splitlines()) for name, source in modules.items()}
    assert {name: count for name, count in lines.items() if count > MAX_FILE_LINES} == {}


def test_every_text_that_a_script_says_is_in_the_page() -> None:
    known = texts()
    for name, source in _modules().items():
        for key in re.findall(r"\btext\(\"(\w+)\"", source):
            assert key in known, f"{name}: {key}"
        for key in re.findall(r"\bcounted\(\"(\w+)\"", source):
            assert f"{key}_other" in known, f"{name}: {key}"
    assert not set(known) & set(refusal_texts())


def test_a_count_has_the_sentence_of_its_plural_category() -> None:
    known = texts()
    assert known["updates_one"] == "{count} update"
    assert known["updates_other"] == "{count} updates"
    assert {key for key in known if key.startswith("updates_")} == {"updates_one", "updates_other"}
    assert {key for key in known if key.startswith("selected_")} >= {"selected_other"}
    assert set(PLURAL_COUNTS) == {"zero", "one", "two", "few", "many", "other"}
