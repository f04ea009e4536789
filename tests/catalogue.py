"""Reads the Chinese catalogue and the strings of the sources, without gettext's programs.

For the tests of the languages only; never writes a file.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "weilink_site" / "locale" / "zh_Hans" / "LC_MESSAGES"
ROOMS = ("weilink_site", "sessions_app", "messaging")

_KEYWORD = re.compile(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[0\])?) (".*")')
_PLACEHOLDER = re.compile(r"%\(\w+\)[-0-9.]*[a-z]|\{\w+\}")
_STRING = r"""u?('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_IN_TEMPLATE = re.compile(rf"(?<!\w)(n?p?gettext|_)\({_STRING}(?:, {_STRING})?")
_CALLS = {"_", "gettext", "ngettext", "pgettext", "npgettext"}

Key = tuple[str, str]  # context, "" for none, and the English string


@dataclass(frozen=True)
class Entry:
    """One string of the catalogue; `plural` and `context` are empty where there is none."""

    context: str
    english: str
    plural: str
    chinese: str
    is_fuzzy: bool

    @property
    def key(self) -> Key:
        return self.context, self.english

    @property
    def placeholders(self) -> set[str]:
        return set(_PLACEHOLDER.findall(self.english + self.plural))

    @property
    def placeholders_kept(self) -> set[str]:
        return set(_PLACEHOLDER.findall(self.chinese))


def entries() -> list[Entry]:
    """What stands in the .po, in its order, the header left out."""
    blocks = (FOLDER / "django.po").read_text(encoding="utf-8").split("\n\n")
    return [entry for entry in map(_entry, blocks) if entry.english]


def _entry(block: str) -> Entry:
    fields: dict[str, str] = {}
    keyword = ""
    for line in block.splitlines():
        found = _KEYWORD.fullmatch(line)
        if found:
            keyword = found[1]
            fields[keyword] = ast.literal_eval(found[2])
        elif line.startswith('"'):
            fields[keyword] += ast.literal_eval(line)
    return Entry(
        context=fields.get("msgctxt", ""),
        english=fields.get("msgid", ""),
        plural=fields.get("msgid_plural", ""),
        chinese=fields.get("msgstr", fields.get("msgstr[0]", "")),
        is_fuzzy=bool(re.search(r"^#,.*\bfuzzy\b", block, re.MULTILINE)),
    )


def source_strings() -> dict[Key, Path]:
    """Every string that a source marks for translation, and one place where it stands."""
    found: dict[Key, Path] = {}
    for path in _files("*.py", *ROOMS):
        found.update(dict.fromkeys(_in_code(path), path))
    for path in _files("*.html", "templates"):
        found.update(dict.fromkeys(_in_template(path), path))
    return found


def _files(pattern: str, *folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob(pattern))


def _in_code(path: Path) -> Iterator[Key]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        name = re.sub(r"_(lazy|noop)$", "", name)
        words = [one.value for one in node.args if isinstance(one, ast.Constant)]
        texts = [word for word in words if isinstance(word, str)]
        if name in _CALLS and texts:
            yield _key(name, texts)


def _in_template(path: Path) -> Iterator[Key]:
    for name, *quoted in _IN_TEMPLATE.findall(templatize(path.read_text(encoding="utf-8"))):
        # Django doubles the percent sign of plain text, and so does its .po.
        yield _key(name, [ast.literal_eval(one) for one in quoted if one])


def _key(name: str, texts: list[str]) -> Key:
    return (texts[0], texts[1]) if name in {"pgettext", "npgettext"} else ("", texts[0])
