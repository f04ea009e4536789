"""`manage.py restore FILE`: brings a backup back, held; `--check` only looks at the file."""

import sys
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, InterfaceError

from sessions_app.database.troubles import MANAGE, trouble_of
from weilink_site.backup import restoring
from weilink_site.backup.manifest import KIND_NAMES, Manifest
from weilink_site.backup.refused import Refused
from weilink_site.backup.restoring import Restored
from weilink_site.copying.target import CopyRefused

NEW_SIGN_INS = (
    "SECRET_KEY is not that of the backup: people have to sign in again, and scan links that were "
    "handed out end."
)


class Command(BaseCommand):
    help = "Restores a backup. The restored installation is held until somebody releases it."
    requires_system_checks = []
    requires_migrations_checks = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)
        parser.add_argument(
            "--check", action="store_true", help="only check that the file can be restored here"
        )
        parser.add_argument(
            "--replace",
            action="store_true",
            help="also over data that is here; it is kept aside, and the command says where",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["file"].expanduser()
        try:
            if options["check"]:
                self._tell_check(restoring.check_backup(path), path)
                return
            restored = restoring.restore_backup(path, replace=options["replace"])
        except (Refused, CopyRefused) as refused:
            self._fail(str(refused))
        except KeyboardInterrupt:
            self._fail("Stopped before the end: run it again before anything is started.")
        except (DatabaseError, InterfaceError) as error:
            if (trouble := trouble_of(error)) is None:
                raise
            self._fail(trouble.sentence)
        self._tell(restored, path)

    def _tell_check(self, manifest: Manifest, path: Path) -> None:
        self._say(f"{path} is complete and unchanged, and the keys here can read it.")
        self._say(
            f"It was made at {manifest.made_at} by release {manifest.version} from "
            f"{KIND_NAMES[manifest.kind]} ({manifest.source})."
        )
        self._say(
            f"{sum(manifest.rows.values()):,} rows; {manifest.media_files:,} files "
            f"({manifest.media}); {manifest.left_out:,} left out."
        )
        if not manifest.has_our_secret_key:
            self._say(NEW_SIGN_INS)

    def _tell(self, restored: Restored, path: Path) -> None:
        manifest = restored.manifest
        rows = sum(manifest.rows.values())
        self._say(
            f"{path} of {manifest.made_at} is restored: {rows:,} rows, {restored.media_files:,} "
            f"files, {restored.folder_files:,} files of the session folder."
        )
        for place in restored.aside:
            self._say(f"The former data is kept in {place}; delete it when you need it no more.")
        if restored.answers:
            self._say(
                f"{restored.answers:,} answers of WeChat waited to be stored; that happens after "
                "the release."
            )
        if restored.missing_files:
            self._say(
                f"{restored.missing_files:,} files that messages refer to are not in "
                f"{settings.MEDIA_ROOT}:"
            )
            for name in restored.missing:
                self._say(f"  {name}")
        if restored.lost_tokens:
            self._say(
                f"The tokens of {restored.lost_tokens:,} accounts could not be read when it was "
                "made either: scan their codes again."
            )
        if not manifest.has_our_secret_key:
            self._say(NEW_SIGN_INS)
        self._say(
            f"Held: nothing is received or sent until an administrator releases this "
            f"installation. {restored.unconfirmed:,} open replies are unconfirmed."
        )
        self._say(
            "Make sure that the old installation is off. Then start, look around, and release it: "
            f"the button in the console, or `{MANAGE} copy_database --release`."
        )

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _fail(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(1)
