"""What the console serves as static files: gathered, minified, and still the same program."""

import gzip
import os
import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command

SOURCES = Path(settings.BASE_DIR) / "static"


@pytest.fixture
def gathered(tmp_path: Path, settings: Any) -> Path:
    settings.STATIC_ROOT = tmp_path
    storages = dict(settings.STORAGES)
    storages["staticfiles"] = {"BACKEND": "weilink_site.pages.static_files.GatheredStaticStorage"}
    settings.STORAGES = storages
    call_command("collectstatic", interactive=False, verbosity=0)
    return tmp_path


def _literals(words: str) -> list[str]:
    """Text in backticks, which must come through as it is."""
    return re.findall(r"`[^`]*`", words)


def test_our_scripts_and_styles_lose_comments_and_nothing_else(gathered: Path) -> None:
    before = after = 0
    for source in sorted([*SOURCES.glob("js/**/*.js"), *SOURCES.glob("css/*.css")]):
        words = (gathered / source.relative_to(SOURCES)).read_text()
        before, after = before + len(source.read_text()), after + len(words)
        assert not re.search(r"^\s*(//|/\*)", words, re.MULTILINE), source.name
        code = re.sub(r"^\s*(//|\*|/\*).*$", "", source.read_text(), flags=re.MULTILINE)
        assert _literals(words) == _literals(code), source.name
    assert after < 0.85 * before


def test_modules_find_each_other_once_gathered(gathered: Path) -> None:
    """They import each other by their own names, from the entry's hashed copy too."""
    found = 0
    for script in gathered.glob("js/**/*.js"):
        for path in re.findall(r"""(?:from|import\()\s*["'](\.[^"']+)["']""", script.read_text()):
            assert (script.parent / path).is_file(), f"{script.name} → {path}"
            found += 1
    assert found > 400


IMPORTS = re.compile(r"""(from\s*|import\()["'](\.[^"']+)["']""")
FIRST_LOAD = 150_000
"""Bytes on the wire until the inbox works."""


def test_modules_name_the_hashed_ones(gathered: Path) -> None:
    """So that browsers keep each of them for a year, and a new version is another name."""
    hashed = [
        one for one in gathered.glob("js/**/*.js") if re.search(r"\.[0-9a-f]{12}\.js$", one.name)
    ]
    names = [path for one in hashed for _how, path in IMPORTS.findall(one.read_text())]
    assert len(names) > 200
    assert [name for name in names if not re.search(r"\.[0-9a-f]{12}\.js$", name)] == []


def _with_all_it_imports(entry: Path) -> set[Path]:
    """Not what is loaded only when it is needed."""
    found, left = set(), [entry]
    while left:
        one = left.pop().resolve()
        if one not in found:
            found.add(one)
            statically = (
                path for how, path in IMPORTS.findall(one.read_text()) if how != "import("
            )
            left += [one.parent / path for path in statically]
    return found


@pytest.mark.django_db
def test_the_first_load_of_the_inbox_is_small(gathered: Path, client: Any, cast: Any) -> None:
    client.force_login(cast.agent)
    page = client.get("/inbox/", headers={"Accept-Encoding": "gzip"})
    words = gzip.decompress(page.content).decode()
    named = {gathered / one for one in re.findall(r"/static/([^\"'#?]+)", words)}
    entries = {one for one in named if one.suffix == ".js" and "vendor" not in one.parts}
    files = {one.resolve() for one in named if one.suffix in {".js", ".css", ".svg", ".woff2"}}
    files -= {one.resolve() for one in named if "emoji" in str(one)}  # loaded with the first click
    for entry in entries:
        files |= _with_all_it_imports(entry)
    assert len(files) > 60
    sizes = [_on_the_wire(one) for one in files]
    assert len(page.content) + sum(sizes) < FIRST_LOAD, sorted(zip(sizes, files, strict=True))


def _on_the_wire(file: Path) -> int:
    compressed = file.with_name(f"{file.name}.gz")
    return (compressed if compressed.exists() else file).stat().st_size


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/inbox/", "/sessions/", "/settings/", "/inbox/changes/"])
def test_pages_are_not_kept(client: Any, cast: Any, path: str) -> None:
    client.force_login(cast.administrator)
    assert "no-store" in client.get(path).headers["Cache-Control"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/sessions/-/add/", {"name": "a/b"}),
        ("/sessions/-/invitations/", {"name_prefix": "a/b", "label": "what was typed"}),
        ("/settings/", {"park_days": "x"}),
        ("/account/password/", {"old_password": "wrong"}),
        ("/sessions/-/invitations/1/revoke/", {}),
    ],
)
@pytest.mark.parametrize("htmx", [{}, {"HX-Request": "true"}])
def test_the_answer_to_a_form_is_not_kept_either(
    client: Any, cast: Any, path: str, form: dict[str, str], htmx: dict[str, str]
) -> None:
    """Back after signing out would show it."""
    client.force_login(cast.administrator)
    answer = client.post(path, form, headers=htmx)
    assert answer.status_code in {200, 404, 422}
    assert "no-store" in answer.headers["Cache-Control"]


def test_gathering_twice_changes_nothing(gathered: Path) -> None:
    first = {one: one.read_bytes() for one in gathered.rglob("*.js")}
    call_command("collectstatic", interactive=False, verbosity=0)
    assert {one: one.read_bytes() for one in gathered.rglob("*.js")} == first


def test_what_is_vendored_stays_as_it_came(gathered: Path) -> None:
    for source in SOURCES.glob("vendor/**/*.js"):
        assert (gathered / source.relative_to(SOURCES)).read_bytes() == source.read_bytes()


GATHER = """
from pathlib import Path
from weilink_site.pages.static_files import _rewrite
_rewrite(Path({name!r}), chr(0xE9) * 60_000)
"""


def _gathering(file: Path, **options: Any) -> int:
    """In a process of its own; its status."""
    words = [sys.executable, "-c", GATHER.format(name=str(file))]
    run = subprocess.run(words, cwd=settings.BASE_DIR, capture_output=True, check=False, **options)
    return run.returncode


def test_a_full_disk_leaves_no_half_file(tmp_path: Path) -> None:
    file = tmp_path / "console.css"
    file.write_text("as it was")

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    assert _gathering(file, preexec_fn=little_room) != 0
    assert [one.name for one in tmp_path.iterdir()] == ["console.css"]
    assert file.read_text() == "as it was"


def test_files_are_utf_8_whatever_the_machine_writes(tmp_path: Path) -> None:
    file = tmp_path / "console.css"
    file.write_text("as it was")
    latin = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert _gathering(file, env=latin) == 0
    assert file.read_bytes() == "é".encode() * 60_000
