"""`manage.py sessions import|export DIR`: moves sessions between the database and a folder."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from messaging.folder_sync.events import FolderEvents
from messaging.folder_sync.supervisor import as_received
from messaging.receiving import inbound
from sessions_app.folder.store import KeptAnswer
from sessions_app.folder.transfer import Refused, Report, export_folder, import_folder


class Command(BaseCommand):
    help = "Moves sessions between this console's database and a folder of the weilink SDK."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        incoming = actions.add_parser("import", help="take the folder's sessions in")
        outgoing = actions.add_parser("export", help="write the sessions into a folder")
        for action in (incoming, outgoing):
            action.add_argument("folder", metavar="DIR", type=Path)
            action.add_argument(
                "--dry-run", action="store_true", help="only say what would be done"
            )
        incoming.add_argument(
            "--replace", action="store_true", help="also over sessions that are connected here"
        )
        outgoing.add_argument(
            "--replace", action="store_true", help="also over other credentials in the folder"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        folder = options["folder"].expanduser()
        chosen = {"dry_run": options["dry_run"], "replace": options["replace"]}
        try:
            if options["action"] == "import":
                # Texts that only another program has are not imported; a line in the conversation
                # says so.
                conversations = FolderEvents(lambda: False)
                report = import_folder(folder, conversations=conversations, keep=_store, **chosen)
                self._print_report(report, "imported")
            else:
                self._print_report(export_folder(folder, **chosen), "written")
        except Refused as refused:
            self.stderr.write(str(refused))
            sys.exit(1)

    def _print_report(self, report: Report, participle: str) -> None:
        self.stdout.write(report.text(participle))
        if report.left_out:
            sys.exit(1)


def _store(answer: KeptAnswer) -> bool:
    """Store the answer like one of our own polls. Known messages are not stored twice."""
    received = as_received(answer)
    if received is not None:
        inbound.store([received])
    return received is not None
