"""No order and no speed of what people ask leaves a session's state wrong: generated stories.

The real worker and its loops on the simulated WeChat, over both stores. Pauses of the loops are
handed in, so nothing is sat through; whatever was done, the state that every page shows soon is
what the simulated WeChat knows, and what a customer writes then arrives.
"""

import asyncio
import contextlib
import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as site
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from messaging.models import Message
from sessions_app.models import Session, Team
from sessions_app.realtime.streams import announcing
from sessions_app.sessions import health, services
from sessions_app.sessions.binding import Credentials, bind
from sessions_app.sessions.health import health_of
from tests.conftest import Running, in_thread, until

UPDATES = "/ilink/bot/getupdates"
LINA = "lina@im.wechat"
STEPS = [
    "pause", "resume", "rename", "log out", "log in", "end on the phone",
    "a look", "a message", "a gateway's refusal", "one -14",
]  # fmt: skip
_numbers = itertools.count(1)


@dataclass
class Story:
    """One session and what was done with it."""

    running: Running
    number: int = field(default_factory=lambda: next(_numbers))
    bot: dict[str, Any] = field(default_factory=dict)
    pk: int = 0
    is_paused: bool = False
    is_logged_out: bool = False
    renames: int = 0

    def begin(self) -> None:
        self.account = f"account {self.number}"
        self.running.control.add_account(self.account)
        team = Team.objects.get(pk=self.running.team_id)
        with announcing():
            self.pk = services.create_session(name=f"Shop {self.number}", team=team).pk
        self.log_in()

    @property
    def session(self) -> Session:
        return Session.objects.get(pk=self.pk)

    def log_in(self) -> None:
        self.bot = self.running.control.bind(self.account)
        url = self.running.worker.hosts.check(site.WEILINK_ILINK_URL)
        credentials = Credentials(self.bot["token"], self.bot["bot_id"], url, self.account)
        with announcing() as change:
            bind(change, self.session, credentials, who=None)
        self.is_paused = self.is_logged_out = False

    def pause(self, paused: bool) -> None:
        with contextlib.suppress(services.SessionNotBound):
            services.set_paused(session=self.session, paused=paused, user=None)
            self.is_paused = paused

    def rename(self) -> None:
        self.renames += 1
        name = f"Shop {self.number} renamed {self.renames}"
        services.rename_session(session=self.session, new_name=name, user=None)

    def log_out(self) -> None:
        services.log_out(session=self.session, user=None)
        self.is_logged_out, self.is_paused = True, False

    def do(self, step: str) -> None:
        control, bot_id = self.running.control, self.bot["bot_id"]
        match step:
            case "pause" | "resume":
                self.pause(step == "pause")
            case "rename":
                self.rename()
            case "log out":
                self.log_out()
            case "log in":
                self.log_in()
            case "end on the phone":
                control.end_bot(bot_id)
            case "a message" if control.bot(bot_id)["alive"]:
                control.write(bot_id, LINA, "in between")
            case "a gateway's refusal":
                control.add_fault("status", path=UPDATES, token=self.bot["token"], status=524)
            case "one -14":
                control.add_fault("ret", path=UPDATES, token=self.bot["token"], ret=-14)

    def expected(self) -> set[str]:
        """What may be shown; nobody asks for a paused one whether its token still lives."""
        if self.is_logged_out:
            return {"logged_out"}
        if not self.running.control.bot(self.bot["bot_id"])["alive"]:
            return {"expired", "paused"} if self.is_paused else {"expired"}
        return {"paused"} if self.is_paused else {"connected"}

    def shown(self) -> str:
        return str(health_of(self.session, now=timezone.now()).state)

    def is_right(self) -> bool:
        return self.shown() in self.expected()

    def write(self) -> None:
        self.running.control.write(self.bot["bot_id"], LINA, f"to {self.number}")


async def live(running: Running, steps: Sequence[str]) -> None:
    story = Story(running)
    await in_thread(story.begin)()
    for step in steps:
        if step == "a look":
            await running.worker._look_around()
        else:
            await in_thread(story.do)(step)
    running.control.clear_faults()
    await until(story.is_right, f"{steps}: the state shown")
    row = await in_thread(Session.objects.get)(pk=story.pk)
    if await in_thread(story.expected)() == {"connected"}:
        await in_thread(story.write)()
        received = Message.objects.filter(session=row, text=f"to {story.number}")
        await until(received.exists, f"{steps}: what was written then")
        await until(lambda: story.session.state == "connected", f"{steps}: the state written")
    assert await in_thread(story.is_right)(), steps
    await in_thread(services.log_out)(session=row, user=None)


async def _short(seconds: float) -> None:
    await asyncio.sleep(min(seconds, 0.005))


@pytest.fixture(autouse=True)
def _quick_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "CLOCKS_DIFFER", timedelta(0))


async def test_whatever_is_done_in_whatever_order_the_state_is_right(
    running_on_either: Running,
) -> None:
    running = running_on_either
    running.control.switches(hold_s=0.05)
    running.worker.polls.sleep = _short
    loop = asyncio.get_running_loop()

    @settings(
        max_examples=20, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @example(["a look", "pause", "resume"])
    @example(["a look", "pause", "a look", "resume"])
    @example(["a look", "log out", "log in", "pause", "resume"])
    @example(["a look", "end on the phone", "pause", "log in"])
    @example(["a look", "one -14", "pause", "resume"])
    @example(["pause", "end on the phone", "a look", "resume"])
    @given(st.lists(st.sampled_from(STEPS), max_size=9))
    def tell(steps: list[str]) -> None:
        asyncio.run_coroutine_threadsafe(live(running, steps), loop).result(60)

    await asyncio.to_thread(tell)
