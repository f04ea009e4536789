"""`manage.py copy_database`: moves this installation from SQLite to PostgreSQL.

`--to URL` copies and marks; `--release` lets the copy work; `--take-back` lets the source work
again. `--restored` holds a database that comes from a backup.
"""

import sys
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from sessions_app.database.troubles import MANAGE
from sessions_app.installation import standing
from weilink_site.copying import copying, target
from weilink_site.copying.copying import CopyDiffers, Report
from weilink_site.copying.held import hold_restored
from weilink_site.copying.target import CopyRefused
from weilink_site.host import preflight

EXAMPLE = "postgres://user:password@host:5432/name"


class Command(BaseCommand):
    help = "Moves this installation from SQLite to PostgreSQL, checked row by row."

    def add_arguments(self, parser: CommandParser) -> None:
        action = parser.add_mutually_exclusive_group(required=True)
        action.add_argument(
            "--to",
            metavar="URL",
            help=f"copy the database of DATABASE_URL there: {EXAMPLE}. Without a password in it, "
            "libpq's PGPASSFILE or ~/.pgpass is used.",
        )
        action.add_argument(
            "--release",
            action="store_true",
            help="on the copy: let it receive and send, as the button in the console does",
        )
        action.add_argument(
            "--restored",
            action="store_true",
            help="on a database restored from a backup, before anything starts on it: hold it like "
            "a copy, and mark open replies as unconfirmed, since they may have been sent",
        )
        action.add_argument(
            "--take-back",
            action="store_true",
            help="on the source: let it receive and send again; only if the copy is given up",
        )
        parser.add_argument(
            "--replace-held",
            action="store_true",
            help="with --to: throw away an earlier copy there that was not released yet",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["take_back"]:
            self._take_back()
        elif options["release"]:
            self._release()
        elif options["restored"]:
            self._restored()
        else:
            self._copy(options["to"], replace_held=options["replace_held"])

    def _copy(self, url: str, *, replace_held: bool) -> None:
        to = target.address_of(url)
        try:
            target.open_target(url)
            try:
                report = copying.copy_all(
                    source=self._source(), target=to, replace_held=replace_held, say=self._say
                )
            finally:
                target.close_target()
        except (CopyRefused, CopyDiffers) as refused:
            self._fail(str(refused))
        self._tell(report, to)

    def _source(self) -> str:
        return f"sqlite:///{connection.settings_dict['NAME']}"

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

    def _tell(self, report: Report, to: str) -> None:
        tables = len(report.tables)
        self._say(f"{report.rows:,} rows of {tables} tables were copied; each was compared.")
        self._say(
            f"{report.unconfirmed:,} replies waited or were being sent. In the copy they are "
            "unconfirmed, and an agent decides about each."
        )
        self._say(f"This installation has moved to {to}. No console starts here any more.")
        self._say("Now:")
        self._say(
            f"  1. Files are not copied. Keep WEILINK_MEDIA_ROOT ({settings.MEDIA_ROOT}), or copy "
            "that folder to the new host."
        )
        self._say(
            "  2. Keep SECRET_KEY and WEILINK_CREDENTIAL_KEYS, or the files var/secret_key and "
            "var/credential_keys: without them the stored tokens cannot be read."
        )
        self._say(f"  3. Set DATABASE_URL to the copy ({to}) and start. The copy is held.")
        self._say(
            "  4. Look around, then release it: the button in the console, or "
            f"`{MANAGE} copy_database --release`."
        )

    def _release(self) -> None:
        if preflight.moved():
            self._fail("This is the source, not the copy: set DATABASE_URL to the copy.")
        if not standing.release(user=None):
            self._fail("This installation is not held, so there is nothing to release.")
        self._say("Released: this installation receives and sends now.")

    def _restored(self) -> None:
        unconfirmed = hold_restored(copy_of=str(settings.HOST.database()["NAME"]) + " (backup)")
        self._say(
            f"Held: nothing is received or sent until an administrator releases this "
            f"installation. {unconfirmed:,} open replies are unconfirmed."
        )

    def _take_back(self) -> None:
        found = standing.standing()
        if not standing.take_back():
            self._fail("This installation was not moved, so there is nothing to take back.")
        self._say(
            f"Taken back: this installation may be started again. Never release the copy at "
            f"{found.moved_to}: two that receive for the same accounts lose messages."
        )

    def _fail(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(1)
