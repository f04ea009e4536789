"""A site under test as seen from outside: its data, and what people do with it.

The test reads what is committed and never touches the memory of a process under test.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from sessions_app.simulator.control.panel import Control
from tests.processes.child import python, wait_for

START_LOGINS = """
from sessions_app.login.attempts import start_login
from sessions_app.models import Session, Team
team = Team.objects.get(name="Everyone")
for name in {names!r}:
    start_login(user=None, session_name=name, team=team,
                session=Session.objects.filter(name=name).first(), force=True)
"""
QUEUE_REPLIES = """
from messaging.models import Conversation
from tests.replies import send_reply
for user_id, text in {replies!r}:
    thread = Conversation.objects.get(contact__user_id=user_id)
    send_reply(user=None, conversation=thread, text=text, draft_key=text)
"""


class Site(ABC):
    """`env` is what its processes run with, `control` its simulated WeChat."""

    env: dict[str, str]
    control: Control

    @abstractmethod
    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What is committed, read from outside."""

    def count(self, table: str, where: str = "true") -> int:
        return int(self.rows(f"SELECT count(*) FROM {table} WHERE {where}")[0][0])

    def incoming(self) -> list[str]:
        """Texts of stored messages from people, in the order stored."""
        query = "SELECT text FROM messaging_message WHERE direction = 'in' ORDER BY id"
        return [row[0] for row in self.rows(query)]

    def fates(self) -> dict[str, tuple[str, str]]:
        """text → (status, error code) of our replies."""
        query = "SELECT text, status, error_code FROM messaging_message WHERE direction = 'out'"
        return {text: (status, code) for text, status, code in self.rows(query)}

    # What people do

    def bind(self, *accounts: str) -> list[str]:
        """Sessions logged in by a scan with each of these phones; their bot ids."""
        names = [f"Shop of {account}" for account in accounts]
        python(START_LOGINS.format(names=names), env=self.env)
        handles = wait_for(lambda: self._handles(names), "the codes drawn")
        for name, account in zip(names, accounts, strict=True):
            self.control.scan(handles[name], account)
            self.control.confirm(handles[name])
        return wait_for(lambda: self._connected(names), "the sessions connected")

    def _handles(self, names: list[str]) -> dict[str, str]:
        query = "SELECT session_name, qrcode FROM sessions_app_loginattempt WHERE qrcode <> ''"
        drawn = dict(self.rows(query))
        return drawn if drawn.keys() >= set(names) else {}

    def _connected(self, names: list[str]) -> list[str]:
        query = "SELECT name, bot_id FROM sessions_app_session WHERE state = 'connected'"
        bots = dict(self.rows(query))
        return [bots[name] for name in names] if bots.keys() >= set(names) else []

    def run(self, code: str) -> None:
        """Inside the project, in a process of its own."""
        python(code, env=self.env)

    def queue_replies(self, replies: Iterable[tuple[str, str]]) -> None:
        """(WeChat id, text) of each; the worker finds them in the database."""
        python(QUEUE_REPLIES.format(replies=list(replies)), env=self.env)
