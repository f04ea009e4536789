"""Who may what: every row of docs/rights.md is asked for by everybody, and nothing lacks a row.

A new page fails here with the row that it answers with now. Read that row; if it is what you meant,
add it to docs/rights.md.
"""

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.template.base import Template
from django.test.utils import _TestState
from django.urls import resolve

from messaging.api import app
from sessions_app.people.account import forms
from tests.rights import table
from tests.rights.table import COLUMNS, ELSEWHERE, ROLES, SOCKET, STRANGER, Row
from tests.rights.world import Answer, Caller, World, ask, make_world
from weilink_site.pages import error_pages

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("no_waiting_for_codes"),
    pytest.mark.timeout(600),  # 2,000 requests, on a machine that may have more to do
]

PROBES = ("/readyz", "/metrics")
"""They ask no login, and end the database connection of whoever asks inside a transaction;
`test_health` and `test_metrics` ask them."""
BY_MODEL = "yes or 403"
"""The administrator's cell where the admin lets some models be changed and others not."""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leaves out what takes long and decides nothing: pages of errors, logs, the API's schema."""
    monkeypatch.setattr(error_pages, "_console_page", lambda _request, _context: "refused")
    plainly = _TestState.saved_data.template_render  # type: ignore[attr-defined]
    monkeypatch.setattr(Template, "_render", plainly)
    known = app.schema()
    monkeypatch.setattr(app, "schema", lambda: known)
    monkeypatch.setattr(forms, "zone_choices", lambda: [("UTC", [("UTC", "UTC")])])
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def world(tmp_path: Path, settings: Any) -> World:
    settings.WEILINK_STORE, settings.WEILINK_BASE_PATH = "files", tmp_path / "weilink"
    settings.MEDIA_ROOT = tmp_path / "media"
    return make_world(tmp_path)


def test_everything_has_one_row() -> None:
    rows = [row for row in table.rows() if not row.address.startswith(SOCKET)]
    pages = [row.address for row in rows if not row.address.startswith("/api/v1/")]
    pages += [row.address for row in rows if row.address.endswith("openapi.json")]
    calls = [
        (method, row.address)
        for row in rows
        if row.address.startswith("/api/v1/") and not row.address.endswith("openapi.json")
        for method in row.methods
    ]
    assert sorted(set(pages)) == sorted(pages), "a page has two rows"
    assert sorted(calls) == sorted(table.operations())
    assert len(table.pages()) > 80
    assert len(table.operations()) > 20


def test_everybody_gets_what_the_table_says(world: World) -> None:
    wrong: list[str] = []
    known = {row.address: row for row in table.rows()}
    for address, patterns in table.pages().items():
        if address not in known:
            wrong.append(_missing(world, address, patterns))
            continue
        wrong += _wrong(world, known[address], patterns)
    for row in known.values():
        if row.address.startswith("/api/v1/") and not row.address.endswith("openapi.json"):
            wrong += _wrong(world, row, [row.address])
        elif row.address not in table.pages() and not row.address.startswith(SOCKET):
            wrong.append(f"{row.address} has a row and no page")
    assert not wrong, "\n".join(["docs/rights.md", *wrong])


def _wrong(world: World, row: Row, patterns: list[str]) -> list[str]:
    if row.address in PROBES:
        is_open = not getattr(resolve(row.address).func, "login_required", True)
        return [] if is_open and set(row.cells.values()) == {"yes"} else [row.address]
    found = []
    for number, pattern in enumerate(_filled(patterns)):
        for method in row.methods if number == 0 else row.methods[:1]:
            for caller in _asking(world, row, is_first=number == 0):
                answer = ask(world, caller, method, pattern)
                if not _fits(row, caller, answer):
                    told = f"{answer.kind}{' with our data' if answer.shows_ours else ''}"
                    found.append(
                        f"{method} {pattern}: {caller} gets {told}, not {_cell(row, caller)}"
                    )
    if not row.address.startswith(("/api/v1/", "/admin/")):
        found += _other_methods(world, row, patterns[0])
    return found


