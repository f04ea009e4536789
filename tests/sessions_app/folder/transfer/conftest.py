"""A folder of another program's, and the command, run as a person runs it."""

from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from sessions_app.folder.store import SessionFolder, StoredContext, StoredToken
from sessions_app.models import Context, Session

NOW_S = 1_900_000_000.0
Tree = dict[str, tuple[int, int, bytes]]


@dataclass(frozen=True)
class Done:
    """What the command said, and its exit status."""

    status: int
    out: str
    err: str


def run(action: str, folder: Path, *options: str) -> Done:
    out, err = StringIO(), StringIO()
    try:
        call_command("sessions", action, str(folder), *options, stdout=out, stderr=err)
    except SystemExit as stopped:
        return Done(int(stopped.code or 0), out.getvalue(), err.getvalue())
    return Done(0, out.getvalue(), err.getvalue())


def tree(folder: Path) -> Tree:
    """Everything below: mode, time of change, content."""
    found: Tree = {}
    for path in sorted([folder, *folder.rglob("*")]):
        facts = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[str(path)] = (facts.st_mode, facts.st_mtime_ns, content)
    return found


def log_in(folder: SessionFolder, name: str, number: int = 1, **changes: Any) -> StoredToken:
    values: dict[str, Any] = {
        "bot_id": f"bot{number}@im.bot",
        "base_url": "https://ilinkai.weixin.qq.com",
        "token": f"secret-{number}",
        "user_id": f"owner{number}@im.wechat",
        "cursor": f"c{number}",
        "created_at_s": NOW_S + number,
    }
    token = StoredToken(**{**values, **changes})
    with folder.changing(make=True) as change:
        change.write_token(name, token)
    return token


def write_context(folder: SessionFolder, name: str, user_id: str, entry: StoredContext) -> None:
    with folder.changing() as change:
        change.write_contexts(name, {user_id: entry})


def rows() -> list[tuple[Any, ...]]:
    """Sessions as far as a folder can hold them."""
    found = Session.objects.filter(deleted_at=None).order_by("name_key")
    return [
        (s.name, s.bot_id, s.owner_id, s.base_url, s.token, s.cursor, s.bound_at, s.is_default)
        for s in found
    ]


def people() -> list[tuple[Any, ...]]:
    found = Context.objects.order_by("session__name_key", "user_id")
    return [
        (c.session.name, c.user_id, c.token, c.received_at, c.replies_used, c.last_reply_at,
         c.first_seen_at)
        for c in found.select_related("session")
    ]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> SessionFolder:
    return SessionFolder(tmp_path / "weilink")
