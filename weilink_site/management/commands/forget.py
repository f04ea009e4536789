"""`manage.py forget USER_ID`: deletes all that is kept about one person, in all teams."""

import sys
from typing import Any, NoReturn

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from messaging.retention import forgetting
from messaging.retention.forgetting import Report
from sessions_app.database.encryption import DecryptionError
from sessions_app.database.troubles import MANAGE


class Command(BaseCommand):
    help = "Deletes all that is kept about one person. This cannot be undone."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("user_id", metavar="USER_ID", help="the person's WeChat id")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        wechat_id = options["user_id"]
        if not forgetting.is_known(wechat_id):
            self._fail("Nothing is kept here about a person with this WeChat id.")
        if not options["yes"]:
            self._ask(wechat_id)
        try:
            report = forgetting.forget(wechat_id)
        except forgetting.UnknownPerson:
            self._fail("Nothing is kept here about a person with this WeChat id.")
        except forgetting.SendingNow:
            self._fail("A reply to this person is being sent. Run the command again in a minute.")
        except DecryptionError:
            self._fail(
                "The key of the hashes of forgotten people cannot be read: add the former key to "
                "WEILINK_CREDENTIAL_KEYS. Nothing was deleted but answers that could not be read."
            )
        forgetting.truncate_log()
        self._tell(report)

    def _ask(self, wechat_id: str) -> None:
        """Twice, as in the console: the second time the id has to be typed."""
        self.stdout.write("All messages with this person, their files, names and notes are deleted")
        self.stdout.write(f"in all teams. `{MANAGE} export --person USER_ID` writes them down.")
        try:
            if input("Go on? [yes/no] ").strip() != "yes":
                self._fail("Nothing was deleted.")
            if input("This cannot be undone. Type the WeChat id again: ").strip() != wechat_id:
                self._fail("That is another id. Nothing was deleted.")
        except (EOFError, KeyboardInterrupt):
            self._fail("Nothing was deleted. Use --yes where nobody can answer.")

    def _tell(self, report: Report) -> None:
        self.stdout.write(
            f"Forgotten: {report.messages:,} messages in {report.conversations} conversations were "
            "deleted. Hashes of ids are left, so that a repeated message is not stored again."
        )
        if report.unread_answers:
            self.stdout.write(
                f"{report.unread_answers:,} answers of WeChat could not be decrypted, so nobody "
                "knows whether they are about this person. They are deleted by age."
            )
        for name in report.owned:
            self.stdout.write(f"The person registered the account “{name}”: delete it to end that.")
        if settings.WEILINK_STORE == "files":
            self.stdout.write(
                "The worker takes the person out of contexts.json within seconds, or when it is "
                "next started. Delete them by hand from messages.db, which belongs to the SDK, in "
                f"{settings.WEILINK_BASE_PATH}."
            )
        self.stdout.write("Backups that were made before still hold the person: delete them, too.")

    def _fail(self, sentence: str) -> NoReturn:
        self.stderr.write(sentence)
        sys.exit(1)
