"""How long the server takes for the pages of the inbox, on a crowd.

    python -m tests.bench.list_pages FOLDER [--database URL] [--each N]

FOLDER holds a crowd of `tests.bench.crowd`; what is not there yet is made. Each request goes
through the whole Django stack, middleware and templates, in this process; what is measured is the
time from the request to the last byte of its answer. Writes FOLDER/list_pages.json.
"""

import argparse
import json
import platform
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.bench import crowd

if TYPE_CHECKING:
    from django.test import Client

PROMISED_MS = 50.0
HTMX = {"HX-Request": "true"}
Ask = Callable[["Client"], Any]


def asks(dice: random.Random) -> dict[str, Ask]:
    """What an agent's browser asks for, each with other numbers every time."""
    from messaging.inbox.lists import Sort, View
    from sessions_app.models import Team

    views, sorts = list(View), list(Sort)
    nothing_new = ",".join(f"team:{team.pk}:{10**12}" for team in Team.objects.all())

    def listing() -> str:
        return f"view={dice.choice(views).value}"

    def number() -> int:
        return dice.randrange(1, 70_000)

    def fragment(client: "Client", query: str) -> Any:
        headers = {**HTMX, "HX-Target": "list-pane"}
        return client.get(f"/inbox/?{query}", headers=headers)

    def more(client: "Client") -> Any:
        from urllib.parse import quote

        at = f"2026-{dice.randrange(1, 10):02d}-01T00:00:00+00:00"
        return client.get(f"/inbox/?before={quote(f'0~{at}~{number()}')}", headers=HTMX)

    def pane(client: "Client") -> Any:
        headers = {**HTMX, "HX-Target": "conversation-pane"}
        return client.get(f"/inbox/{_mine(client, number())}/", headers=headers)

    return {
        "the inbox as a page": lambda client: client.get("/inbox/"),
        "a view of it": lambda client: fragment(client, listing()),
        "a sort of it": lambda client: fragment(
            client, f"{listing()}&sort={dice.choice(sorts).value}"
        ),
        "one session": lambda client: fragment(
            client, f"{listing()}&session=Shop {dice.randrange(60):03d}"
        ),
        "one label": lambda client: fragment(
            client, f"{listing()}&label=Label {dice.randrange(crowd.LABELS)}"
        ),
        "one agent": lambda client: fragment(
            client, f"view=all&agent=agent{dice.randrange(crowd.AGENTS):02d}"
        ),
        "the next rows": more,
        "a thread": pane,
        "a thread as a page": lambda client: client.get(f"/inbox/{_mine(client, number())}/"),
        "the long thread": lambda client: client.get(
            "/inbox/1/", headers={**HTMX, "HX-Target": "conversation-pane"}
        ),
        "what changed": lambda client: client.get(
            f"/inbox/changes/?since={nothing_new}&list=view%3Dneeds_reply", headers=HTMX
        ),
    }


def _mine(client: "Client", number: int) -> int:
    """The conversation of this number, or the next one that the reader may see."""
    from messaging.conversations.access import conversations_of
    from sessions_app.models import User

    reader = User.objects.get(pk=client.session["_auth_user_id"])
    rows = conversations_of(reader).filter(pk__gte=number).order_by("pk")
    return int(rows.values_list("pk", flat=True)[0])


def measure(each: int) -> list[dict[str, Any]]:
    """p50 and p95 in ms per kind of request and reader."""
    from django.test import Client

    from sessions_app.models import User

    results = []
    for name in ("agent00", "boss"):
        client = Client(headers={"host": "localhost", "accept-encoding": "gzip"})
        client.force_login(User.objects.get(username=name))
        for what, ask in asks(random.Random(7)).items():
            for _ in range(5):
                ask(client)
            timed = [_timed(client, ask) for _ in range(each)]
            took, cpu = (sorted(column) for column in zip(*timed, strict=True))
            results.append(
                {
                    "reader": name,
                    "request": what,
                    "p50_ms": round(took[len(took) // 2], 1),
                    "p95_ms": round(took[int(len(took) * 0.95)], 1),
                    "p95_cpu_ms": round(cpu[int(len(cpu) * 0.95)], 1),
                    "count": each,
                }
            )
    return results


def _timed(client: "Client", ask: Ask) -> tuple[float, float]:
    """Time by the clock and of the processor, of the handler alone, in ms.

    The second says what the first would be on a machine with nothing else to do (SQLite works in
    this thread; of PostgreSQL it leaves the server out).
    """
    answer = ask(client)
    assert answer.status_code == 200, answer.status_code
    meta = answer.wsgi_request.META
    return float(meta["bench.took_ms"]), float(meta["bench.cpu_ms"])


def watch_requests() -> None:
    """Note in each request how long the whole handler took for it."""
    from django.core.handlers.base import BaseHandler

    inner = BaseHandler.get_response

    def timed(self: BaseHandler, request: Any) -> Any:
        began, cpu = time.perf_counter(), time.thread_time()
        response = inner(self, request)
        if hasattr(response, "render"):
            response.render()
        request.META["bench.took_ms"] = (time.perf_counter() - began) * 1000
        request.META["bench.cpu_ms"] = (time.thread_time() - cpu) * 1000
        return response

    BaseHandler.get_response = timed  # type: ignore[method-assign]


def run(folder: Path, database: str, each: int) -> bool:
    """Prints the table, writes the JSON; False if the promise is broken somewhere."""
    crowd.begin(folder, database)
    from django.db import connection

    from messaging.models import Conversation, Message

    if "messaging_conversation" not in connection.introspection.table_names():
        crowd.make_crowd(100_000, 1_000_000)
    watch_requests()
    rows = measure(each)
    facts = {
        "database": connection.vendor,
        "conversations": Conversation.objects.count(),
        "messages": Message.objects.count(),
        "machine": platform.platform(),
        "promised_p95_ms": PROMISED_MS,
        "rows": rows,
    }
    name = f"list_pages_{connection.vendor}.json"
    (folder / name).write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    found = f"{facts['conversations']} conversations, {facts['messages']} messages"
    print(f"{facts['database']}, {found}; ms: p50, p95, p95 of the processor")
    for row in rows:
        times = f"{row['p50_ms']:7} {row['p95_ms']:7} {row['p95_cpu_ms']:7}"
        print(f"{row['reader']:8} {row['request']:22} {times}")
    return all(row["p95_ms"] < PROMISED_MS for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--database", default="")
    parser.add_argument("--each", type=int, default=100)
    options = parser.parse_args()
    if not run(options.folder, options.database, options.each):
        raise SystemExit(f"some request took {PROMISED_MS} ms or longer in the 95th percentile")


if __name__ == "__main__":
    main()
