"""The public `weilink` SDK as a process of its own: JSON calls on stdin, JSON answers on stdout.

Run as a file, so that nothing of ours is imported beside it: `peer_process.py BASE [--store]`. A
login asks the WeChat that PEER_ILINK_URL names.
"""

import json
import os
import sys
import threading
from collections.abc import Callable

import weilink
from weilink import _protocol


class Program:
    """What a script does with the SDK. `received`: texts, as its loops were given them."""

    def __init__(self, wl: weilink.WeiLink) -> None:
        self.wl = wl
        self.received: list[str | None] = []
        self.bots: list[str] = []

    def send(self, to: str, text: str) -> object:
        try:
            return self.wl.send(to, text).success
        except weilink.QuotaExhaustedError:
            return "quota"

    def recv(self) -> list[str | None]:
        return [message.text for message in self.wl.recv(timeout=0.5)]

    def answer_all(self) -> None:
        """Receive for ever and answer each message, in one thread: as most scripts do."""
        threading.Thread(target=self._answer_all, daemon=True).start()

    def _answer_all(self) -> None:
        while True:
            try:
                messages = self.wl.recv(timeout=1.0)
            except Exception as error:
                print(error, file=sys.stderr)
                continue
            for message in messages:
                self.received.append(message.text)
                self.send(message.from_user, f"peer: {message.text}")

    def run_background(self) -> None:
        self.wl.on_message(lambda message: self.received.append(message.text))
        self.wl.run_background(poll_timeout=1.0)

    def heard(self) -> list[str | None]:
        return self.received

    def rename(self, old: str, new: str) -> None:
        self.wl.rename_session(old, new)

    def logout(self, name: str) -> None:
        self.wl.logout(name)

    def set_default(self, name: str) -> None:
        self.wl.set_default(name)

    def login(self, name: str) -> None:
        """In the background: a scan ends it, and `logged_in` says so."""

        def log_in() -> None:
            self.bots.append(self.wl.login(name, force=True).bot_id)

        threading.Thread(target=log_in, daemon=True).start()

    def logged_in(self) -> list[str]:
        return self.bots

    def sessions(self) -> list[str]:
        return list(self.wl.sessions)

    def bot_ids(self) -> dict[str, str]:
        return self.wl.bot_ids

    def default(self) -> str | None:
        return next((one.name for one in self.wl.sessions.values() if one.is_default), None)


def _point_logins_at(url: str) -> None:
    """Its host is a constant, bound as a default argument too."""
    for ask in (_protocol.get_qr_code, _protocol.poll_qr_status):
        ask.__defaults__ = (url,)


def main() -> None:
    answers = sys.stdout
    sys.stdout = sys.stderr  # a login prints its code
    _point_logins_at(os.environ.get("PEER_ILINK_URL", "http://127.0.0.1:9"))
    wl = weilink.WeiLink(base_path=sys.argv[1], message_store="--store" in sys.argv[2:])
    program = Program(wl)
    for line in sys.stdin:
        call: dict[str, str] = json.loads(line)
        do: Callable[..., object] = getattr(program, call.pop("do"))
        answers.write(json.dumps(do(**call)) + "\n")
        answers.flush()
    wl.close()


main()
