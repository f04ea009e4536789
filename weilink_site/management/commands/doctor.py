"""`manage.py doctor`: checks what the console needs. Exit status 1 if something is wrong."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from weilink_site.doctor import report
from weilink_site.doctor.examining import examine


class Command(BaseCommand):
    help = "Checks settings, database, Redis, disk, keys, session folder, network and clock."
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = examine()
        self.stdout.write(report.as_json(findings) if options["json"] else report.as_text(findings))
        if not report.is_wrong(findings):
            return
        if any(one.sentence.startswith("No answer within") for one in findings):
            # Python would wait for the thread that hangs.
            self.stdout.flush()
            os._exit(1)
        sys.exit(1)
