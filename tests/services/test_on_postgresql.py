"""The tests of receiving and answering, once more, on PostgreSQL; and what only it can show."""

import os
import subprocess
import sys

import pytest

from tests.processes.child import ROOT

# A whole pytest runs inside each; a busy machine may need far more than the usual 25 s.
pytestmark = [pytest.mark.services, pytest.mark.timeout(240)]

COMPOSING = [
    "replying/test_sending.py",
    "replying/test_parking.py",
    "composing/test_drafts.py",
    "receiving/test_noting.py",
    "reply_window/test_pace.py",
]
RECEIVING = [
    "receiving/test_inbound.py",
    "delivering/test_outbox.py",
    "worker/test_worker_story.py",
]


def _pytest(*paths: str, database_url: str) -> str:
    """A child pytest on that server; its output when everything passed."""
    arguments = [sys.executable, "-m", "pytest", *paths]
    done = subprocess.run(
        arguments,
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    return done.stdout


def test_receiving_and_answering_work_on_postgresql(postgres_url: str) -> None:
    paths = [f"tests/messaging/{name}" for name in RECEIVING]
    assert " passed" in _pytest(*paths, database_url=postgres_url)


def test_what_the_composer_does_works_on_postgresql(postgres_url: str) -> None:
    paths = [f"tests/messaging/{name}" for name in COMPOSING]
    assert " passed" in _pytest(*paths, database_url=postgres_url)


def test_people_are_found_alike_on_postgresql(postgres_url: str) -> None:
    paths = ["tests/messaging/inbox/test_lists.py", "tests/messaging/inbox/test_palette.py"]
    assert " passed" in _pytest(*paths, "-k", "found", database_url=postgres_url)


def test_streams_number_in_commit_order_without_gaps(postgres_url: str) -> None:
    output = _pytest("tests/services/streams_on_postgresql.py", database_url=postgres_url)
    assert "4 passed" in output


def test_transactions_side_by_side_do_not_end_each_other(postgres_url: str) -> None:
    output = _pytest("tests/services/locks_on_postgresql.py", database_url=postgres_url)
    assert "4 passed" in output
