"""No test sleeps for a fixed time: it waits until something is there, or moves a clock on."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
A_TURN_S = 0.05
"""An asyncio.sleep() of at most this lets other tasks run; a longer one waits."""

ALLOWED = {
    # Each of these looks again and again until something holds.
    ("browser/demo_process.py", "_until_ready"): "until the demo answers",
    ("faults/virtual_time.py", "passes"): "in virtual time, which nobody sits through",
    ("browser/until.py", "until"): "Playwright passes on events only while it waits itself",
    ("lively_shop.py", "_until"): "until the console has done what the story says",
    ("processes/child.py", "wait_for"): "until a fact of another process",
    ("services/streams_on_postgresql.py", "_until_somebody_waits"): "until a lock is waited for",
    ("sessions_app/sdk/conftest.py", "until"): "until a fact of the simulated WeChat",
    # Nothing that can be seen from outside comes later.
    ("processes/test_stop.py", "test_a_page_that_waits_for_a_locked_database_does_not_hold_it"): (
        "a page that waits for a lock of SQLite shows it nowhere"
    ),
    ("processes/test_killed_receiving.py", "_kill_in_the_middle"): (
        "the kernel still delivers what the killed process had sent"
    ),
    ("processes/test_killed_receiving.py", "_is_settled"): "a count must stand still",
    ("messaging/receiving/test_hot_loops.py", "_watch"): "counts the polls of 10 seconds",
    # A random moment, or people's own pace.
    ("processes/test_killed_receiving.py", "write"): "people write at their own pace",
    ("processes/test_killed_beside_the_sdk.py", "_kill_consoles"): "people write meanwhile",
    ("processes/test_killed_at_random.py", "_kill"): "the random moment of a kill",
    ("processes/test_killed_beside_the_sdk.py", "_kill_peers"): "the random moment of a kill",
    ("sessions_app/folder/store/test_killed_writers.py", "_kill_writers"): "the same",
    ("sessions_app/sdk/test_killed_receivers.py", "_kill_receivers"): "the same",
    # Pictures, not tests.
    ("lively_shop.py", "live_through"): "until the console has heard of a session's end",
    ("lively_shop.py", "_act"): "until the console has WeChat's answer",
    ("screenshots.py", "take"): "what fades and slides has come to rest",
}
"""Function by function, why it may sleep."""


def _sleeps(node: ast.AST, function: str = "") -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        inside = function
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            inside = child.name
        if isinstance(child, ast.Call) and _is_sleep(child):
            yield inside
        yield from _sleeps(child, inside)


def _is_sleep(call: ast.Call) -> bool:
    called = ast.unparse(call.func)
    if called.endswith(".wait_for_timeout") or called in ("time.sleep", "sleep"):
        return True
    if called != "asyncio.sleep":
        return False
    # `min(seconds, 0.005)` is short; any other expression is a wait.
    first = call.args[0]
    most = first.args[-1] if isinstance(first, ast.Call) and first.args else first
    is_number = isinstance(most, ast.Constant) and isinstance(most.value, int | float)
    return not (is_number and float(ast.unparse(most)) <= A_TURN_S)


def _found() -> set[tuple[str, str]]:
    return {
        (str(path.relative_to(ROOT)), function)
        for path in ROOT.rglob("*.py")
        if "bench" not in path.relative_to(ROOT).parts
        for function in _sleeps(ast.parse(path.read_text(encoding="utf-8")))
    }


def test_no_test_sleeps_for_a_fixed_time() -> None:
    assert sorted(_found() - ALLOWED.keys()) == []


def test_what_may_sleep_still_does() -> None:
    assert sorted(ALLOWED.keys() - _found()) == []


@pytest.mark.parametrize(
    ("code", "sleeps"),
    [
        ("time.sleep(0.01)", True),
        ("page.wait_for_timeout(20)", True),
        ("asyncio.sleep(0.1)", True),
        ("asyncio.sleep(window - now)", True),
        ("asyncio.sleep(0)", False),
        ("asyncio.sleep(min(seconds, 0.005))", False),
        ("asyncio.wait_for(stop(), 30)", False),
    ],
)
def test_a_sleep_is_seen(code: str, sleeps: bool) -> None:
    assert list(_sleeps(ast.parse(f"def one():\n    {code}"))) == (["one"] if sleeps else [])
