"""`python -m tests.on_postgresql [options of pytest]`: every test with a database, on PostgreSQL.

Starts from one migrated database, which each process of the run copies and which is dropped at the
end. Browsers and tests with processes of their own are left out: they run once.
"""

import os
import subprocess
import sys

import psycopg

from tests.migrated import POSTGRES, migrated_on_postgresql, named

SELECTED = ["-m", "not slow and not browser and not services", "--ignore=tests/processes"]


def main() -> int:
    try:
        psycopg.connect(POSTGRES, connect_timeout=3).close()
    except psycopg.OperationalError as error:
        print(f"PostgreSQL does not answer (TEST_DATABASE_URL): {error}", file=sys.stderr)
        return 1 if os.environ.get("REQUIRE_SERVICES") == "1" else 0
    with migrated_on_postgresql(POSTGRES) as template:
        command = [sys.executable, "-m", "pytest", *SELECTED, *sys.argv[1:]]
        env = {
            **os.environ, "DATABASE_URL": named(POSTGRES, template), "TEST_TEMPLATE": template,
        }  # fmt: skip
        return subprocess.run(command, env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
