"""docs/operations.md, followed literally: what somebody gets who types its commands."""

import re
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.processes.child import Child, environment, python, wait_for
from tests.processes.installed import Installed
from tests.services.host.page import Host, blocks
from tests.services.host.programs import needs
from tests.services.host.visitor import ADDRESS, Visitor

pytestmark = [pytest.mark.services, pytest.mark.timeout(240)]

MB = 1024 * 1024
SEED = """
from django.contrib.auth.models import Group
from sessions_app.models import Session, Team
from tests.messaging.builders import make_session, receive, text_message
from tests.replies import send_reply
from messaging.models import Conversation
from weilink_site.first_run import make_administrator
make_administrator("admin", "change-me-too")
receive(make_session("Shop"), text_message("from before"))
send_reply(user=None, conversation=Conversation.objects.get(), text="waits", draft_key="k")
"""


class Phones:
    """The simulated WeChat as a process of its own."""

    def __init__(self, folder: Path) -> None:
        arguments = ["simulator", "--port", "0", "--hold", "3"]
        self.child = Child(arguments, env=environment(folder / "home"), log=folder / "simulator")
        self.url = wait_for(self._address, "the simulator", within_s=60)

    def _address(self) -> str:
        assert self.child.is_running, self.child.err
        found = re.search(r"http://[\d.:]+", self.child.out)
        return found[0] if found else ""

    def control(self, call: str, **values: Any) -> Any:
        answer = httpx.post(f"{self.url}/simulator/control/{call}", json=values, timeout=20)
        answer.raise_for_status()
        return answer.json()

    def read(self, call: str) -> Any:
        return httpx.get(f"{self.url}/simulator/control/{call}", timeout=20).json()


@pytest.fixture
def phones(tmp_path: Path) -> Iterator[Phones]:
    made = Phones(tmp_path)
    yield made
    made.child.kill()


@pytest.fixture
def host(
    tmp_path: Path, installed: Installed, postgres_server: str, postgres_template: str,
    redis_url: str, phones: Phones,
) -> Iterator[Host]:  # fmt: skip
    """A host on which nothing was done yet."""
    for program in ("nginx", "openssl", "curl", "pg_dump"):
        needs(program)
    made = Host(
        tmp_path / "host", installed, postgres=postgres_server, template=postgres_template,
        redis=redis_url, database=f"weilink_{secrets.token_hex(6)}",
    )  # fmt: skip
    yield made
    made.close()


def prepare(host: Host, phones: Phones) -> None:
    """Steps 2 and 3, and where the simulated WeChat is."""
    host.run("database")
    host.run("settings")
    with (host.home / ".env").open("a") as file:
        file.write(f"WEILINK_ILINK_URL={phones.url}\nWEILINK_CDN_URL={phones.url}/c2c\n")


def until_ready(host: Host) -> None:
    """Step 7, until it is true."""

    def is_ready() -> bool:
        try:
            return '"status": "ready"' in host.run("check")
        except AssertionError:
            return False

    wait_for(is_ready, f"/readyz through the proxy\n{host.logs()}", within_s=60)


@pytest.fixture
def site(host: Host, phones: Phones) -> Iterator[Visitor]:
    """Steps 2 to 7."""
    prepare(host, phones)
    for step in ("first", "processes", "certificate", "nginx"):
        host.run(step)
    until_ready(host)
    made = Visitor(host.url, host.folder / "tls/fullchain.pem")
    yield made
    made.close()


def token_of(host: Host) -> str:
    said = host.shell(
        f"cd {host.home} && venv/bin/weilink-console api_token create admin --name operations"
    )
    return said.split()[-1]


def bind(site: Visitor, phones: Phones) -> str:
    """An account, added by the API and scanned with a simulated phone; its bot."""
    login = site.api("POST", "/logins", json={"name": "Shop"})
    handle = wait_for(lambda: [one["handle"] for one in phones.read("logins")], "a code")[-1]
    phones.control("scan", handle=handle, account="Lin")
    phones.control("confirm", handle=handle)
    wait_for(
        lambda: site.api("GET", f"/logins/{login['id']}?wait=5")["status"] == "confirmed", "bound"
    )
    return str(phones.read("bots")[0]["bot_id"])


