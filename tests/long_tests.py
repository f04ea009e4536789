"""Which tests `make test` leaves to `make test-long`: it takes ten minutes at most on two cores.

Left out is what starts processes and servers of its own, and what drives Chromium, but for the
ways that everybody goes: a first start, a first session, an answer, two agents at one conversation.
"""

from pathlib import Path

FOLDERS = frozenset({"processes", "services", "browser"})
NOT_LONG = frozenset(
    {
        "test_demo", "test_start",
        "test_first_session", "test_main_path", "test_answering", "test_keyboard_day",
        "test_two_agents", "test_own_access",
    }
)  # fmt: skip


def is_long(path: Path) -> bool:
    return path.parent.name in FOLDERS and path.stem not in NOT_LONG
