"""One figure of a benchmark, and how all of them are shown."""

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """`most`: the goal, which the value must stay under; None: none is set. `notes`: the rest."""

    name: str
    value: float
    unit: str
    most: float | None = None
    notes: str = ""

    @property
    def is_good(self) -> bool:
        return self.most is None or self.value < self.most


def table(figures: Sequence[Figure]) -> str:
    lines = [("benchmark", "value", "goal", "", "notes")]
    for one in figures:
        goal = "" if one.most is None else f"< {one.most:g} {one.unit}"
        verdict = "" if one.most is None else "ok" if one.is_good else "MISSED"
        lines.append((one.name, f"{one.value:.1f} {one.unit}", goal, verdict, one.notes))
    widths = [max(len(line[column]) for line in lines) for column in range(5)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def write_json(figures: Sequence[Figure], path: Path) -> None:
    found = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "figures": [asdict(one) | {"is_good": one.is_good} for one in figures],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n")
