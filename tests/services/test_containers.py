"""What compose.yaml runs, run without containers: the same commands with the same environment.

Where the system allows it, the root file system is read-only for them, as in the containers.
"""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.ports import free_port
from tests.processes.child import ROOT, wait_for
from tests.processes.installed import Installed
from tests.services.host.programs import needs
from tests.services.host.visitor import ADDRESS, Visitor

pytestmark = [pytest.mark.services, pytest.mark.timeout(240)]

READ_ONLY = "mount --make-rprivate / && mount --bind {data} {data} && mount -o remount,bind,ro /"
GLOBAL = "{{\n\tadmin off\n\tskip_install_trust\n\thttp_port {http}\n\thttps_port {https}\n"
"""Added to the options that the file itself has for all of Caddy."""
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


def may_unshare() -> bool:
    """Whether this user may have file systems of its own."""
    tried = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    return tried.returncode == 0


class Containers:
    """`data` is the volume of the console, with /tmp in it."""

    def __init__(self, folder: Path, installed: Installed, database: str, redis: str) -> None:
        self.folder, self.installed = folder, installed
        self.data = folder / "data"
        self.http, self.https = free_port(), free_port()
        self.web = {"web1": free_port(), "web2": free_port()}
        self.replaced = {
            "${DOMAIN": f"localhost:{self.https}",
            "${POSTGRES_PASSWORD": "secret",
            "172.30.80.0/24": "127.0.0.1/32",
            "redis://redis:6379/0": redis,
            "postgres://weilink:secret@postgres/weilink": database,
        }
        self.services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        (self.data / "var").mkdir(parents=True)
        (self.data / "tmp").mkdir()
        self.is_read_only = may_unshare()

    def environment(self, service: str) -> dict[str, str]:
        """As Compose would set it, for the servers of the test."""
        made = {"PATH": f"{self.installed.bin}:{os.environ['PATH']}", "LANG": "C.UTF-8"}
        made |= {"PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(self.data / "tmp")}
        for name, value in self.services[service].get("environment", {}).items():
            text = re.sub(r"(\$\{\w+)[^}]*\}", r"\1", str(value))
            for old, new in self.replaced.items():
                text = text.replace(old, new)
            made[name] = text
        return made

    def start(self, service: str) -> "subprocess.Popen[bytes]":
        command = list(self.services[service]["command"])
        port = str(self.web.get(service, 8000))
        command = [{"8000": port, "0.0.0.0": "127.0.0.1"}.get(word, word) for word in command]
        if self.is_read_only:
            locked = READ_ONLY.format(data=shlex.quote(str(self.data)))
            # Its data may have been opened before the mount.
            inner = f"{locked} && cd {self.data} && exec {shlex.join(command)}"
            command = ["unshare", "--mount", "sh", "-c", inner]
        with (self.folder / f"{service}.log").open("wb") as log:
            self.processes[service] = subprocess.Popen(
                command, cwd=self.data, env=self.environment(service), stdout=log, stderr=log
            )
        return self.processes[service]

    def start_caddy(self) -> None:
        site = (ROOT / "docs/deploy/Caddyfile").read_text(encoding="utf-8")
        options = GLOBAL.format(http=self.http, https=self.https)
        (self.folder / "Caddyfile").write_text(site.replace("\n{\n", f"\n{options}", 1))
        upstreams = " ".join(f"127.0.0.1:{port}" for port in self.web.values())
        with (self.folder / "caddy.log").open("wb") as log:
            self.processes["caddy"] = subprocess.Popen(
                [needs("caddy"), "run", "--config", "Caddyfile"],
                cwd=self.folder, stdout=log, stderr=log,
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(self.folder),
                    "XDG_DATA_HOME": str(self.folder / "caddy-data"),
                    "XDG_CONFIG_HOME": str(self.folder / "caddy-config"),
                    "DOMAIN": self.replaced["${DOMAIN"],
                    "UPSTREAMS": upstreams,
                },
            )  # fmt: skip

    @property
    def certificate(self) -> Path:
        return self.folder / "caddy-data/caddy/pki/authorities/local/root.crt"

    def log(self, service: str) -> str:
        return (self.folder / f"{service}.log").read_text()

    def is_healthy(self, service: str) -> bool:
        """What the image's HEALTHCHECK says."""
        found = re.search(r"^HEALTHCHECK .*\n +CMD (\[.+\])$", DOCKERFILE, re.MULTILINE)
        assert found is not None
        check = [word.replace("8000", str(self.web[service])) for word in json.loads(found[1])]
        done = subprocess.run(
            check, env=self.environment(service), capture_output=True, timeout=30, check=False
        )
        return done.returncode == 0

    def close(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


@pytest.fixture
def containers(
    tmp_path: Path, installed: Installed, postgres_url: str, redis_url: str
) -> Iterator[Containers]:
    needs("caddy")
    made = Containers(tmp_path, installed, postgres_url, redis_url)
    yield made
    made.close()


def through_caddy(containers: Containers) -> Visitor:
    containers.start_caddy()
    wait_for(containers.certificate.exists, "Caddy's certificate", within_s=30)
    return Visitor(f"https://localhost:{containers.https}", containers.certificate)


def test_the_commands_of_the_containers_run_behind_caddy(containers: Containers) -> None:
    setup = containers.start("setup")
    assert setup.wait(100) == 0, containers.log("setup")
    for service in ("web1", "poller1"):
        containers.start(service)
    site = through_caddy(containers)

    def is_ready() -> bool:
        assert containers.processes["web1"].poll() is None, containers.log("web1")
        assert containers.processes["poller1"].poll() is None, containers.log("poller1")
        try:
            answer: dict[str, Any] = site.client.get("/readyz").json()
        except (httpx.TransportError, ValueError):
            return False
        return answer.get("status") == "ready"

    wait_for(is_ready, "/readyz through Caddy", within_s=60)
    assert containers.is_healthy("web1")
    assert not containers.is_healthy("web2")
    assert (containers.data / "var/secret_key").is_file()

    assert site.sign_in("nobody", "wrong").status_code == 200
    assert f"sign-in as 'nobody' from {ADDRESS} is refused" in containers.log("web1")
    secure = site.client.cookies
    assert "weilink_csrf" in secure
    assert f'"remote_ip":"{ADDRESS}"' in containers.log("caddy")
    assert "Read-only file system" not in containers.log("web1") + containers.log("poller1")
    for service in ("web1", "poller1"):
        containers.processes[service].terminate()
        assert containers.processes[service].wait(20) == 0, containers.log(service)
    site.close()


def test_the_file_system_is_read_only_where_the_system_allows_it(containers: Containers) -> None:
    if not containers.is_read_only:
        pytest.skip("this user may not have file systems of its own")
    containers.services["setup"]["command"] = ["sh", "-c", "touch var/x && touch ../outside"]
    assert containers.start("setup").wait(20) != 0
    assert "Read-only file system" in containers.log("setup")
    assert (containers.data / "var/x").exists()
