"""Runs all checks at the same time, so that one that hangs costs only its own limit."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence

from weilink_site.doctor import checks, network
from weilink_site.doctor.report import Finding, Status

LIMIT_S = 8.0
"""For all checks together. A database that is away gives up after 5 s."""

Check = Callable[[], Iterable[Finding]]
ALL: tuple[tuple[str, Check], ...] = (
    ("settings", checks.check_settings),
    ("database", checks.check_database),
    ("redis", checks.check_redis),
    ("disk", checks.check_disk),
    ("folder", checks.check_folder),
    ("ilink", network.check_ilink),
    ("cdn", network.check_cdn),
)


class _Running(threading.Thread):
    """One check in a thread that does not keep the process alive."""

    def __init__(self, name: str, check: Check) -> None:
        super().__init__(name=f"doctor {name}", daemon=True)
        self.check_name = name
        self.findings: list[Finding] = []
        self._check = check
        self.start()

    def run(self) -> None:
        try:
            self.findings += self._check()
        except Exception as error:
            # A bug in one check must not hide what the others found.
            words = f"This could not be checked ({type(error).__name__}: {error})."
            self.findings.append(Finding(self.check_name, Status.WRONG, words, "Report this."))

    def result(self, deadline: float) -> list[Finding]:
        self.join(max(0.0, deadline - time.monotonic()))
        if not self.is_alive():
            return self.findings
        words = f"No answer within {LIMIT_S:.0f} s."
        advice = "Check the network, DNS and the settings of this part."
        return [Finding(self.check_name, Status.WRONG, words, advice)]


def examine(
    all_checks: Sequence[tuple[str, Check]] = ALL, limit_s: float = LIMIT_S
) -> list[Finding]:
    running = [_Running(name, check) for name, check in all_checks]
    deadline = time.monotonic() + limit_s
    return [finding for one in running for finding in one.result(deadline)]
