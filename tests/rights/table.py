"""The table of docs/rights.md, and the list of everything that needs a row in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

from messaging.api import app as api

DOCUMENT = Path(settings.BASE_DIR) / "docs" / "rights.md"
ROLES = ("administrator", "operator", "supervisor", "agent", "viewer", "no role")
ELSEWHERE, STRANGER = "another team", "no login"
COLUMNS = (*ROLES, ELSEWHERE, STRANGER)
SOCKET = "/ws/live/ "
_ROW = re.compile(r"^\| ([A-Z, ]+|says|hears) \| `([^`]+)` \|(.+)\|$", re.MULTILINE)
_ADMIN_MODEL = re.compile(r"^/admin/(\w+)/(\w+)/(.*)$")


@dataclass(frozen=True, slots=True)
class Row:
    """`methods`: of HTTP; of the websocket `says` (the page) or `hears` (the page)."""

    methods: tuple[str, ...]
    address: str
    cells: dict[str, str]

    def as_text(self) -> str:
        cells = " | ".join(self.cells[name] for name in COLUMNS)
        return f"| {', '.join(self.methods)} | `{self.address}` | {cells} |"


def rows() -> list[Row]:
    found = []
    for methods, address, cells in _ROW.findall(DOCUMENT.read_text(encoding="utf-8")):
        values = [cell.strip() for cell in cells.split("|")]
        assert len(values) == len(COLUMNS), f"{address}: {len(values)} cells, not {len(COLUMNS)}"
        named = dict(zip(COLUMNS, values, strict=True))
        found.append(Row(tuple(methods.split(", ")), address, named))
    return found


def pages() -> dict[str, list[str]]:
    """Every address of the URLs, as a row names it → the patterns that it stands for.

    The API has a row for each operation instead, and the admin one for each kind of page.
    """
    found: dict[str, list[str]] = {}
    for pattern in _patterns(get_resolver()):
        if not pattern.startswith("/api/v1/") or pattern.endswith("openapi.json"):
            found.setdefault(_as_named(pattern), []).append(pattern)
    return found


def operations() -> list[tuple[str, str]]:
    """Method and path of every operation of the API."""
    return [
        (method.upper(), path)
        for path, methods in api.schema()["paths"].items()
        for method in methods
    ]


def socket_kinds() -> set[tuple[str, str]]:
    """What a page says and hears, as the code has it."""
    sources = Path(settings.BASE_DIR)
    consumer = (sources / "sessions_app/realtime/consumers.py").read_text()
    files = [consumer, *(one.read_text() for one in (sources / "messaging/push").glob("*.py"))]
    said = {("says", kind) for kind in re.findall(r'get\("type"\) == "(\w+)"', consumer)}
    return said | {("hears", kind) for one in files for kind in re.findall(r'"type": "(\w+)"', one)}


def _patterns(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _patterns(entry, path)
        elif isinstance(entry, URLPattern):
            yield path


def _as_named(pattern: str) -> str:
    if "(?P<app_label>" in pattern:
        return "/admin/<app>/"
    if "(?P<url>" in pattern:
        return "/admin/<anything else>"
    found = _ADMIN_MODEL.match(pattern)
    if found and found[1] != "r":
        return f"/admin/<app>/<model>/{re.sub('<path:object_id>|<id>', '<pk>', found[3])}"
    return re.sub(r"<path:\w+>", "<pk>", pattern)
