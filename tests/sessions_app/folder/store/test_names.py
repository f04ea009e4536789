"""Names by the contract's rule, on every door of the folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sessions_app.folder.store import Change, SessionFolder, StoredContext, UnknownSessionError
from sessions_app.sessions import names, reasons
from tests.session_folder import read_token
from tests.session_names import BAD, CLASHES, FINE, SURROGATE

from .conftest import a_token, log_in

UNSAFE = [*BAD, SURROGATE]

Door = Callable[[Change, str], object]
DOORS: dict[str, Door] = {
    "write_token": lambda change, name: change.write_token(name, a_token()),
    "write_contexts": lambda change, name: change.write_contexts(name, {"a": StoredContext()}),
    "read_contexts": lambda change, name: change.read_contexts(name),
    "set_default": lambda change, name: change.set_default(name),
    "rename from": lambda change, name: change.rename(name, "new"),
    "rename to": lambda change, name: change.rename("shop", name),
    "log_out": lambda change, name: change.log_out(name),
    "free_name": lambda change, name: change.free_name(name),
}


def _tree(base: Path) -> set[str]:
    return {str(path.relative_to(base.parent)) for path in base.parent.rglob("*")}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
@pytest.mark.parametrize("name", UNSAFE, ids=ascii)
def test_an_unsafe_name_passes_no_door(folder: SessionFolder, door: Door, name: str) -> None:
    log_in(folder, "shop")
    before = _tree(folder.base)
    with folder.changing() as change, pytest.raises(names.BadSessionName):
        door(change, name)
    assert _tree(folder.base) == before


@pytest.mark.parametrize("name", UNSAFE, ids=ascii)
def test_reading_refuses_unsafe_names_too(folder: SessionFolder, name: str) -> None:
    folder.base.mkdir()
    with pytest.raises(names.BadSessionName):
        read_token(folder, name)
    with pytest.raises(names.BadSessionName):
        folder.read_contexts(name)


@pytest.mark.parametrize("name", [*FINE, "default"])
def test_fine_names_are_folders_in_normal_form(folder: SessionFolder, name: str) -> None:
    clean = names.clean_session_name(name)
    log_in(folder, clean)
    assert [one.name for one in folder.scan().usable()] == [clean]


def test_names_that_differ_in_case_only_clash(folder: SessionFolder) -> None:
    log_in(folder, "Straße")
    with folder.changing() as change:
        for clash in ("STRASSE", "strasse", "straße"):
            with pytest.raises(names.SessionNameTaken, match="Straße"):
                change.free_name(clash)
        log_in_name = change.rename("Straße", "STRASSE")  # its own name, written otherwise
    assert log_in_name == "STRASSE"
    assert [one.name for one in folder.scan().usable()] == ["STRASSE"]


@pytest.mark.parametrize(("there", "clash"), CLASHES, ids=ascii)
def test_a_name_that_clashes_is_refused_with_the_name_that_is_there(
    folder: SessionFolder, there: str, clash: str
) -> None:
    there = names.clean_session_name(there)
    log_in(folder, there)
    log_in(folder, "other", 2)
    with folder.changing() as change:
        with pytest.raises(names.SessionNameTaken, match=there):
            change.free_name(clash)
        with pytest.raises(names.SessionNameTaken, match=there):
            change.rename("other", clash)
    assert {one.name for one in folder.scan().usable()} == {there, "other"}


@pytest.mark.parametrize(("name", "code"), [*BAD.items(), (SURROGATE, "name_invisible")], ids=ascii)
def test_the_first_reason_that_applies_is_said(name: str, code: str) -> None:
    with pytest.raises(names.BadSessionName) as caught:
        names.clean_session_name(name)
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["default", "Default", "DEFAULT"])
def test_nothing_is_renamed_to_default(folder: SessionFolder, name: str) -> None:
    log_in(folder, "shop")
    with folder.changing() as change, pytest.raises(names.BadSessionName, match="default"):
        change.rename("shop", name)


def test_an_unknown_name_is_said(folder: SessionFolder) -> None:
    log_in(folder, "shop")
    with folder.changing() as change:
        for door in ("set_default", "rename from", "log_out"):
            with pytest.raises(UnknownSessionError, match="“nobody”"):
                DOORS[door](change, "nobody")


def test_every_reason_has_a_sentence_of_its_own() -> None:
    reasons = set()
    for name in UNSAFE:
        with pytest.raises(names.BadSessionName) as caught:
            names.clean_new_name(name)
        assert str(caught.value).endswith((".", ":"))
        reasons.add(caught.value.code)
    assert reasons == {
        "name_empty", "name_too_long", "name_invisible", "name_forbidden", "name_edges",
        "name_reserved",
    }  # fmt: skip


def test_the_pages_know_a_sentence_for_every_code() -> None:
    for code in names._SENTENCES:
        problem = names.SessionNameError(code, "Shop")
        assert reasons.name_problem(problem) == str(problem)
