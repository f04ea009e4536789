"""One figure of a benchmark, its goal, and how all of them are shown."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path


@dataclass(frozen=True)
class Goal:
    """A limit on a machine of usual speed.

    `plus`: the floor of the same run, which the limit is added to; it is never scaled.
    `is_scaled`: the limit is time or a rate, so that it follows the machine's speed.
    """

    limit: float
    plus: float = 0.0
    at_least: bool = False
    is_scaled: bool = True

    def at(self, slowness: float) -> float:
        """The limit on a machine that takes `slowness` times as long as a usual one."""
        factor = 1.0 if not self.is_scaled else 1 / slowness if self.at_least else slowness
        return self.plus + self.limit * factor


@dataclass(frozen=True)
class Figure:
    """`line`: the benchmark. `floor`: what cannot be undercut here, measured in the same run.

    `slowness`: of the machine while this was measured; filled in by whoever runs the line.
    """

    line: str
    what: str
    value: float
    unit: str
    goal: Goal | None = None
    floor: float | None = None
    notes: str = ""
    slowness: float = 1.0

    @property
    def limit(self) -> float | None:
        return None if self.goal is None else self.goal.at(self.slowness)

    @property
    def is_reached(self) -> bool:
        if self.goal is None:
            return True
        limit = self.goal.at(self.slowness)
        return self.value >= limit if self.goal.at_least else self.value <= limit

    def on(self, slowness: float) -> "Figure":
        return replace(self, slowness=slowness)


HEAD = ("line", "what", "floor", "measured", "goal, scaled", "reached", "notes")


def table(figures: Sequence[Figure]) -> str:
    lines = [HEAD, *(_cells(one) for one in figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def _cells(one: Figure) -> tuple[str, ...]:
    floor = "" if one.floor is None else f"{_short(one.floor)} {one.unit}"
    goal = reached = ""
    if one.goal is not None and one.limit is not None:
        goal = f"{'≥' if one.goal.at_least else '≤'} {_short(one.limit)} {one.unit}"
        reached = "yes" if one.is_reached else "NO"
    measured = f"{_short(one.value)} {one.unit}"
    return (one.line, one.what, floor, measured, goal, reached, one.notes)


def _short(value: float) -> str:
    """Three digits that count; whole numbers from a hundred up."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def write_json(figures: Sequence[Figure], facts: dict[str, object], path: Path) -> None:
    rows = [asdict(one) | {"limit": one.limit, "is_reached": one.is_reached} for one in figures]
    path.parent.mkdir(parents=True, exist_ok=True)
    found = json.dumps({**facts, "figures": rows}, indent=2, ensure_ascii=False)
    path.write_text(found + "\n", encoding="utf-8")


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all values stay under."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]
