"""What only PostgreSQL can show. All other tests run on it with `make test-postgresql`."""

import os
import subprocess
import sys

import pytest

from tests.processes.child import ROOT

# A whole pytest runs inside each; a busy machine may need far more than the usual 25 s.
pytestmark = [pytest.mark.services, pytest.mark.timeout(240)]

# Not collected by themselves.
ALONE = ["tests/services/streams_on_postgresql.py", "tests/services/locks_on_postgresql.py"]


def test_streams_have_no_gaps_and_transactions_do_not_end_each_other(
    postgres_url: str, postgres_template: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *ALONE],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": postgres_url, "TEST_TEMPLATE": postgres_template},
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "8 passed" in done.stdout
