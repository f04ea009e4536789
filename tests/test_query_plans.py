"""How the database finds rows: no page and no job reads a large table from end to end.

On SQLite the plan of each statement is asked for; without statistics it takes tables for large.
PostgreSQL reads small tables whole, because that is quicker; there the plan is asked for with such
reads made expensive, so that it shows whether an index could serve.
"""

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from messaging.conversations import leavers
from messaging.delivering import outbox, queue
from messaging.inbox.lists import Sort, View
from messaging.models import Conversation, Message
from messaging.retention import export, forgetting, sweep
from messaging.transfers import downloads, uploading
from messaging.worker import due
from messaging.worker.glance import glance
from sessions_app.models import Session
from sessions_app.team_settings.limits import TeamSettings
from tests.api.callers import Caller, token_of
from tests.conftest import Cast
from tests.messaging.builders import make_session, receive, text_message
from weilink_site.monitoring import database_numbers

LARGE = (
    "messaging_message", "messaging_conversation", "messaging_contact", "messaging_attachment",
    "messaging_rawanswer", "messaging_sendattempt", "messaging_workaction", "messaging_postedkey",
    "messaging_forgotten", "messaging_removal", "sessions_app_context", "sessions_app_sessionevent",
)  # fmt: skip
PEOPLE = 40
WHOLE = re.compile(r"SCAN (\w+)(?: USING INDEX sqlite_autoindex_\w+)?$")
"""Read from end to end, perhaps in the order of its keys. A partial index is another thing."""


def test_the_large_tables_exist() -> None:
    assert set(LARGE) <= {model._meta.db_table for model in apps.get_models()}


@pytest.fixture
def shop(cast: Cast) -> Session:
    session = make_session("Shop A", team=cast.team)
    for number in range(PEOPLE):
        receive(session, text_message(f"hello {number}", sender=f"person-{number}@im.wechat"))
    return session


