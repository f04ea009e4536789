"""What the doctor found, as text or as JSON. Needs no Django, because the settings may be wrong."""

import importlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

from weilink_site.version import product_version


class Status(StrEnum):
    OK = "ok"
    LOOK = "look"
    """It works; somebody should look at it all the same."""
    WRONG = "wrong"
    SKIPPED = "skipped"
    """It could not be checked, because of something else that is wrong."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `advice`: what to do, for everything that is not ok."""

    name: str
    status: Status
    sentence: str
    advice: str = ""


def is_wrong(findings: Sequence[Finding]) -> bool:
    return any(one.status is Status.WRONG for one in findings)


def as_text(findings: Sequence[Finding]) -> str:
    lines = []
    for one in findings:
        sign = one.status.upper() if one.status is Status.WRONG else one.status.value
        lines.append(f"{sign:<8} {one.name:<10} {one.sentence}")
        if one.advice:
            lines.append(f"{'':<19} → {one.advice}")
    wrong = sum(one.status is Status.WRONG for one in findings)
    looks = sum(one.status is Status.LOOK for one in findings)
    verdict = f"{wrong} of {len(findings)} checks found something wrong." if wrong else ""
    verdict = verdict or "Nothing is wrong."
    if looks:
        verdict += f" Look at {looks}."
    return "\n".join([*lines, verdict])


def as_json(findings: Sequence[Finding]) -> str:
    whole = {
        "ok": not is_wrong(findings),
        "version": product_version(),
        "checks": [asdict(one) for one in findings],
    }
    return json.dumps(whole, ensure_ascii=False, indent=2)


def end_if_settings_are_wrong(*, wants_json: bool) -> None:
    """Load the settings. If they stop the process, report that and exit with status 1."""
    try:
        importlib.import_module(os.environ["DJANGO_SETTINGS_MODULE"])
    except SystemExit as stopped:
        findings = [
            Finding("settings", Status.WRONG, line, "Correct it; nothing else was checked.")
            for line in str(stopped).splitlines()
        ]
        words = as_json(findings) if wants_json else as_text(findings)
        sys.stdout.write(f"{words}\n")
        sys.exit(1)
