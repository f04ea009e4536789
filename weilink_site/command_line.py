"""`manage.py …` and `weilink-console …`: Django's command line with this project's settings.

It says in one sentence what is wrong outside.
"""

import os
import sys

SERVERS = frozenset({"console", "console_worker", "poller", "runserver", "runworker"})
"""Commands that do what others ask for, not what whoever started them does."""


def run(arguments: list[str]) -> None:
    """Ends with status 1 on trouble with database, Redis or disk. `--traceback` shows it whole."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "weilink_site.settings")
    if arguments[1:2] == ["doctor"]:
        from weilink_site.doctor import report

        report.end_if_settings_are_wrong(wants_json="--json" in arguments)
    from django.core.management import execute_from_command_line

    from sessions_app.database.troubles import trouble_of
    from sessions_app.recording import origin

    is_server = arguments[1:2] and arguments[1] in SERVERS
    found = origin.Origin() if is_server else origin.of_command()
    try:
        with origin.coming_from(found):
            execute_from_command_line(arguments)
    except Exception as error:
        trouble = trouble_of(error)
        if trouble is None or "--traceback" in arguments:
            raise
        sys.stderr.write(f"{trouble.sentence}\n")
        sys.exit(1)


def main() -> None:
    """The command `weilink-console`, which an installation has on its path."""
    run(sys.argv)
