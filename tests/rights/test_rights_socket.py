"""The websocket's rows of docs/rights.md: what every page may say, and what it hears.

Real consumers join a real hub; its database work runs in the test's own thread and transaction.
"""

import json
from collections import defaultdict
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.contrib.auth.models import AnonymousUser

from messaging.models import Conversation
from messaging.push.content import InboxContent
from sessions_app.models import Team, User
from sessions_app.people.roles import Role
from sessions_app.realtime import consumers, hub
from sessions_app.realtime.consumers import UNAUTHORISED, LiveConsumer
from sessions_app.realtime.frames import Span
from sessions_app.realtime.hub import Hub
from sessions_app.realtime.streams import numbers_of
from tests.conftest import make_user
from tests.messaging.builders import make_session, receive, text_message
from tests.rights import table
from tests.rights.table import COLUMNS, ELSEWHERE, SOCKET, STRANGER
from weilink_site.pages.origins import own_origin

pytestmark = pytest.mark.django_db

WHISPERED = "whispered words"


class InThisThread:
    """A database thread that is the test's own."""

    def __init__(self, _name: str) -> None: ...

    async def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        return await sync_to_async(function)(*arguments)

    def close(self) -> None: ...


class Page(LiveConsumer):
    """A socket that keeps what is sent to it."""

    def __init__(self, user: User | AnonymousUser) -> None:
        super().__init__(content=InboxContent)
        session = SimpleNamespace(session_key=f"session of {user}")
        self.scope: dict[str, Any] = {"user": user, "session": session, "cookies": {}}
        self.heard: list[str] = []
        self.closed_with: int | None = None

    async def accept(self, *_arguments: Any, **_options: Any) -> None: ...

    async def send(self, text_data: str = "", *_arguments: Any, **_options: Any) -> None:
        self.heard.append(text_data)

    async def close(self, code: int | None = None, *_arguments: Any, **_options: Any) -> None:
        self.closed_with = code

    @property
    def kinds(self) -> set[str]:
        return {json.loads(one)["type"] for one in self.heard}


def _people() -> dict[tuple[str, str], User | AnonymousUser]:
    """(column of the role, "" or another team) → the user."""
    team, other = Team.objects.get(name="Everyone"), Team.objects.create(name="Other team")
    found: dict[tuple[str, str], User | AnonymousUser] = {}
    for role in Role:
        found[role, ""] = make_user(f"{role}-ours", role, team)
        if role != Role.ADMINISTRATOR:
            found[role, ELSEWHERE] = make_user(f"{role}-theirs", role, other)
    found["no role", ""] = make_user("nothing", None, team)
    found[STRANGER, ""] = AnonymousUser()
    return found


async def _everything_happens(pages: dict[tuple[str, str], Page], monkeypatch: Any) -> None:
    """Each kind of message once, about our team or about everybody."""
    made = Hub(InboxContent())
    monkeypatch.setattr(consumers, "hub_of_process", lambda _content: made)
    monkeypatch.setattr(hub, "rights_now", lambda logins: {p.login: p.rights for p in joined})
    team, conversation = await sync_to_async(_ours)()
    joined: list[Page] = []
    for page in pages.values():
        await page.connect()
        if page.closed_with is None:
            joined.append(page)
            shown = {"type": "showing", "kind": "inbox", "list": "", "open": str(conversation)}
            await page.receive(json.dumps(shown))
            await page.receive(json.dumps({"type": "beat"}))
    key = f"team:{team}"
    numbers = await sync_to_async(numbers_of)([key])
    made._sent[key], made._heard[key] = 0, numbers[key]
    made._about[key] = {f"conversation:{conversation}"}
    await made._check_rights()
    await made._send_stream(key)
    await made._pass_on(key, {"about": "typing", "conversation": conversation})
    await made._send_counts(list(made._pages))
    await made._hint(list(made._followers[key]), Span(key, 0, 1, frozenset({"other"})))
    await made._tell_trouble(hub.DATABASE, True)
    for page in joined:
        await page._say({"type": "beat", "streams": made.numbers(page.rights.keys)})
        assert page._answered
        await page.reload()
    for page in pages.values():
        await page.disconnect(1000)


def _ours() -> tuple[int, int]:
    """Our team, and its conversation."""
    team = Team.objects.get(name="Everyone")
    receive(make_session("Shop A", team=team), text_message(WHISPERED))
    return team.pk, Conversation.objects.get().pk


def test_every_page_hears_and_says_what_the_table_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "DatabaseThread", InThisThread)
    monkeypatch.setattr(consumers, "database_sync_to_async", sync_to_async)
    pages = {who: Page(user) for who, user in _people().items()}
    async_to_sync(_everything_happens)(pages, monkeypatch)
    rows = [row for row in table.rows() if row.address.startswith(SOCKET)]
    known = {(row.methods[0], row.address.removeprefix(SOCKET)) for row in rows}
    assert known == table.socket_kinds() | {("says", "connect")}
    wrong = []
    found: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for (role, where), page in pages.items():
        for way, kind in known:
            took_part = page.closed_with is None or page.closed_with != UNAUTHORISED
            is_so = kind in page.kinds if way == "hears" else took_part
            found[way, kind][where or role] = "yes" if is_so else "–"
            row = next(one for one in rows if one.address == SOCKET + kind)
            own = row.cells[role]
            cell = row.cells[ELSEWHERE] if where and own == "yes" else own
            if is_so != (cell in ("yes", "own")):
                wrong.append(f"{row.address}: {role} {where} {'does' if is_so else 'does not'}")
        if where == ELSEWHERE:
            assert WHISPERED not in "".join(page.heard), role
    made = [
        f"| {way} | `{SOCKET}{kind}` | {' | '.join(cells.get(one, '–') for one in COLUMNS)} |"
        for (way, kind), cells in sorted(found.items())
    ]
    assert not wrong, "\n".join([*wrong, "as it is now:", *made])
    ours = [pages[role, ""] for role in (Role.SUPERVISOR, Role.AGENT, Role.VIEWER)]
    assert all(WHISPERED in "".join(page.heard) for page in ours)


@pytest.mark.parametrize("origin", [b"https://evil.example", b"null", b""])
def test_a_page_of_another_site_opens_no_socket(origin: bytes) -> None:
    assert not own_origin({"headers": [(b"origin", origin), (b"host", b"localhost:8000")]})
