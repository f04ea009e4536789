"""The real worker with two sessions on the simulated WeChat, in virtual time and one transaction.

`victim` is the session whose calls a fault spoils; `other` must notice nothing of it.
"""

import itertools
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from messaging.models import Conversation, Message
from messaging.replying import sending, services
from messaging.replying.sending import Wish
from messaging.transfers import uploads
from messaging.transfers.replies import Wanted
from messaging.worker.pauses import USUAL
from messaging.worker.worker import Worker
from sessions_app.models import Session, User
from sessions_app.realtime.streams import announcing
from sessions_app.sessions.binding import Credentials, bind
from sessions_app.sessions.health import health_of
from sessions_app.sessions.services import set_paused
from sessions_app.simulator.app import create_app
from sessions_app.simulator.control.panel import Control
from sessions_app.simulator.state.wechat import SimulatedWeChat
from sessions_app.team_settings.limits import team_settings
from tests.faults.faults import Endpoint, Fault
from tests.faults.line import URL, Network
from tests.faults.virtual_time import Clocks, VirtualLoop, in_database, passes, virtual_time
from tests.messaging.builders import make_session
from weilink_site.version import wire_identity

LINA, MEI, TOM = "lina@im.wechat", "mei@im.wechat", "tom@im.wechat"
NEVER_S = 1e7
SWEEP_S = 10.0
PAUSES = replace(
    USUAL,
    catch_up_s=0.0,
    beat_s=NEVER_S,
    lapses_after_s=math.inf,
    leavers_every_s=NEVER_S,
    learn_after_s=NEVER_S,
    tidy_every_s=NEVER_S,
    sweep_s=SWEEP_S,
    write_heard_s=60.0,
    rare_sweep_s=600.0,
)
"""The product's own, but for chores that have to do with no fault.

Without wake-ups, as nothing is committed here, a sweep every 10 s finds the work.
"""
LOOK_S = 1.0


class World:
    """`board()` and `agent()` are what people see; `network` holds what went over the line."""

    def __init__(self, loop: VirtualLoop, clocks: Clocks, wechat: SimulatedWeChat) -> None:
        self.loop, self.clocks = loop, clocks
        self.network = Network(create_app(wechat))
        self.control = Control(wechat)
        self._numbers = itertools.count(1)
        self.victim, self.other = self._bound("Shop A"), self._bound("Shop B")
        self.network.victim, self.network.person = self.victim.token, LINA

    def _bound(self, name: str) -> Session:
        self.control.add_account(name)
        bot = self.control.bind(name)
        session = make_session(name)
        session.bot_id, session.token, session.base_url = bot["bot_id"], bot["token"], URL
        session.save()
        return session

    async def start(self, data_dir: Path) -> None:
        """All three people have written, and what they wrote is stored."""
        self.worker = Worker(identity=wire_identity(), data_dir=data_dir, pauses=PAUSES)
        self.write(LINA, "hello")
        self.write(MEI, "hello")
        self.control.write(self.other.bot_id, TOM, "hello")
        await self.worker.start()
        await self.until(lambda: Message.objects.count() == 3, "the first messages")

    async def stop(self) -> None:
        await self.worker.stop()

    def spoil(self, endpoint: Endpoint, fault: Fault) -> None:
        self.network.spoil(endpoint, fault)

    def write(self, person: str, text: str, **details: Any) -> None:
        self.control.write(self.victim.bot_id, person, text, **details)

    @in_database
    def reply(self, person: str, text: str, *, file: bytes = b"") -> int:
        """The id of the reply, which goes out whatever this host's clock says of the window."""
        conversation = Conversation.objects.get(contact__user_id=person)
        wish = Wish(text, f"draft {next(self._numbers)}", override=self.clocks.is_ahead)
        user, _ = User.objects.get_or_create(username="wei")
        if file:
            kept = uploads.bring_pieces(owner=user, pieces=[file], file_name="a.txt")
            wish = replace(wish, files=(Wanted(kept.pk),))
        [message] = sending.send(
            user=user, conversation=conversation, wish=wish, limits=team_settings()
        )
        return message.pk

    @in_database
    def decide(self, message_id: int) -> None:
        """As an agent: what may have arrived has arrived, and what was refused is sent again."""
        message = Message.objects.get(pk=message_id)
        if message.status == "unconfirmed" and message.holds_queue:
            services.mark_arrived(message=message, user=None)
        elif message.status == "failed" and message.holds_queue:
            services.send_anyway(message=message, user=None)

    @in_database
    def pause(self, paused: bool) -> None:
        session = Session.objects.get(pk=self.victim.pk)
        set_paused(session=session, paused=paused, user=None)

    @in_database
    def scan_again(self) -> None:
        """The operator scans a new code, because WeChat has ended the session."""
        bot = self.control.bind("Shop A")
        session = Session.objects.get(pk=self.victim.pk)
        with announcing() as change:
            bind(change, session, Credentials(bot["token"], bot["bot_id"], URL, "Shop A"), who=None)
        self.victim = Session.objects.get(pk=session.pk)

    @in_database
    def board(self, session: Session | None = None) -> str:
        """The state that the board shows, and the reason's code."""
        row = Session.objects.get(pk=(session or self.victim).pk)
        health = health_of(row, now=timezone.now())
        return f"{health.state} {health.code}".strip()

    @in_database
    def agent(self, message_id: int) -> str:
        """The status that the agent sees, and the reason's code."""
        row = Message.objects.get(pk=message_id)
        return f"{row.status} {row.error_code}".strip()

    @in_database
    def received(self, text: str) -> int:
        return Message.objects.filter(direction="in", text=text).count()

    async def until(
        self,
        check: Callable[[], Any],
        what: str,
        *,
        within_s: float = 120.0,
        every_s: float = LOOK_S,
    ) -> Any:
        deadline = self.loop.time() + within_s
        check = in_database(check)
        while not (found := check()):
            assert self.loop.time() < deadline, f"not within {within_s} s: {what}"
            await passes(every_s)
        return found

    def sweep_every(self, seconds: float) -> None:
        """How often the worker looks for work by itself."""
        self.worker._sweeping._every_s = seconds
        self.worker.wake()

    async def check_other(self) -> None:
        """Tom writes to the other session, and is answered, as if nothing were wrong."""
        if self.clocks.were_moved:  # a jump looks like a silence until the next poll is answered
            await self.until(lambda: self.board(self.other) == "connected", "heard again")
        assert self.board(self.other) == "connected"
        self.control.write(self.other.bot_id, TOM, "from Tom")
        await self.until(lambda: self.received("from Tom") == 1, "Tom's message", within_s=3)
        reply = self.reply(TOM, "to Tom")
        await self.until(lambda: self.agent(reply) == "sent", "Tom's reply", within_s=12)
        assert self.control.seen(self.other.bot_id, TOM) == ["to Tom"]
        assert self.board(self.other) == "connected"


@contextmanager
def world(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[World]:
    settings.WEILINK_ILINK_URL, settings.WEILINK_CDN_URL = URL, f"{URL}/c2c"
    with virtual_time(monkeypatch) as (loop, clocks):
        wechat = SimulatedWeChat(time_source=clocks.right_s)
        made = World(loop, clocks, wechat)
        for place in ("messaging.receiving.client_pool", "sessions_app.ilink.cdn"):
            monkeypatch.setattr(f"{place}.Transports", lambda: made.network)
        yield made
