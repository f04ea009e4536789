"""A base folder of the test and what goes into it. No Django is needed here."""

import json
from pathlib import Path
from typing import Any

import pytest

from sessions_app.folder.store import SessionFolder, StoredToken


def a_token(number: int = 1, **changes: Any) -> StoredToken:
    values: dict[str, Any] = {
        "bot_id": f"bot{number}@im.bot",
        "base_url": "https://ilinkai.weixin.qq.com",
        "token": f"secret-{number}",
        "user_id": f"owner{number}@im.wechat",
        "created_at_s": 1_700_000_000.0 + number,
    }
    return StoredToken(**{**values, **changes})


@pytest.fixture
def folder(tmp_path: Path) -> SessionFolder:
    return SessionFolder(tmp_path / "weilink")


def log_in(folder: SessionFolder, name: str, number: int = 1, **changes: Any) -> StoredToken:
    token = a_token(number, **changes)
    with folder.changing(make=True) as change:
        change.write_token(name, token)
    return token


def as_json(path: Path) -> Any:
    return json.loads(path.read_text())


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777
