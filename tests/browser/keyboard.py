"""People who write to the shop in numbers, an agent at the keys, and what the phones received."""

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from playwright.sync_api import Page, expect

from tests.browser.demo_process import Demo

# Runs beside the demo, once all that was written has arrived.
ARRIVED = """
import time
from messaging.models import Conversation, Message, TeamContact
names = {names!r}
theirs = Message.objects.filter(direction="in", conversation__contact__user_id__in=names.values())
until = time.monotonic() + 30
while theirs.count() < {written}:
    assert time.monotonic() < until, "not all messages arrived within 30 s"
    time.sleep(0.05)
"""
NAME_ALL = """
for name, user_id in names.items():
    for one in Conversation.objects.filter(contact__user_id=user_id):
        TeamContact.objects.update_or_create(
            contact=one.contact, team=one.team, defaults={"name": name}
        )
"""
RESOLVE_ALL = """
Conversation.objects.update(status="resolved")
"""


class Street:
    """Customers of the one shop that is bound, by name."""

    def __init__(self, demo: Demo) -> None:
        self.demo = demo
        self.bot = next(one["bot_id"] for one in demo.read("bots") if one["alive"])
        self.ids: dict[str, str] = {}
        self.written = 0

    def people(self, prefix: str, count: int) -> list[str]:
        names = [f"{prefix} {number:02d}" for number in range(1, count + 1)]
        for name in names:
            if name not in self.ids:
                made = self.demo.control("add_person", name=name)
                self.ids[name] = str(made["user_id"])
        return names

    def write(self, name: str, text: str) -> None:
        person = self.ids[name]
        self.written += 1
        self.demo.control("write", bot_id=self.bot, person_id=person, text=text)

    def received(self) -> dict[str, list[str]]:
        """Texts that reached each phone, in order."""
        names = {user_id: name for name, user_id in self.ids.items()}
        told: dict[str, list[str]] = defaultdict(list)
        for one in self.demo.read("sends"):
            if one["person_id"] in names:
                told[names[one["person_id"]]].append(one["text"])
        return dict(told)

    def name_them(self) -> None:
        """WeChat tells no names: an agent gives them these."""
        self._when_arrived(NAME_ALL)

    def resolve_all(self) -> None:
        """Nobody waits for an answer any more."""
        self._when_arrived(RESOLVE_ALL)

    def _when_arrived(self, code: str) -> None:
        self.demo.python(ARRIVED.format(names=self.ids, written=self.written) + code)

    @contextmanager
    def chatter(self, names: Sequence[str], *, per_second: float = 3) -> Iterator[None]:
        """Meanwhile these people write, by turns."""
        over = threading.Event()

        def talk() -> None:
            number = 0
            while not over.wait(1 / per_second):
                self.write(names[number % len(names)], f"and another thing {number}")
                number += 1

        talker = threading.Thread(target=talk)
        talker.start()
        try:
            yield
        finally:
            over.set()
            talker.join()


def needs_reply(page: Page, demo: Demo, names: Sequence[str]) -> list[str]:
    """The list of those that wait, all of these in it; their names in its order."""
    page.goto(f"{demo.url}/inbox/?view=needs_reply")
    rows = page.locator("#conversation-rows > li.conversation")
    for name in names:
        expect(rows.filter(has=page.get_by_text(name, exact=True))).to_have_count(1)
    page.wait_for_load_state()
    return [one.strip() for one in rows.locator(".who").all_inner_texts()]
