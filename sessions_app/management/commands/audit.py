"""`manage.py audit cut --older-than-days N`: the only way to delete entries of the audit log."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from sessions_app.audit.cutting import cut


class Command(BaseCommand):
    help = "Deletes old entries of the audit log. The log says that it was done."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        cutting = actions.add_parser("cut", help="delete entries that are older")
        cutting.add_argument(
            "--older-than-days", type=int, required=True, metavar="DAYS", dest="days"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["days"]
        if not 0 < days <= 36_500:
            raise CommandError("--older-than-days takes a number from 1 to 36500.")
        count = cut(before=timezone.now() - timedelta(days=days))
        self.stdout.write(f"{count:,} entries were deleted.")
