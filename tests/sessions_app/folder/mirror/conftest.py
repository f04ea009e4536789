"""A mirror on a folder of the test's own, and another program that works in the same folder."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import pytest

from sessions_app.folder.mirror import ContextChange, Mirror, Sweep
from sessions_app.folder.store import SessionFolder, StoredContext, StoredToken
from sessions_app.models import Context, Session, Team
from sessions_app.realtime.streams import Change
from tests.messaging.builders import make_session

NOW_S = 1_900_000_000.0


class NotedConversations:
    """Conversations that only note what they are told."""

    def __init__(self) -> None:
        self.told: list[ContextChange] = []
        self.forgotten: dict[str, float] = {}

    def lock(
        self, session: Session, user_ids: set[str]
    ) -> Callable[[Change, Sequence[ContextChange]], None]:
        return lambda _change, changes: self.told.extend(changes)

    def last_forgotten(self) -> float:
        return float(len(self.forgotten))

    def forgotten_until(self, user_ids: Collection[str]) -> dict[str, float]:
        return {one: self.forgotten[one] for one in user_ids if one in self.forgotten}


class Site:
    """`program` is the folder as another program sees it; `sweep()` is one look of the mirror."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self.program = SessionFolder(base)
        self.conversations = NotedConversations()
        self.clock = 0.0
        self.mirror = self.start()

    def start(self) -> Mirror:
        """A mirror without memory, as after a restart."""
        folder = SessionFolder(self.base)
        return Mirror(folder, self.conversations, free_for_s=0.0, clock=lambda: self.clock)

    def sweep(self, *, wants: bool = False, times: int = 3) -> Sweep:
        """Until everything settled: a step may free the way for another one."""
        for _time in range(times):
            last = self.mirror.sweep(wants=wants)
            self.clock += 2.0
        return last

    # What people do in the console

    def session(self, name: str = "shop", **columns: Any) -> Session:
        session = make_session(name)
        for column, value in columns.items():
            setattr(session, column, value)
        session.save()
        return session

    def row(self, session: Session) -> Session:
        return Session.objects.get(pk=session.pk)

    # What another program does

    def program_logs_in(self, name: str, token: str = "t1", **fields: Any) -> StoredToken:
        stored = StoredToken(
            **{
                "bot_id": f"{token}@im.bot",
                "base_url": "https://ilinkai.weixin.qq.com",
                "token": token,
                "user_id": f"owner-of-{token}@im.wechat",
                "created_at_s": NOW_S,
                **fields,
            }
        )
        with self.program.changing(make=True) as change:
            change.write_token(name, stored)
        return stored

    def program_writes(self, name: str, user_id: str, entry: StoredContext) -> None:
        with self.program.changing() as change:
            change.write_contexts(name, {user_id: entry})

    def on_disk(self, name: str, user_id: str) -> StoredContext:
        return self.program.read_contexts(name).get(user_id, StoredContext())


@pytest.fixture
def site(transactional_db: None, tmp_path: Path) -> Site:
    Team.objects.get_or_create(name="Everyone")
    return Site(tmp_path / "weilink")


def make_context(session: Session, user_id: str, token: str, **columns: Any) -> Context:
    context = Context(session=session, user_id=user_id, **columns)
    context.token = token
    context.save()
    return context