@pytest.fixture
def read_whole(shop: Session) -> Callable[[Callable[[], object]], list[str]]:
    """The large tables that a call reads from end to end, each with its statement."""

    def of(call: Callable[[], object]) -> list[str]:
        statements: list[tuple[str, Any]] = []

        def keep(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
            statements.append((sql, params))
            return execute(sql, params, many, context)

        with connection.execute_wrapper(keep):
            call()
        found = [one for one in statements if _reads(one[0])]
        return [f"{table}: {sql}" for sql, params in found for table in _whole(sql, params)]

    return of


def _reads(sql: str) -> bool:
    is_read = sql.lstrip("( \n").upper().startswith(("SELECT", "WITH", "UPDATE", "DELETE"))
    return is_read and any(one in sql for one in LARGE)


def _whole(sql: str, params: Any) -> list[str]:
    """With parameters in their places: SQLite uses a partial index only for what is written out."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {sql}", params)
            lines = [line for (line,) in cursor.fetchall()]
            return [
                table for table in LARGE if any(f"Seq Scan on {table} " in one for one in lines)
            ]
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
        lines = [row[3] for row in cursor.fetchall()]
    scanned = [match[1] for line in lines if (match := WHOLE.match(line))]
    names = dict(re.findall(r'"?(\w+)"? (?:AS )?"?([UVTW]\d+)"?', sql))
    aliases = {alias: table for table, alias in names.items()}
    return [name for one in scanned if (name := aliases.get(one, one)) in LARGE]


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("view", View)
def test_each_list(
    client: Client, cast: Cast, read_whole: Callable[..., list[str]], view: View, sort: Sort
) -> None:
    client.force_login(cast.agent)
    assert read_whole(lambda: client.get("/inbox/", {"view": view, "sort": sort})) == []


@pytest.mark.parametrize("who", ["agent", "administrator"])
def test_a_conversation(
    client: Client, cast: Cast, read_whole: Callable[..., list[str]], who: str
) -> None:
    client.force_login(getattr(cast, who))
    newest = Conversation.objects.latest("pk").pk
    assert read_whole(lambda: client.get(f"/inbox/{newest}/")) == []
    assert (
        read_whole(lambda: client.get(f"/inbox/changes/?since=team:1:3&list=&open={newest}")) == []
    )


@pytest.mark.parametrize("words", ["person", "hello", "Customer 0003"])
def test_a_search(
    client: Client, cast: Cast, read_whole: Callable[..., list[str]], words: str
) -> None:
    """A search for words in the middle of a name reads the names of the team's people."""
    client.force_login(cast.agent)
    found = read_whole(lambda: client.get("/inbox/", {"q": words}))
    assert [one for one in found if not one.startswith("messaging_contact")] == []


@pytest.mark.parametrize(
    "place",
    [
        "/messages?limit=200", "/messages?after=5", "/messages?direction=in",
        "/messages?session=Shop A", "/messages?user=person-1@im.wechat", "/conversations",
        "/conversations?limit=10", "/status", "/contacts/person-1@im.wechat",
    ],
)  # fmt: skip
def test_the_api(cast: Cast, read_whole: Callable[..., list[str]], place: str) -> None:
    caller = Caller(token_of(cast.administrator))
    assert read_whole(lambda: caller.get(place)) == []


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL knows what a limit saves")
@pytest.mark.parametrize("place", ["", "?limit=200", "?after=5", "?direction=in"])
def test_the_next_messages_are_found_without_sorting_all(
    cast: Cast, shop: Session, place: str
) -> None:
    """150 programs at once made SQLite read and sort all messages in 150 threads."""
    caller = Caller(token_of(cast.administrator))
    with CaptureQueriesContext(connection) as captured:
        assert len(caller.get(f"/messages{place}").body["items"]) > 30
    [sql] = [one["sql"] for one in captured if 'ORDER BY "messaging_message"."id"' in one["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        plan = [row[3] for row in cursor.fetchall()]
    assert not [step for step in plan if "TEMP B-TREE" in step], plan


def test_the_jobs_of_the_worker(read_whole: Callable[..., list[str]], shop: Session) -> None:
    now = timezone.now()
    assert read_whole(lambda: glance("nobody", now)) == []
    jobs: list[Callable[[], object]] = [
        lambda: due.look(now),
        lambda: outbox.claim_next("nobody", limit=100),
        lambda: outbox.disown_lost(),
        lambda: downloads.claim("nobody", running=Counter(), room=4, per_session=2),
        lambda: downloads.take_back_lost(),
        lambda: uploading.claim("nobody", busy=[], room=4),
        lambda: leavers.release_all(),
        lambda: list(queue.ready(now)[:100]),
    ]
    assert [found for job in jobs for found in read_whole(job)] == []


def test_each_step_of_the_sweep(
    read_whole: Callable[..., list[str]], shop: Session, cast: Cast
) -> None:
    """Also where something is deleted, with all that refers to it."""
    long_ago = timezone.now() - timedelta(days=5_000)
    limits = TeamSettings(message_days=30, media_days=30)
    jobs = list(sweep.steps(timezone.now(), limits))
    assert len(jobs) == 11
    half = list(Message.objects.order_by("id").values_list("id", flat=True)[: PEOPLE // 2])
    Message.objects.filter(pk__in=half).update(stored_at=long_ago)
    Conversation.objects.filter(messages__in=half).update(last_at=long_ago)
    assert [found for job in jobs for found in read_whole(job)] == []
    assert Message.objects.count() == PEOPLE - len(half)
    assert read_whole(forgetting.go_on) == []


def test_forgetting_a_person(read_whole: Callable[..., list[str]], shop: Session) -> None:
    assert read_whole(lambda: forgetting.forget("person-3@im.wechat")) == []
    assert read_whole(lambda: list(export.archive("person-4@im.wechat"))) == []


def test_a_scrape_of_the_metrics(read_whole: Callable[..., list[str]]) -> None:
    assert read_whole(lambda: database_numbers.count(timezone.now())) == []


def test_what_is_found_without_an_index_is_noticed(read_whole: Callable[..., list[str]]) -> None:
    [found] = read_whole(lambda: list(Message.objects.filter(text="x").order_by()))
    assert found.startswith("messaging_message: ")
