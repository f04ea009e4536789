"""`python -m tests.bench [LINE …]`: a table on stdout, the same as JSON beside it.

Without a name all lines run that a small machine finishes in a quarter of an hour.
"""

import argparse
import asyncio
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType

from tests.bench import machine
from tests.bench.bench import Bench, Line
from tests.bench.console.stage import Servers, prepare
from tests.bench.figures import Figure, table, write_json
from tests.bench.lines.all import LINES
from tests.bench.processes import allow_many_connections

DEFAULT = Path("var/bench.json")
KEPT = Path("var/bench")
POSTGRESQL = "postgresql://postgres@127.0.0.1:5432"
REDIS = "redis://127.0.0.1:6379/9"


def options_of(arguments: Sequence[str]) -> argparse.Namespace:
    listed = "\n".join(
        f"  {one.name:8} {one.about}{'  (only by name)' if one.is_long else ''}" for one in LINES
    )
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description=__doc__,
        epilog=f"lines:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("lines", nargs="*", metavar="LINE", help="as listed below")
    parser.add_argument("--json", type=Path, default=DEFAULT, help="where the figures go")
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of each load: shows only that lines work"
    )
    parser.add_argument("--check", action="store_true", help="exit status 1 if a goal is missed")
    parser.add_argument(
        "--servers", action="store_true", help="on PostgreSQL and Redis instead of SQLite"
    )
    parser.add_argument(
        "--postgresql", default=os.environ.get("BENCH_POSTGRESQL", POSTGRESQL),
        help="a server on which a database can be made (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--redis", default=os.environ.get("BENCH_REDIS", REDIS), help="(%(default)s)"
    )
    options = parser.parse_args(arguments)
    known = {one.name for one in LINES}
    if unknown := set(options.lines) - known:
        parser.error(f"no such line: {', '.join(sorted(unknown))}")
    return options


def chosen(names: Sequence[str]) -> list[Line]:
    return [one for one in LINES if (one.name in names if names else not one.is_long)]


async def measured(line: Line, bench: Bench) -> list[Figure]:
    """Its figures, with the machine's speed before and after; or one that says why it failed."""
    before = machine.additions_s()
    began = time.monotonic()
    try:
        figures = await line.measure(bench)
    except Exception as error:
        traceback.print_exc()
        return [Figure(line.name, f"failed: {error!r:.300}", float("nan"), "")]
    slowness = (before + machine.additions_s()) / 2 / machine.USUAL_S
    took = time.monotonic() - began
    print(f"{line.name}: {took:.0f} s, machine {slowness:.2f} × 0.65 s", file=sys.stderr)
    return [one.on(slowness) for one in figures]


async def run(options: argparse.Namespace) -> list[Figure]:
    services = Servers(options.postgresql, options.redis)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="weilink-bench-") as name:
        prepared = KEPT.absolute() / "prepared"
        prepared.mkdir(parents=True, exist_ok=True)
        await asyncio.to_thread(prepare, prepared)
        servers = services if options.servers else Servers()
        bench = Bench(Path(name), KEPT, prepared, servers, services, options.quick)
        for line in chosen(options.lines):
            found = await measured(line, bench)
            print(table(found), end="\n\n", file=sys.stderr, flush=True)
            figures += found
    return figures


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """SIGTERM ends a run as Ctrl+C does, so that its processes end as well."""
    signal.raise_signal(signal.SIGINT)


def main() -> int:
    options = options_of(sys.argv[1:])
    allow_many_connections()
    signal.signal(signal.SIGTERM, _interrupt)
    figures = asyncio.run(run(options))
    facts: dict[str, object] = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine.description(),
        "ten_million_additions_s": round(machine.additions_s(), 3),
        "load": machine.load(),
        "quick": options.quick,
        "database": "PostgreSQL and Redis" if options.servers else "SQLite",
    }
    print("; ".join(f"{name.replace('_', ' ')}: {value}" for name, value in facts.items()))
    print(table(figures))
    write_json(figures, facts, options.json)
    print(f"\n{options.json}")
    return 1 if options.check and not all(one.is_reached for one in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