def people_and_programs_come_through_the_proxy(
    site: Visitor, host: Host, phones: Phones, size: int
) -> None:
    """Sign-in, websocket, upload, a long poll that holds until a message comes; real addresses."""
    assert site.sign_in("admin", "wrong").status_code == 200
    answer = site.sign_in("admin", "change-me-too")
    assert answer.status_code == 302
    assert "; Secure" in answer.headers["Set-Cookie"]
    assert site.client.get("/sessions/").status_code == 200
    site.open_websocket().close()

    site.token = token_of(host)
    bot = bind(site, phones)
    file = {"file": ("large.bin", b"\x07" * size, "application/octet-stream")}
    assert site.api("POST", "/uploads", files=file)["size"] == size
    too_large = {"file": ("larger.bin", b"\x07" * (121 * MB), "application/octet-stream")}
    if size == 100 * MB:
        assert site.client.post("/api/v1/uploads", files=too_large).status_code == 413

    with ThreadPoolExecutor(1) as beside:
        held = beside.submit(site.api, "GET", "/messages?after=0&wait=30")
        assert not held.done()
        phones.control("write", bot_id=bot, person_id="lina@im.wechat", text="你好")
        assert [one["text"] for one in held.result(30)["items"]] == ["你好"]

    log = (host.folder / "nginx/weilink.access.log").read_text()
    assert f"{ADDRESS} - - " in log
    assert '"GET /ws/live/ HTTP/1.1" 101 ' in log
    refused = f"sign-in as 'admin' from {ADDRESS} is refused"
    assert refused in host.log("weilink-web@1") + host.log("weilink-web@2")


def one_of_two_is_enough(site: Visitor, host: Host) -> None:
    host.shell("systemctl stop weilink-web@1 weilink-poller@1")
    for _ in range(4):
        assert site.client.get("/healthz").status_code == 200
    assert site.api("GET", "/status")["is_connected"]
    host.shell("systemctl start weilink-web@1 weilink-poller@1")


def a_backup_brings_back_what_was_there(site: Visitor, host: Host) -> None:
    host.run("backup")
    account = site.api("GET", "/contacts/lina@im.wechat")
    site.api("PATCH", "/contacts/lina@im.wechat", json={"name": "after the backup"})
    host.run("restore")
    until_ready(host)
    assert site.api("GET", "/contacts/lina@im.wechat")["name"] == account["name"]
    assert site.api("GET", "/status")["is_held"]
    assert "is held: nothing is received or sent." in site.client.get("/account/").text
    host.run("release")
    assert not site.api("GET", "/status")["is_held"]
    wait_for(lambda: site.api("GET", "/status")["is_connected"], "receiving again", within_s=30)


@pytest.mark.parametrize("size", [20 * MB, pytest.param(100 * MB, marks=pytest.mark.slow)])
def test_from_nothing_to_a_site_with_a_backup(
    site: Visitor, host: Host, phones: Phones, size: int
) -> None:
    people_and_programs_come_through_the_proxy(site, host, phones, size)
    one_of_two_is_enough(site, host)
    a_backup_brings_back_what_was_there(site, host)
    host.run("upgrade")
    until_ready(host)
    assert "Traceback" not in host.logs()


def test_moving_from_sqlite(host: Host, phones: Phones, migrated: Path) -> None:
    old = host.home / "var/console.sqlite3"
    shutil.copyfile(migrated, old)
    prepare(host, phones)
    env = environment(
        host.folder / "home", DATABASE_URL=f"sqlite:///{old}", WEILINK_STORE="database"
    )
    env |= {"SECRET_KEY": "k", "WEILINK_CREDENTIAL_KEYS": key(host)}
    python(SEED, env=env)
    said = host.run("move")
    assert re.search(r"equal +2  messaging_message  sha256 [0-9a-f]{64}", said)
    assert "1 replies waited or were being sent." in said
    assert "change-me" not in said
    with sqlite3.connect(old) as source:
        [[to]] = source.execute("SELECT moved_to FROM sessions_app_installation")
    source.close()
    assert to == host.database_url.replace(":change-me", "")

    host.shell(f"cd {host.home} && venv/bin/weilink-console collectstatic --noinput -v 0")
    for step in ("processes", "certificate", "nginx"):
        host.run(step)
    until_ready(host)
    site = Visitor(host.url, host.folder / "tls/fullchain.pem")
    assert site.sign_in("admin", "change-me-too").status_code == 302
    site.token = token_of(host)
    assert site.api("GET", "/status")["is_held"]
    [fate] = [one for one in site.api("GET", "/messages")["items"] if one["direction"] == "out"]
    assert (fate["status"], fate["error"]["code"]) == ("unconfirmed", "restored")
    host.run("release")
    assert not site.api("GET", "/status")["is_held"]
    site.close()


def key(host: Host) -> str:
    """The key that the old console made on its first run."""
    host.shell(f"cd {host.home} && venv/bin/weilink-console check --verbosity 0")
    return (host.home / "var/credential_keys").read_text().strip()


def test_every_marked_block_is_followed() -> None:
    followed = {
        "database", "settings", "first", "processes", "certificate", "nginx", "check",
        "backup", "restore", "release", "upgrade", "move",
    }  # fmt: skip
    assert set(blocks()) == followed
