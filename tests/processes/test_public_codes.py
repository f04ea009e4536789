"""Addresses of invitations and scan links are keys: no log of the console holds one."""

import http.client
import re
import urllib.parse

import pytest

from tests.processes.child import python, wait_for
from tests.processes.console import Console

MAKE = """
from sessions_app.invitations import invitations
from sessions_app.links import scan_links
from sessions_app.models import Team, User
user, team = User.objects.get(), Team.objects.get()
made = invitations.make_invitation(
    user=user, team=team, prefix="Fair", label="", per_hour=1, in_all=9
)
link = scan_links.make_link(user=user, team=team, session_name="New")
print(made.code, scan_links.address(link).split("/")[-2])
"""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Stranger:
    """A browser without JavaScript that keeps its cookies."""

    def __init__(self, port: int) -> None:
        self.port, self.cookies = port, dict[str, str]()

    def asks(self, method: str, path: str, body: str = "", **headers: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        sent = {**FORM, **headers, "Cookie": cookie, "Referer": f"http://127.0.0.1{path}"}
        try:
            connection.request(method, path, body or None, sent)
            answer = connection.getresponse()
            for line in answer.headers.get_all("Set-Cookie") or []:
                name, _, value = line.partition(";")[0].partition("=")
                self.cookies[name] = value
            return answer.status, answer.read().decode(errors="replace")
        finally:
            connection.close()

    def presses(self, page: str, action: str, **fields: str) -> int:
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.asks("GET", page)[1])
        token = found[1] if found else ""
        body = urllib.parse.urlencode({"csrfmiddlewaretoken": token, **fields})
        return self.asks("POST", f"{page}{action}/", body)[0]


def shows(stranger: Stranger, page: str, words: str) -> None:
    wait_for(lambda: words in stranger.asks("GET", page)[1], words)


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_log_holds_the_address_of_an_invitation_or_a_scan_link(
    console: Console, form: str
) -> None:
    console.env |= {"WEILINK_LOG_FORMAT": form, "LOG_LEVEL": "DEBUG"}
    console.start()
    code, token = python(MAKE, env=console.env).split()
    for page in (f"/invite/{code}/", f"/scan/{token}/"):
        stranger = Stranger(console.port)
        assert stranger.asks("GET", page)[0] == 200
        assert stranger.asks("POST", f"{page}again/")[0] == 403
        shows(stranger, page, "csrfmiddlewaretoken")
        assert stranger.presses(page, "again") == 302
        shows(stranger, f"{page}state/", "<svg")
        assert stranger.presses(page, "digits", code="nonsense") in {302, 422}
        assert stranger.asks("GET", f"{page}nowhere/")[0] in {302, 404}
        assert stranger.asks("GET", f"/{page}")[0] in {302, 404}
        assert stranger.asks("DELETE", page)[0] in {403, 405}
        assert stranger.asks("POST", page, "x" * 100_000)[0] == 413
        assert stranger.asks("GET", page, Host="elsewhere.example")[0] == 400
    assert Stranger(console.port).presses(f"/invite/{code}/", "again") == 429
    console.child.terminate()
    log = console.child.out + console.child.err
    assert "/invite/" in log
    for secret in (code, token, token.split(".")[0]):
        assert secret not in log
