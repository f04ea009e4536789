"""`python -m tests.supply.audit FILE…`: known vulnerabilities of the locked packages.

Exit status 1 if a package has one. Where the advisories cannot be reached, that is said in one
sentence, and the status is 0 unless REQUIRE_ADVISORIES=1: a build without a network still passes.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

WITHIN_S = 150
ANSWER_S = 15
"""What one answer of the service may take."""


@dataclass(frozen=True, slots=True)
class Audited:
    """`found`: one line for each vulnerability. `unknown`: packages without an answer."""

    checked: int = 0
    unknown: int = 0
    found: list[str] = field(default_factory=list)


def audit(file: str) -> Audited | None:
    """None if no advisory could be reached."""
    command = [
        sys.executable, "-m", "pip_audit", "--requirement", file, "--disable-pip", "--no-deps",
        "--format", "json", "--progress-spinner", "off", "--timeout", str(ANSWER_S),
    ]  # fmt: skip
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=WITHIN_S
        )
    except subprocess.TimeoutExpired:
        return None
    return read(done.stdout)


def read(output: str) -> Audited | None:
    """What pip-audit says in JSON."""
    try:
        packages: list[dict[str, Any]] = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return None
    known = [one for one in packages if "skip_reason" not in one]
    if not known:
        return None
    found = [
        f"{one['name']} {one['version']}: {flaw['id']}, fixed in "
        f"{', '.join(flaw['fix_versions']) or 'no version yet'}"
        for one in known
        for flaw in one.get("vulns", [])
    ]
    return Audited(len(known), len(packages) - len(known), found)


def main(files: Sequence[str], *, is_required: bool) -> int:
    status = 0
    for file in files:
        audited = audit(file)
        if audited is None:
            print(f"{file}: the advisories cannot be reached from here, so NOTHING was checked.")
            status = max(status, int(is_required))
            continue
        print(f"{file}: {audited.checked} packages checked, {audited.unknown} without an answer.")
        print(*audited.found, sep="\n", end="\n" if audited.found else "")
        if audited.found or (audited.unknown and is_required):
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], is_required=os.environ.get("REQUIRE_ADVISORIES") == "1"))
