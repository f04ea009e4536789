"""nginx and Caddy as docs/deploy configures them write no address of an invitation or scan link."""

import http.client
import os
import re
import signal
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from tests.processes.child import wait_for
from tests.services.host.page import NGINX
from tests.services.host.programs import needs

pytestmark = pytest.mark.services

DEPLOY = Path(__file__).resolve().parents[2] / "docs/deploy"
CODE = "a-secret-code-of-22-ch"
ADDRESSES = [
    f"/invite/{CODE}/", f"/invite/{CODE}/state/?watch", f"/scan/{CODE}.signed/again/",
    f"//invite/{CODE}/", f"/./invite/{CODE}/", f"/%69nvite/{CODE}/", f"/invite/{CODE}/broken/",
]  # fmt: skip


class Web(BaseHTTPRequestHandler):
    """Stands in for a web process. What ends in `broken` gets no answer."""

    def do_GET(self) -> None:
        if self.path.endswith("/broken/"):
            self.connection.close()
            return
        self.send_response(302)
        self.send_header("Location", f"/invite/{CODE}/?watch")
        self.send_header("Set-Cookie", f"weilink_visit=key; Path=/invite/{CODE}/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def upstream() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Web)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def ask(port: int, path: str, *, tls: ssl.SSLContext | None = None) -> int:
    connection: http.client.HTTPConnection
    if tls is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    else:
        connection = http.client.HTTPSConnection("localhost", port, timeout=10, context=tls)
    try:
        headers = {"Referer": f"https://localhost/invite/{CODE}/", "Host": "localhost"}
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()


def answers(port: int, tls: ssl.SSLContext | None = None) -> bool:
    try:
        return ask(port, "/ready/", tls=tls) > 0
    except OSError:
        return False


def use(port: int, tls: ssl.SSLContext | None = None) -> None:
    wait_for(lambda: answers(port, tls), "the proxy")
    for path in ADDRESSES:
        assert ask(port, path, tls=tls) in {302, 400, 404, 502}
    assert ask(port, "/sessions/", tls=tls) == 302


def test_nginx_writes_no_code(tmp_path: Path, upstream: int) -> None:
    nginx, folder = needs("nginx"), tmp_path / "nginx"
    plain, encrypted = free_port(), free_port()
    (folder / "conf.d").mkdir(parents=True)
    subprocess.run(
        [
            needs("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
            "-keyout", tmp_path / "privkey.pem", "-out", tmp_path / "fullchain.pem",
        ],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    text = (DEPLOY / "nginx.conf").read_text()
    for old, new in (
        ("/var/log/nginx", str(folder)), ("/etc/ssl/weilink", str(tmp_path)),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ", f"listen 127.0.0.1:{encrypted} "),
        ("    listen [::]:80;\n", ""), ("    listen [::]:443 ssl http2;\n", ""),
        ("console.example.com", "localhost"),
        ("    server 127.0.0.1:8002 max_fails=1 fail_timeout=5s;\n", ""),
        ("127.0.0.1:8001 max_fails=1 fail_timeout=5s", f"127.0.0.1:{upstream} max_fails=0"),
    ):  # fmt: skip
        assert old in text, old
        text = text.replace(old, new)
    (folder / "conf.d/weilink.conf").write_text(text)
    main = folder / "nginx.conf"
    user = "user root;\n" if os.geteuid() == 0 else ""
    # The level that nginx has without a line of its own.
    main.write_text(
        NGINX.format(folder=tmp_path, user=user).replace("error.log notice", "error.log")
    )
    subprocess.run([nginx, "-c", main], check=True, timeout=30)
    try:
        tls = ssl.create_default_context(cafile=str(tmp_path / "fullchain.pem"))
        use(encrypted, tls)
        assert ask(plain, f"/invite/{CODE}/") == 301
    finally:
        os.kill(int((folder / "pid").read_text()), signal.SIGQUIT)
    wait_for(lambda: not (folder / "pid").exists(), "the end of nginx")
    written = "".join(one.read_text() for one in folder.glob("*.log"))
    assert '"GET /(hidden) HTTP/1.1" 302' in written
    assert '"GET /sessions/ HTTP/1.1" 302' in written
    assert CODE not in written


def test_caddy_writes_no_code(tmp_path: Path, upstream: int) -> None:
    caddy, port = needs("caddy"), free_port()
    text = (DEPLOY / "Caddyfile").read_text()
    # Without a certificate, and with health checks that the stand-in does not answer left out.
    text = text.replace("{$DOMAIN:console.example.com} {\n", f"http://localhost:{port} {{\n", 1)
    text = text.replace("\n{\n\tlog {", "\n{\n\tadmin off\n\tlog {", 1)
    text = re.sub(r"\t\thealth_headers \{.*?\n\t\t\}\n", "", text, flags=re.DOTALL)
    text = re.sub(r"\t\t(health_\w+|lb_try_duration) .*\n", "", text)
    file = tmp_path / "Caddyfile"
    file.write_text(text)
    env = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "UPSTREAMS": f"127.0.0.1:{upstream}",
    }
    log = tmp_path / "caddy.log"
    with log.open("wb") as target:
        process = subprocess.Popen(
            [caddy, "run", "--adapter", "caddyfile", "--config", file],
            env=env, stdout=target, stderr=target,
        )  # fmt: skip
    try:
        use(port)
    finally:
        process.terminate()
        process.wait(20)
    written = log.read_text()
    assert '"uri":"/(hidden)"' in written
    assert '"uri":"/sessions/"' in written
    assert CODE not in written
