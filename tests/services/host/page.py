"""The commands of docs/operations.md, run on a host that is a folder.

Paths, ports and names are replaced (`Host.replaced`); `sudo`, `chown` and `systemctl` are
stand-ins, since the test has neither systemd nor users of its own. Everything else is what the page
says.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from tests.ports import free_port
from tests.processes.child import ROOT
from tests.processes.installed import Installed

PAGE = ROOT / "docs/operations.md"
DEPLOY = ROOT / "docs/deploy"
_BLOCK = re.compile(r"<!-- run: (\w+) -->\n```sh\n(.*?)```", re.DOTALL)
_POSTGRES = re.compile(r"^sudo -u postgres .*$", re.MULTILINE)
NGINX = """\
{user}pid {folder}/nginx/pid;
error_log {folder}/nginx/error.log notice;
worker_processes 1;
events {{ worker_connections 256; }}
http {{
    client_body_temp_path {folder}/nginx/body;
    proxy_temp_path {folder}/nginx/proxy;
    fastcgi_temp_path {folder}/nginx/fastcgi;
    uwsgi_temp_path {folder}/nginx/uwsgi;
    scgi_temp_path {folder}/nginx/scgi;
    include {folder}/nginx/conf.d/*.conf;
}}
"""


def blocks() -> dict[str, str]:
    """The commands of each marked block of the page, by its name, in order."""
    found = _BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(found) == len(dict(found)), "two blocks have one name"
    return dict(found)


class Host:
    """`run(block)` does what the page says. `database`: name of a database that is not made yet."""

    def __init__(
        self, folder: Path, installed: Installed, *, postgres: str, template: str, redis: str,
        database: str,
    ) -> None:  # fmt: skip
        self.folder, self.redis, self.database, self.template = folder, redis, database, template
        self.server = urlsplit(postgres)
        self.home = folder / "srv"
        self.ports = {"http": free_port(), "https": free_port()}
        self.web = _two_ports()
        for name in ("units", "run", "log", "nginx/conf.d", "bin", "home", "srv/var"):
            (folder / name).mkdir(parents=True)
        (self.home / "venv").symlink_to(installed.folder)
        (folder / "nginx/nginx.conf").write_text(
            NGINX.format(folder=folder, user="user root;\n" if os.geteuid() == 0 else "")
        )
        self._put_stand_ins()
        self._put_release()

    @property
    def url(self) -> str:
        return f"https://localhost:{self.ports['https']}"

    @property
    def database_url(self) -> str:
        netloc = self.server.netloc.rpartition("@")[2]
        return f"postgres://{self.database}:change-me@{netloc}/{self.database}"

    @property
    def env(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PYTHONPYCACHEPREFIX",) if name in os.environ}
        return kept | {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}:/usr/sbin",
            "HOME": str(self.folder / "home"),
            "LANG": "C.UTF-8",
            "HOST_FOLDER": str(self.folder),
            "PGHOST": self.server.hostname or "127.0.0.1",
            "PGPORT": str(self.server.port or 5432),
            "PGUSER": self.server.username or "postgres",
            "PGPASSWORD": self.server.password or "",
            "CURL_CA_BUNDLE": str(self.folder / "tls/fullchain.pem"),
        }

    def replaced(self, text: str) -> str:
        """Commands or a configuration of the page, for this folder, its ports and its database."""
        text = _POSTGRES.sub(lambda line: self._on_own_database(line[0]), text)
        ports = self.ports
        for old, new in (
            ("postgres://weilink:change-me@127.0.0.1/weilink", self.database_url),
            ("redis://127.0.0.1:6379/0", self.redis),
            ("/srv/weilink", str(self.home)),
            ("/etc/systemd/system", str(self.folder / "units")),
            ("/etc/nginx/conf.d", str(self.folder / "nginx/conf.d")),
            ("/var/log/nginx", str(self.folder / "nginx")),
            ("/etc/ssl/weilink", str(self.folder / "tls")),
            ("https://console.example.com", self.url),
            ("console.example.com", "localhost"),
            ("listen 80;", f"listen 127.0.0.1:{ports['http']};"),
            ("listen 443 ", f"listen 127.0.0.1:{ports['https']} "),
            ("    listen [::]:80;\n", ""),
            ("    listen [::]:443 ssl http2;\n", ""),
        ):
            text = text.replace(old, new)
        return re.sub(r"\b800(?=[12%])", self.web, text)

    def _on_own_database(self, line: str) -> str:
        line = re.sub(r"\bweilink\b", self.database, line)
        # The tables of the template belong to another.
        return line.replace(f"ROLE {self.database} LOGIN", f"ROLE {self.database} LOGIN SUPERUSER")

    def run(self, name: str) -> str:
        """Run one block; what it printed. A failed test if any command of it fails."""
        commands = blocks()[name]
        if name == "database":  # its tables are there already: migrating takes many seconds
            commands = commands.replace("createdb ", f"createdb --template {self.template} ")
        return self.shell(self.replaced(commands))

    def shell(self, commands: str) -> str:
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{commands}\n{done.stdout}\n{done.stderr}\n{self.logs()}"
        return done.stdout

    def logs(self) -> str:
        return "\n".join(
            f"== {file.name}\n{file.read_text()}"
            for file in sorted((self.folder / "log").iterdir())
        )

    def log(self, unit: str) -> str:
        return (self.folder / "log" / unit).read_text()

    def close(self) -> None:
        """End what is still running, and drop what was made on the server."""
        marks = [*(self.folder / "run").iterdir(), self.folder / "nginx/pid"]
        for mark in (one for one in marks if one.exists()):
            with suppress(ProcessLookupError):
                os.kill(int(mark.read_text()), signal.SIGTERM)
        self.shell(
            f"dropdb --force --if-exists {self.database}\n"
            f"psql --quiet --command 'DROP ROLE IF EXISTS {self.database}' postgres"
        )

    def _put_stand_ins(self) -> None:
        nginx = shutil.which("nginx", path=self.env["PATH"]) or "/usr/sbin/nginx"
        scripts = {
            "sudo": 'shift 2; exec env "$@"',
            "chown": "exit 0",
            "systemctl": f'exec {sys.executable} {ROOT / "tests/services/host/systemctl.py"} "$@"',
            "nginx": f'exec {nginx} -c {self.folder}/nginx/nginx.conf "$@"',
        }
        for name, script in scripts.items():
            file = self.folder / "bin" / name
            file.write_text(f"#!/bin/sh\n{script}\n")
            file.chmod(0o755)

    def _put_release(self) -> None:
        """`source/docs/deploy`, for this host."""
        deploy = self.home / "source/docs/deploy"
        deploy.mkdir(parents=True)
        for file in DEPLOY.iterdir():
            (deploy / file.name).write_text(self.replaced(file.read_text(encoding="utf-8")))


def _two_ports() -> str:
    """The beginning of two free ports that end in 1 and 2, as 8001 and 8002 do."""
    while True:
        beginning = str(free_port())[:4]
        if all(_is_free(int(beginning + end)) for end in "12"):
            return beginning


def _is_free(port: int) -> bool:
    with socket.socket() as probe, suppress(OSError, OverflowError):
        probe.bind(("127.0.0.1", port))
        return True
    return False
