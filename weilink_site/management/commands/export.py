"""`manage.py export --person USER_ID [FILE]`: all that is kept about one person, as a zip file."""

import os
import sys
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from messaging.retention import forgetting
from messaging.retention.export import note_export, write_archive


class Command(BaseCommand):
    help = "Writes all that is kept about one person into a zip file that only you can read."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--person", metavar="USER_ID", required=True, help="the person's WeChat id"
        )
        parser.add_argument(
            "file", metavar="FILE", nargs="?", type=Path,
            help="where to write it (default: person-TIME.zip in this folder)",
        )  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        if not forgetting.is_known(options["person"]):
            self._fail("Nothing is kept here about a person with this WeChat id.")
        path = options["file"] or Path(f"person-{timezone.now():%Y%m%d-%H%M%S}.zip")
        os.umask(0o077)
        try:
            note_export(options["person"])
            size = write_archive(options["person"], path)
        except FileExistsError:
            self._fail(f"{path} exists already: choose another name.")
        except OSError as error:
            self._fail(f"{path} cannot be written: {error.strerror}.")
        self.stdout.write(f"{path} ({size:,} bytes) holds all that is kept about the person.")

    def _fail(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(1)
