"""B9: pages of a large installation through the server, alone and with 20 readers clicking."""

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Callable
from urllib.parse import quote

from tests.bench.bench import Bench
from tests.bench.console.stage import Stage
from tests.bench.crowd import AGENTS, LABELS, SESSIONS, TEAM_SHARES
from tests.bench.figures import Figure, Goal, percentile
from tests.bench.page.client import Arrivals
from tests.bench.page.http import Connection
from tests.bench.processes import run

CONVERSATIONS, MESSAGES = 100_000, 1_000_000
EACH = 60
READERS, CLICKING_S, THINKING_S = 20, 40.0, (0.5, 1.5)
IN_FIRST_TEAM = AGENTS * TEAM_SHARES[0] // 100
HTMX = {"HX-Request": "true"}
LIST_PANE = {**HTMX, "HX-Target": "list-pane"}
CONVERSATION_PANE = {**HTMX, "HX-Target": "conversation-pane"}
VIEWS = ("", "needs_reply", "mine", "unassigned", "snoozed", "resolved", "all")
Click = Callable[[], tuple[str, dict[str, str]]]


class Clicks:
    """What an agent of the largest team clicks, with other numbers every time."""

    def __init__(self, conversations: list[int], seed: int) -> None:
        self._dice = random.Random(seed)
        self._conversations = conversations
        self.kinds: dict[str, Click] = {
            "the inbox as a page": lambda: ("/inbox/", {}),
            "a view of it": lambda: (f"/inbox/?view={self._dice.choice(VIEWS)}", LIST_PANE),
            "one session": lambda: (
                f"/inbox/?session=Shop%20{self._dice.randrange(60):03d}",
                LIST_PANE,
            ),
            "one label": lambda: (
                f"/inbox/?label=Label%20{self._dice.randrange(LABELS)}",
                LIST_PANE,
            ),
            "one agent": lambda: (
                f"/inbox/?view=all&agent=agent{self._dice.randrange(IN_FIRST_TEAM):02d}",
                LIST_PANE,
            ),
            "the next rows": self._more,
            "a thread": lambda: (f"/inbox/{self._one()}/", CONVERSATION_PANE),
            "a thread as a page": lambda: (f"/inbox/{self._one()}/", {}),
            "the long thread": lambda: ("/inbox/1/", CONVERSATION_PANE),
            "what changed": lambda: ("/inbox/changes/?since=team:1:999999999", HTMX),
        }

    def _one(self) -> int:
        return self._dice.choice(self._conversations)

    def _more(self) -> tuple[str, dict[str, str]]:
        at = f"2026-{self._dice.randrange(1, 10):02d}-01T00:00:00+00:00"
        return f"/inbox/?before={quote(f'0~{at}~{self._one()}')}", HTMX

    def any(self) -> tuple[str, Click]:
        return self._dice.choice(list(self.kinds.items()))

    def think_s(self) -> float:
        return self._dice.uniform(*THINKING_S)


async def timed(line: Connection, click: Click) -> float:
    """Milliseconds from the request to the last byte of its answer."""
    path, headers = click()
    began = time.monotonic()
    answer = await line.get(path, headers)
    assert answer.status == 200, f"{path}: {answer.status}"
    return (time.monotonic() - began) * 1000


async def crowd_pages(bench: Bench) -> list[Figure]:
    """The crowd is kept between runs, since it takes minutes; one of another size is used too."""
    async with bench.wechat(SESSIONS) as wechat:
        folder = bench.kept.absolute() / ("small-crowd" if bench.is_quick else "crowd")
        folder.mkdir(parents=True, exist_ok=True)
        async with Stage(folder, bench.prepared, wechat, servers=bench.servers) as stage:
            await _make_crowd(bench, stage)
            await stage.fill(sessions=SESSIONS, keep=True)
            stage.cookies = stage.cookies[:IN_FIRST_TEAM]
            await stage.ready()
            await asyncio.sleep(5)
            found = stage.rows(
                "SELECT id FROM messaging_conversation WHERE id % 41 = 0 AND team_id ="
                " (SELECT id FROM sessions_app_team WHERE name = 'Everyone')"
            )
            conversations = [int(row[0]) for row in found]
            [(messages,)] = stage.rows("SELECT COUNT(*) FROM messaging_message")
            alone = await _alone(stage, conversations)
            busy, cores = await _with_readers(stage, conversations)
    every = [took for times in busy.values() for took in times]
    return [
        _worst("alone", alone, 50),
        Figure(
            "B9", f"pages with {READERS} readers clicking: 95th", percentile(every, 0.95), "ms",
            Goal(120),
            notes=f"{messages:,} messages; {len(every)} clicks, "
            f"{len(every) / CLICKING_S:.0f}/s, {cores:.2f} cores",
        ),
        _worst(f"with {READERS} readers", busy, None),
    ]  # fmt: skip


def _worst(what: str, times: dict[str, list[float]], goal_ms: float | None) -> Figure:
    ninety_fifths = {kind: percentile(took, 0.95) for kind, took in times.items()}
    kind = max(ninety_fifths, key=lambda one: ninety_fifths[one])
    median = percentile([took for one in times.values() for took in one], 0.5)
    return Figure(
        "B9", f"pages {what}: slowest kind, 95th", ninety_fifths[kind], "ms",
        None if goal_ms is None else Goal(goal_ms),
        notes=f"{kind}; median of all {median:.0f} ms",
    )  # fmt: skip


async def _make_crowd(bench: Bench, stage: Stage) -> None:
    database: tuple[str, ...] = ()
    conversations, messages = bench.load(CONVERSATIONS), bench.load(MESSAGES)
    sizes = ("--conversations", str(conversations), "--messages", str(messages))
    if stage.servers.postgresql:
        stage.create_database()
        database = ("--database", stage.database_url)
    elif stage.database.exists():
        return
    await asyncio.to_thread(
        run, "-m", "tests.bench.crowd", str(stage.folder), *sizes, *database, within_s=3_600
    )


async def _alone(stage: Stage, conversations: list[int]) -> dict[str, list[float]]:
    clicks, line = Clicks(conversations, 7), Connection(stage.port, {"Cookie": stage.cookies[0]})
    found: dict[str, list[float]] = {}
    for kind, click in clicks.kinds.items():
        for _ in range(3):
            await timed(line, click)
        found[kind] = [await timed(line, click) for _ in range(EACH)]
    await line.close()
    return found


async def _with_readers(
    stage: Stage, conversations: list[int]
) -> tuple[dict[str, list[float]], float]:
    """Times by kind, and how many cores the console used. Each reader has a live page as well."""
    pages = await stage.open_pages(READERS, Arrivals())
    found: dict[str, list[float]] = defaultdict(list)
    before = stage.use()

    async def read(number: int) -> None:
        clicks = Clicks(conversations, number)
        cookie = stage.cookies[number % len(stage.cookies)]
        line, end = Connection(stage.port, {"Cookie": cookie}), time.monotonic() + CLICKING_S
        await asyncio.sleep(clicks.think_s())
        while time.monotonic() < end:
            kind, click = clicks.any()
            found[kind].append(await timed(line, click))
            await asyncio.sleep(clicks.think_s())
        await line.close()

    await asyncio.gather(*(read(number) for number in range(READERS)))
    cores = stage.use().cores_since(before)
    await asyncio.gather(*(page.close() for page in pages))
    return dict(found), cores