def _cell(row: Row, caller: Caller) -> str:
    own = row.cells[caller.role]
    return row.cells[ELSEWHERE] if caller.where == ELSEWHERE and own == "yes" else own


def _fits(row: Row, caller: Caller, answer: Answer) -> bool:
    cell = _cell(row, caller)
    if caller.where == ELSEWHERE and answer.shows_ours and cell != "link":
        return False
    if cell == BY_MODEL:
        return answer.kind in ("yes", "403")
    if cell in ("own", "link"):
        return answer.kind == "yes"
    return answer.kind == cell


def _asking(world: World, row: Row, *, is_first: bool) -> Iterable[Caller]:
    """Everybody; a few where all are alike, and on the admin pages of the other models, which
    `test_admin` asks for as the administrator."""
    if not is_first:
        return [one for one in world.callers if one.column in ("agent", STRANGER)]
    if set(row.cells.values()) == {"link"}:
        return [one for one in world.callers if one.role in ("agent", "no role", STRANGER)]
    return world.callers


def _filled(patterns: list[str]) -> list[str]:
    """Addresses of the admin with the first row of each model."""
    found = []
    for pattern in patterns:
        if "<" not in pattern or not pattern.startswith("/admin/"):
            found.append(pattern)
        elif "(?P<app_label>" in pattern:
            found.append("/admin/messaging/")
        elif "(?P<url>" in pattern:
            found.append("/admin/anything")
        elif (model := _model_of(pattern)) is not None:
            row = model._default_manager.first()
            if row is not None:
                found.append(_with_key(pattern, row.pk))
    return found


def _model_of(pattern: str) -> Any:
    _, _, app, model, *_ = pattern.split("/")
    if app == "r":
        return apps.get_model("contenttypes", "ContentType")
    found = apps.get_model(app, model)
    assert found in admin.site._registry
    return found


def _with_key(pattern: str, key: Any) -> str:
    for parameter in ("<path:object_id>", "<id>", "<path:content_type_id>"):
        pattern = pattern.replace(parameter, str(key))
    return pattern


def _other_methods(world: World, row: Row, pattern: str) -> list[str]:
    """A view that says which methods it takes has a row for all of them."""
    taken = _methods(world, pattern)
    if taken and taken != set(row.methods):
        return [f"{row.address} takes {', '.join(sorted(taken))}, not {', '.join(row.methods)}"]
    return []


def _methods(world: World, pattern: str) -> set[str]:
    """From the header `Allow` of the refusal of another method; empty if there is none."""
    [first, *_] = world.callers
    answer = first.client.generic("TRACE", world.address(pattern, first))
    allowed = answer.headers.get("Allow", "") if answer.status_code == 405 else ""
    return {one.strip() for one in allowed.split(",") if one.strip()} - {"HEAD", "OPTIONS"}


def _missing(world: World, address: str, patterns: list[str]) -> str:
    """The row as it would be now."""
    [pattern, *_] = _filled(patterns) or patterns
    methods = tuple(sorted(_methods(world, pattern) & {"GET", "POST"})) or ("GET",)
    cells = dict.fromkeys(COLUMNS, "–")
    for caller in world.callers:
        answers = {ask(world, caller, method, pattern).kind for method in methods}
        kind = " and ".join(sorted(answers))
        if caller.where != ELSEWHERE:
            cells[caller.column] = kind
        elif cells[caller.role] == "yes":
            cells[ELSEWHERE] = kind if cells[ELSEWHERE] in ("–", kind) else "not the same"
    return f"no row yet: {Row(methods, address, cells).as_text()}"


def test_the_table_has_only_words_that_it_explains() -> None:
    words = {"yes", "own", "link", "403", "404", "401", "login", "–", BY_MODEL}
    used = {cell for row in table.rows() for cell in row.cells.values()}
    assert used <= words
    text = table.DOCUMENT.read_text(encoding="utf-8")
    assert all(f"`{word}`" in text for word in used)
    assert all(role in text for role in ROLES)
