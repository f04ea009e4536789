"""Looks for secrets in everything that a run left behind."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.processes.child import python, run
from tests.processes.console import Console

ALLOWED = {
    ("bot token", "weilink/*/token.json"): "the SDK shares this folder and reads it; mode 600",
    ("context token", "weilink/*/contexts.json"): "the same",
    ("first password", "console-1.out"): "printed once, and must be changed at the first sign-in",
    ("message", "data/console.sqlite3*"): "the inbox shows and searches it",
    ("invitation", "data/console.sqlite3*"): "an address for posters, shown to operators again",
    ("login code", "data/console.sqlite3*"): "good for minutes, and for nothing once scanned",
}
"""Name of a secret, and where it may stand in plain → why."""

MAKE_LINKS = """
from sessions_app.invitations import invitations
from sessions_app.links import scan_links
from sessions_app.models import Team, User
team = Team.objects.get(name="Everyone")
link = scan_links.make_link(user=None, team=team, session_name="New")
first = User.objects.get(is_superuser=True)
invitation = invitations.make_invitation(
    user=first, team=team, prefix="Fair", label="", per_hour=9, in_all=9)
print(scan_links.address(link), invitations.address(invitation))
"""


@dataclass(frozen=True)
class Found:
    secret: str
    place: str

    @property
    def is_allowed(self) -> bool:
        return any(name == self.secret and fnmatch(self.place, place) for name, place in ALLOWED)


def use_secrets(console: Console, bot: str, person: str) -> dict[str, str]:
    """Use every kind of secret on a running console that has one account. Name → secret."""
    written = console.control.write(bot, person, "whispered at midnight")
    picture = console.control.write(bot, person, kind="image")
    printed = re.search(r"First administrator: (\S+)  password: (\S+)", console.children[0].out)
    assert printed is not None
    cookie = console.log_in()
    session_key = re.search(r"weilink_session=([^;]+)", cookie)
    assert session_key is not None
    assert console.get("/inbox/", Cookie=cookie)[0] == 200
    made = run("api_token", "create", printed[1], "--name", "script", env=console.env)
    api_token = re.search(r"wlk_\S+", made.stdout)
    assert api_token is not None, made.stderr
    bearer = {"Authorization": f"Bearer {api_token[0]}"}
    assert console.get("/api/v1/messages", **bearer)[0] == 200
    link, invitation = python(MAKE_LINKS, env=console.env).split()
    for address in (link, invitation):
        status, _page = console.get("/" + address.split("/", 3)[3])
        assert status == 200
    [token_file] = (console.folder / "weilink").glob("*/token.json")
    [login_code] = console.rows("SELECT qrcode FROM sessions_app_loginattempt LIMIT 1")
    return {
        "SECRET_KEY": console.env["SECRET_KEY"],
        "credential key": console.env["WEILINK_CREDENTIAL_KEYS"],
        "first password": printed[2],
        "password": console.password,
        "session key": session_key[1],
        "API token": api_token[0],
        "scan link": link.rstrip("/").rpartition("/")[2],
        "invitation": invitation.rstrip("/").rpartition("/")[2],
        "login code": login_code[0],
        "bot token": json.loads(token_file.read_text())["token"],
        "context token": picture["context_token"],
        "former context token": written["context_token"],
        "file key": _key_of(picture),
        "message": "whispered at midnight",
    }


def _key_of(message: Any) -> str:
    """The key of the file, in hexadecimal."""
    [item] = message["item_list"]
    media = item["image_item"]
    return str(media.get("aeskey") or bytes(base64.b64decode(media["media"]["aes_key"])).hex())


def found_in(folder: Path, secrets: Mapping[str, str]) -> set[Found]:
    """Every place below `folder` where a secret stands as it is, or in another encoding."""
    wanted = {name: list(_forms(secret)) for name, secret in secrets.items()}
    found = set()
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        content, place = path.read_bytes(), path.relative_to(folder).as_posix()
        for name, forms in wanted.items():
            if any(form in content for form in forms):
                found.add(Found(name, place))
    return found


def _forms(secret: str) -> Iterator[bytes]:
    plain = secret.encode()
    yield from {plain, quote(secret, safe="").encode(), json.dumps(secret)[1:-1].encode()}
    yield base64.b64encode(plain).rstrip(b"=")
    yield plain.hex().encode()
    if re.fullmatch(r"[0-9a-f]{32}", secret):  # a file's key: its bytes, and those in base 64
        yield bytes.fromhex(secret)
        yield base64.b64encode(bytes.fromhex(secret)).rstrip(b"=")
