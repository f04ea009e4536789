"""What no program should have written: it is set aside or left out, and its neighbours go on."""

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from sessions_app.folder.store import StoredContext
from sessions_app.models import Context, Session, SharedFolder, Team
from sessions_app.people.roles import Role
from tests.conftest import make_user
from tests.sessions_app.folder.mirror.conftest import Site

LINA, WANG = "lina@im.wechat", "wang@im.wechat"
ASIDE: dict[str, dict[str, Any]] = {
    "nul in the token": {"token": "t\0"},
    "half a character in the token": {"token": "t\ud800"},
    "nul in the bot": {"bot_id": "b\0"},
    "bot as a number": {"bot_id": 7},
    "token as a list": {"token": ["t"]},
    "token of a megabyte": {"token": "t" * 1_000_000},
    "cursor of a megabyte": {"cursor": "c" * 1_000_000},
}
USED: dict[str, dict[str, Any]] = {
    "bound in no year": {"created_at": 1e300},
    "bound never": {"created_at": float("nan")},
    "bound before time": {"created_at": -1e300},
    "bound in words": {"created_at": "1900000000"},
    "owner that is half a character": {"user_id": "o\udfff"},
    "owner as a number": {"user_id": 12},
    "nul in the cursor": {"cursor": "c\0"},
    "keys of others": {"t\0": {"\ud800": ["\0"]}},
}
NO_OBJECTS = {
    "deep": b"[" * 100_000 + b"]" * 100_000,
    "deep inside": b'{"token": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
    "many digits": b'{"created_at": ' + b"9" * 10_000 + b"}",
    "no text": b"\xff\xfe\0",
    "a list": b"[]",
    "nothing": b"",
}


def _write(folder: Path, name: str, content: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def _write_token(site: Site, name: str, fields: dict[str, Any]) -> None:
    plain = {"bot_id": f"{name}@im.bot", "base_url": "https://ilinkai.weixin.qq.com"}
    content = {**plain, "token": f"token of {name}", **fields}
    _write(site.base / name, "token.json", json.dumps(content).encode())


def _set_aside() -> set[str]:
    return {one["name"] for one in SharedFolder.objects.get().set_aside}


def _names() -> set[str]:
    return set(Session.objects.values_list("name", flat=True))


def test_tokens_that_nobody_can_use_are_set_aside_and_odd_ones_are_used(site: Site) -> None:
    for name, fields in {**ASIDE, **USED}.items():
        _write_token(site, name, fields)
    for name, content in NO_OBJECTS.items():
        _write(site.base / name, "token.json", content)
    site.program_logs_in("neighbour")
    site.sweep()
    assert _names() == USED.keys() | {"neighbour"}
    assert _set_aside() == ASIDE.keys() | NO_OBJECTS.keys()
    assert Session.objects.get(name="nul in the cursor").cursor == ""
    with site.program.changing() as change:
        change.rename("neighbour", "followed")
    site.sweep()
    assert "followed" in _names()


@pytest.mark.parametrize(
    "content", ['{"token": "t\\u0000"}', "[[", "{" * 100_000], ids=["nul", "cut", "deep"]
)
def test_a_session_whose_file_turns_hostile_fails_and_comes_back(site: Site, content: str) -> None:
    site.program_logs_in("neighbour", "t2")
    site.program_logs_in("shop")
    site.sweep()
    whole = (site.base / "shop" / "token.json").read_bytes()
    _write(site.base / "shop", "token.json", content.encode())
    site.program_writes("neighbour", LINA, StoredContext("k1", time.time()))
    site.sweep()
    shop = Session.objects.get(name="shop")
    assert (shop.state, shop.error_code, shop.token) == ("failing", "folder_file", "t1")
    assert Session.objects.get(name="neighbour").state == "connecting"
    assert Context.objects.filter(session__name="neighbour", user_id=LINA).exists()
    _write(site.base / "shop", "token.json", whole)
    site.sweep()
    assert Session.objects.get(name="shop").state == "connecting"


def test_people_that_no_database_can_hold_are_left_out(site: Site) -> None:
    site.program_logs_in("shop")
    now_s = time.time()
    entry = {"t": "k1", "ts": now_s, "sc": 1}
    people = {
        "": entry, "nul\0": entry, "half\ud800": entry, "x" * 201: entry, "list": [1],
        "late": {**entry, "ts": 1e300}, "words": {**entry, "ts": "now"}, "token": {"t": "k\0"},
        WANG: {**entry, "sc": 1e300, "send_ts": float("nan"), "first_seen": "7"}, LINA: entry,
    }  # fmt: skip
    _write(site.base / "shop", "contexts.json", json.dumps(people).encode())
    site.sweep()
    used = dict(Context.objects.values_list("user_id", "replies_used"))
    assert used == {LINA: 1, WANG: 0}
    Context.objects.filter(user_id=LINA).update(replies_used=2, unfiled=True)
    site.sweep()
    assert site.on_disk("shop", LINA).replies_used == 2
    kept = json.loads((site.base / "shop" / "contexts.json").read_text())
    assert kept.keys() == people.keys(), "what others wrote stays as it is"


def test_a_folder_whose_name_is_no_text_is_named_on_the_board(
    seeded: Team, shared_folder: Path, site: Site
) -> None:
    site.program_logs_in("neighbour")
    assert site.base == shared_folder
    odd = os.fsencode(site.base) + b"/odd\xff\x1b"
    os.mkdir(odd)
    with open(odd + b"/token.json", "wb") as file:
        file.write((site.base / "neighbour" / "token.json").read_bytes())
    site.sweep()
    assert _names() == {"neighbour"}
    [name] = _set_aside()
    name.encode()  # every database and page can carry it
    client = Client()
    client.force_login(make_user("otto", Role.OPERATOR, seeded))
    page = client.get("/sessions/")
    assert page.status_code == 200
    assert '<strong dir="auto">odd\\udcff' in page.content.decode()
