"""The console on IPv6, and on both: the peers' addresses are theirs."""

import http.client
import re
import socket
import urllib.parse

import pytest

from tests.processes.child import Child, wait_for
from tests.processes.console import Console

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(("host", "peer"), [("::", "127.0.0.1"), ("::", "::1"), ("[::1]", "::1")])
def test_a_peer_is_known_by_its_own_address(console: Console, host: str, peer: str) -> None:
    _needs_ipv6()
    console.env |= {"TRUSTED_PROXIES": peer}
    arguments = ["console", "--host", host, "--port", str(console.port)]
    child = Child(arguments, env=console.env, log=console.folder / "console-1")
    console.children.append(child)
    wait_for(lambda: _answers(peer, console.port), "the login page", within_s=60)

    for number in range(10):
        assert "Too many attempts" not in _try(peer, console.port, f"203.0.113.6:{number}")
    assert "Too many attempts" in _try(peer, console.port, "203.0.113.6:99")
    assert "Too many attempts" not in _try(peer, console.port, "203.0.113.7:99")
    assert console.child.terminate() == 0


def _needs_ipv6() -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("this machine has no IPv6")


def _answers(peer: str, port: int) -> bool:
    try:
        with socket.create_connection((peer, port), timeout=5):
            return True
    except OSError:
        return False


def _try(peer: str, port: int, forwarded: str) -> str:
    """A wrong password; the page that answers."""
    line = http.client.HTTPConnection(peer, port, timeout=20)
    try:
        line.request("GET", "/accounts/login/", headers={"Host": "localhost"})
        page = line.getresponse()
        cookie = (page.headers.get("Set-Cookie") or "").partition(";")[0]
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.read().decode())
        assert found is not None
        form = {"username": "admin", "password": "wrong", "csrfmiddlewaretoken": found[1]}
        headers = {
            "Host": "localhost",
            "Cookie": cookie,
            "Content-Type": FORM,
            "X-Forwarded-For": forwarded,
        }
        line.request("POST", "/accounts/login/", urllib.parse.urlencode(form), headers)
        return line.getresponse().read().decode()
    finally:
        line.close()
