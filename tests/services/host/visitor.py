"""A person and a program in front of the proxy, with an address of their own."""

import re
import socket
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tests.processes.open_lines import shake_hands

ADDRESS = "127.0.0.2"
"""On Linux every address of 127.0.0.0/8 is this machine's."""


class Visitor:
    """Talks to the site over TLS and believes its certificate."""

    def __init__(self, url: str, certificate: Path) -> None:
        self.url = url
        self.tls = ssl.create_default_context(cafile=str(certificate))
        self.client = httpx.Client(
            base_url=url,
            timeout=60,
            transport=httpx.HTTPTransport(verify=self.tls, local_address=ADDRESS),
        )
        self.token = ""

    def close(self) -> None:
        self.client.close()

    def sign_in(self, username: str, password: str) -> httpx.Response:
        """Through the page's form, as a browser does."""
        page = self.client.get("/accounts/login/").text
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert found is not None, page
        form = {"username": username, "password": password, "csrfmiddlewaretoken": found[1]}
        headers = {"Origin": self.url, "Referer": f"{self.url}/accounts/login/"}
        return self.client.post("/accounts/login/", data=form, headers=headers)

    def open_websocket(self) -> socket.socket:
        """After its first frame."""
        where = urlsplit(self.url)
        line = socket.create_connection((where.hostname or "", where.port or 443), timeout=20)
        secure = self.tls.wrap_socket(line, server_hostname=where.hostname)
        cookie = "; ".join(f"{name}={value}" for name, value in self.client.cookies.items())
        shake_hands(secure, self.url, cookie)
        return secure

    def api(self, method: str, path: str, **options: Any) -> Any:
        """The JSON of a good answer."""
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = self.client.request(method, f"/api/v1{path}", headers=headers, **options)
        assert answer.is_success, answer.text
        return answer.json()
