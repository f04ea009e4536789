"""A crowd: as many conversations and messages as a large team has after years.

    python -m tests.bench.crowd FOLDER [--conversations N] [--messages N] [--database URL]

Makes FOLDER/console.sqlite3 (or fills the empty database at URL) with three teams, a hundred
sessions, twenty agents and an administrator, open, snoozed, settled and missed conversations,
labels, and one very long thread. The same numbers make the same crowd.
"""

import argparse
import os
import random
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from messaging.models import Conversation, Label
    from sessions_app.models import Session, Team, User

SESSIONS, AGENTS, LABELS = 100, 20, 12
TEAM_SHARES = (70, 20, 10)
LONG_THREAD = 20_000
BATCH = 2_000
WORDS = (
    "我的包裹在哪里？已经三天了", "Can I change the colour to blue?", "好的，谢谢", "在吗？",
    "请问营业到几点？", "When do you open on Sunday?", "我想退货", "单号 SF1039 2288 4417",
)  # fmt: skip


def begin(folder: Path, database: str = "") -> None:
    """Point Django at the crowd's own database; before anything of Django is imported."""
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["DATABASE_URL"] = database or f"sqlite:///{folder.absolute() / 'console.sqlite3'}"
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    import django

    django.setup()


class Crowd:
    """Rows of one crowd, table by table, in batches."""

    def __init__(self, conversations: int, messages: int, *, now: datetime) -> None:
        self.conversations = conversations
        self.messages = messages
        self.now = now
        self.random = random.Random(4)

    def make(self) -> None:
        teams = self._teams()
        agents, sessions = self._agents(teams), self._sessions(teams)
        labels = self._labels(teams)
        self._contacts()
        conversations = self._conversations(sessions, agents)
        self._stick(conversations, labels)
        self._messages(conversations)
        self._numbers(teams)

    def _teams(self) -> list["Team"]:
        from sessions_app.models import Team

        everyone = Team.objects.get(name="Everyone")
        return [everyone, *(Team.objects.create(name=name) for name in ("Repairs", "Wholesale"))]

    def _agents(self, teams: list["Team"]) -> dict[int, list["User"]]:
        from django.contrib.auth.models import Group

        from sessions_app.models import User
        from sessions_app.people.roles import Role

        boss = User.objects.create_user("boss", password="boss-pw", is_staff=True)
        boss.groups.add(Group.objects.get(name=Role.ADMINISTRATOR))
        found: dict[int, list[User]] = {team.pk: [] for team in teams}
        for number in range(AGENTS):
            team = teams[self._share(number * 100 // AGENTS)]
            one = User.objects.create_user(f"agent{number:02d}", password="agent-pw")
            one.groups.add(Group.objects.get(name=Role.AGENT))
            one.teams.set([team])
            found[team.pk].append(one)
        return found

    def _share(self, percent: int) -> int:
        return 0 if percent < TEAM_SHARES[0] else 1 if percent < sum(TEAM_SHARES[:2]) else 2

    def _sessions(self, teams: list["Team"]) -> list["Session"]:
        from sessions_app.models import SessionState
        from sessions_app.sessions import services

        made = []
        for number in range(SESSIONS):
            team = teams[self._share(number * 100 // SESSIONS)]
            one = services.create_session(name=f"Shop {number:03d}", team=team)
            one.bot_id, one.token = f"bot{number}@im.bot", f"token {number}"
            one.state, one.generation = SessionState.CONNECTED, 1
            if number % 20 == 19:
                one.state = SessionState.EXPIRED
            one.last_poll_at = one.bound_at = self.now
            one.save()
            made.append(one)
        return made

    def _labels(self, teams: list["Team"]) -> dict[int, list["Label"]]:
        from messaging.models import Label

        return {
            team.pk: [
                Label.objects.create(team=team, name=f"Label {number}", colour=number % 8)
                for number in range(LABELS)
            ]
            for team in teams
        }

    def _contacts(self) -> None:
        from messaging.models import Contact

        rows = (
            Contact(
                pk=number,
                user_id=f"o9cq{number:07d}@im.wechat",
                number=number,
                folded=f"{number:04d} o9cq{number:07d}@",
                colour=number % 8,
            )
            for number in range(1, self.conversations + 1)
        )
        _store(Contact, rows)

    def _conversations(
        self, sessions: list["Session"], agents: dict[int, list["User"]]
    ) -> list["Conversation"]:
        from messaging.models import Conversation, TeamContact

        made: list[Conversation] = []
        for number in range(1, self.conversations + 1):
            session = sessions[self._busy(len(sessions))]
            made.append(self._thread(number, session, agents[session.team_id]))
        _store(Conversation, iter(made))
        names = (
            TeamContact(
                contact_id=one.contact_id,
                team_id=one.team_id,
                name=f"Person {one.contact_id}",
                folded=f"person {one.contact_id}",
            )
            for one in made
            if one.contact_id % 3
        )
        _store(TeamContact, names)
        return made

    def _busy(self, count: int) -> int:
        """Some sessions have many customers, most have few."""
        return int(count * self.random.random() ** 2)

    def _thread(self, number: int, session: "Session", agents: list["User"]) -> "Conversation":
        from messaging.models import Conversation, ConversationStatus

        dice = self.random.random()
        age = timedelta(days=400 * self.random.random() ** 2, seconds=number % 60)
        if dice < 0.06:  # open, today's and yesterday's
            age = timedelta(hours=36 * self.random.random())
        last_at = self.now - age
        row = Conversation(
            pk=number, contact_id=number, home_team_id=session.team_id, team_id=session.team_id,
            session=session, last_at=last_at, last_kind="text", version=number,
            last_text=self.random.choice(WORDS), closes_at=last_at + timedelta(hours=24),
            last_direction="in" if self.random.random() < 0.5 else "out",
            replies_used=self.random.randrange(11), created_at=last_at,
            assignee=self.random.choice(agents) if self.random.random() < 0.6 else None,
        )  # fmt: skip
        if dice >= 0.07:
            row.status = ConversationStatus.RESOLVED
        elif dice >= 0.06:
            row.status, row.snoozed_until = ConversationStatus.SNOOZED, self.now + age
        if row.last_direction == "in" and (dice < 0.07 or dice > 0.98):
            row.waiting_since, row.unread = last_at, self.random.randrange(1, 5)
            if row.closes_at is not None and row.closes_at <= self.now:
                row.missed_at = row.closes_at
        if row.unread and row.status == ConversationStatus.RESOLVED:
            row.unread, row.missed_at = 0, row.missed_at or last_at
        return row

    def _stick(self, conversations: list["Conversation"], labels: dict[int, list["Label"]]) -> None:
        """The first label is on half of all, the last on a handful."""
        from messaging.models import Conversation

        through: Any = Conversation.labels.through
        rows = (
            through(conversation_id=conversation.pk, label_id=label.pk)
            for conversation in conversations
            for place, label in enumerate(labels[conversation.team_id])
            if self.random.random() < 0.5 ** (place + 1)
        )
        _store(through, rows)

    def _messages(self, conversations: list["Conversation"]) -> None:
        """Ids in the order of time, as they are given; the first thread is the long one."""
        from messaging.models import Message

        long = min(LONG_THREAD, self.messages // 4)
        rest = self.messages - long

        def rows() -> Iterator[Message]:
            for number in range(1, self.messages + 1):
                conversation = (
                    conversations[number % len(conversations)]
                    if number <= rest
                    else conversations[0]
                )
                ours = number % 3 == 0
                yield Message(
                    pk=number, conversation=conversation, session_id=conversation.session_id or 0,
                    direction="out" if ours else "in", text=WORDS[number % len(WORDS)],
                    dedupe_key=f"id:{number}", wire_id=str(number), version=number,
                    status="sent" if ours else "received", created_at=conversation.last_at,
                    stored_at=conversation.last_at,
                )  # fmt: skip

        _store(Message, rows())

    def _numbers(self, teams: list["Team"]) -> None:
        from sessions_app.models import Stream

        for team in teams:
            Stream.objects.update_or_create(
                key=team.stream_key, defaults={"last_number": self.messages + self.conversations}
            )
        for key, number in (("message", self.messages), ("contact", self.conversations)):
            Stream.objects.update_or_create(key=key, defaults={"last_number": number})


def _store(model: Any, rows: Iterator[Any]) -> None:
    from django.db import transaction

    while batch := list(islice(rows, BATCH)):
        with transaction.atomic():
            model.objects.bulk_create(batch)


def make_crowd(conversations: int, messages: int) -> None:
    """Into the database that `begin` chose. Statistics as a server's own housekeeping has them."""
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from messaging.worker import analyze

    call_command("migrate", verbosity=0)
    Crowd(conversations, messages, now=timezone.now()).make()
    analyze.learn_sizes()  # as the worker does after a minute
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--conversations", type=int, default=100_000)
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--database", default="", help="of an empty database; else SQLite")
    options = parser.parse_args()
    began = time.monotonic()
    begin(options.folder, options.database)
    make_crowd(options.conversations, options.messages)
    took = time.monotonic() - began
    print(f"{options.conversations} conversations, {options.messages} messages in {took:.0f} s")


if __name__ == "__main__":
    main()
