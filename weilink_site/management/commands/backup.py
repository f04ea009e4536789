"""`manage.py backup [FILE]`: everything but the keys in one file, while the console runs."""

import sys
from pathlib import Path
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, InterfaceError

from sessions_app.database.troubles import MANAGE, trouble_of
from weilink_site.backup import making
from weilink_site.backup.making import Made
from weilink_site.backup.manifest import KIND_NAMES
from weilink_site.backup.refused import Refused


class Command(BaseCommand):
    help = "Writes the database, the files and the session folder into one file; nothing stops."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "file",
            metavar="FILE",
            nargs="?",
            type=Path,
            help="where to write it; a folder gets a file named after the time (default: "
            "backup/ in the data folder)",
        )
        parser.add_argument(
            "--media",
            choices=["include", "list", "none"],
            default="include",
            help="files of messages: put them in (the default), list their names and sizes, or "
            "neither",
        )
        parser.add_argument("--force", action="store_true", help="overwrite FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        path = options["file"] or making.default_path()
        path = Path.cwd() / path.expanduser()
        if path.is_dir():
            path /= making.default_name()
        try:
            made = making.make_backup(path, media=options["media"], force=options["force"])
        except Refused as refused:
            self._fail(str(refused))
        except KeyboardInterrupt:
            self._fail("Stopped: nothing was written.")
        except (DatabaseError, InterfaceError) as error:
            if (trouble := trouble_of(error)) is None:
                raise
            self._fail(trouble.sentence)
        self._tell(made, options["media"])

    def _fail(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(1)

    def _tell(self, made: Made, media: str) -> None:
        manifest = made.manifest
        rows = sum(manifest.rows.values())
        files = {
            "include": f"{manifest.media_files:,} files of messages are in it.",
            "list": f"{manifest.media_files:,} files of messages are listed in it, not copied: "
            f"copy {settings.MEDIA_ROOT} as well.",
            "none": f"Files of messages are not in it: copy {settings.MEDIA_ROOT} as well.",
        }
        self.stdout.write(f"{made.path} ({made.size_bytes:,} bytes) is complete.")
        self.stdout.write(f"{rows:,} rows of {KIND_NAMES[manifest.kind]} are in it.")
        self.stdout.write(files[media])
        if made.answers:
            self.stdout.write(f"{made.answers:,} answers of WeChat that wait for it are in it.")
        if settings.WEILINK_STORE == "files":
            self.stdout.write(
                f"The session folder {settings.WEILINK_BASE_PATH} is in it, encrypted."
            )
        if manifest.left_out:
            self.stdout.write(
                f"{manifest.left_out:,} files were left out, listed in its `left-out`:"
            )
            for line in made.left_out:
                self.stdout.write(f"  {line}")
        self.stdout.write(f"The keys are not in it. Keep {_keys()} apart from it: without them")
        self.stdout.write("nobody can read the accounts in it, and it is not restored.")
        self.stdout.write(f"Check it with `{MANAGE} restore --check {made.path}`.")


def _keys() -> str:
    """Where SECRET_KEY and WEILINK_CREDENTIAL_KEYS come from."""
    host = settings.HOST
    places = [
        "SECRET_KEY of the environment or .env"
        if host.secret_key is not None
        else str(host.key_dir / "secret_key"),
        "WEILINK_CREDENTIAL_KEYS of the environment or .env"
        if host.weilink_credential_keys is not None
        else str(host.key_dir / "credential_keys"),
    ]
    return " and ".join(places)
