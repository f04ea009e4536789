"""A file of 100 MB goes in and out without filling the memory, whatever the client does."""

import hashlib
import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.child import python, wait_for
from tests.processes.console import Console

SIZE = 100 * 1024 * 1024
PIECE = bytes(range(256)) * 4096
MOST_MORE_MB = 40
EDGE = "weilink-edge"
FRONT = (
    f'--{EDGE}\r\nContent-Disposition: form-data; name="file"; filename="large.bin"\r\n'
    "Content-Type: application/octet-stream\r\n\r\n"
).encode()
BACK = f"\r\n--{EDGE}--\r\n".encode()
TOKEN = """
from sessions_app.models import User
from sessions_app.people.tokens import issue_token
print(issue_token(owner=User.objects.get(is_superuser=True), name="test")[1])
"""
ATTACH = """
from messaging.transfers.replies import attach
from messaging.models import Attachment, Conversation, Contact, Message, MessageKind, Upload
from sessions_app.models import Session, Team
from sessions_app.sessions.services import create_session
team = Team.objects.get(name="Everyone")
session = create_session(name="Shop A", team=team)
contact = Contact.objects.create(user_id="lina@im.wechat", number=1)
thread = Conversation.objects.create(contact=contact, home_team=team, team=team)
message = Message.objects.create(id=1, conversation=thread, session=session, direction="out",
                                 dedupe_key="1", status="sent")
attach(message, Upload.objects.get(), MessageKind.FILE)
print(Attachment.objects.get().pk)
"""


def _memory_mb(console: Console, field: str) -> float:
    status = Path(f"/proc/{console.child.process.pid}/status").read_text()
    return (
        int(next(line for line in status.splitlines() if line.startswith(field)).split()[1]) / 1024
    )


class Peak:
    """How much more memory the console needed at most since this was made."""

    def __init__(self, console: Console) -> None:
        self._console = console
        Path(f"/proc/{console.child.process.pid}/clear_refs").write_text("5")
        self._before = _memory_mb(console, "VmRSS")

    @property
    def more_mb(self) -> float:
        return _memory_mb(self._console, "VmHWM") - self._before


def _body() -> Iterator[bytes]:
    yield FRONT
    for _ in range(SIZE // len(PIECE)):
        yield PIECE
    yield BACK


@pytest.mark.timeout(180)
def test_a_large_file_goes_in_and_out_in_little_memory(console: Console) -> None:
    console.start()
    token = python(TOKEN, env=console.env)
    headers = {"Authorization": f"Bearer {token}"}
    line = http.client.HTTPConnection("127.0.0.1", console.port, timeout=60)

    peak = Peak(console)
    form = {
        "Content-Type": f"multipart/form-data; boundary={EDGE}",
        "Content-Length": str(len(FRONT) + SIZE + len(BACK)),
    }
    line.request("POST", "/api/v1/uploads", _body(), {**headers, **form})
    answer = line.getresponse()
    assert answer.status == 201, answer.read()
    assert json.loads(answer.read())["size"] == SIZE
    assert peak.more_mb < MOST_MORE_MB

    pk = python(ATTACH, env=console.env)
    path = f"/api/v1/attachments/{pk}/content"
    peak = Peak(console)
    with socket.create_connection(("127.0.0.1", console.port), timeout=20) as stalled:
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\r\n"
        stalled.sendall(head.encode())
        assert stalled.recv(100).startswith(b"HTTP/1.1 200 ")
        # Meanwhile another client gets it whole.
        line.request("GET", path, headers=headers)
        whole = line.getresponse()
        digest = hashlib.sha256()
        while piece := whole.read(len(PIECE)):
            digest.update(piece)
        expected = hashlib.sha256()
        for _ in range(SIZE // len(PIECE)):
            expected.update(PIECE)
        assert digest.digest() == expected.digest()
    assert peak.more_mb < MOST_MORE_MB
    line.close()
    wait_for(lambda: console.get("/healthz")[0] == 200, "the console well")
