"""`manage.py rotate_keys`: encrypts everything at rest with the newest credential key."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from sessions_app.database.troubles import MANAGE
from weilink_site import key_rotation
from weilink_site.key_rotation import Counted


class Command(BaseCommand):
    help = (
        "Encrypts everything at rest with the first of WEILINK_CREDENTIAL_KEYS, while console and "
        "workers run. It may be stopped and started again."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--check", action="store_true", help="only count what is left under older keys"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["check"]:
            done = key_rotation.rotate(say=self._say)
            self._say(f"{done:,} values were encrypted with the newest key.")
        counted = key_rotation.count()
        self._say_counts(counted)
        self._say_next(counted)
        if any(one.older or one.lost for one in counted):
            sys.exit(1)

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _say_counts(self, counted: list[Counted]) -> None:
        self._say(f"{'':30} {'values':>12} {'older key':>12} {'no key':>12}")
        for one in counted:
            self._say(f"{one.name:30} {one.values:12,} {one.older:12,} {one.lost:12,}")

    def _say_next(self, counted: list[Counted]) -> None:
        older, lost = sum(one.older for one in counted), sum(one.lost for one in counted)
        others = len(settings.CREDENTIAL_KEYS) - 1
        if lost:
            self._say(
                f"{lost:,} values cannot be read with any key here: add the key that they were "
                "stored with at the end of WEILINK_CREDENTIAL_KEYS and run this again."
            )
        if older:
            self._say(
                f"{older:,} values need an older key still. Restart every process that was started "
                f"with the former keys, then run `{MANAGE} rotate_keys` again. Answers in the "
                "spool are stored by a worker as soon as the database takes writes."
            )
        elif others and not lost:
            self._say(
                "The newest key reads everything. When every process has been restarted with it, "
                f"`{MANAGE} rotate_keys --check` still says so, and no backup needs the older "
                f"{'key' if others == 1 else 'keys'}, take the older out of "
                "WEILINK_CREDENTIAL_KEYS (or var/credential_keys) and restart. Keep them beside "
                "the backups that were made with them."
            )
        elif not lost:
            self._say(
                "There is one key, and it reads everything. To change it, put a new one before it, "
                "restart, and run this command."
            )
