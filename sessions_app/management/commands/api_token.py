"""`manage.py api_token`: creates a token for a user, lists and revokes tokens.

Shows a secret once.
"""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from sessions_app.models import ApiToken, User
from sessions_app.people.tokens import Scope, UnknownScope, issue_token, revoke_token, state_of


class Command(BaseCommand):
    help = "Makes, lists and revokes tokens of the HTTP API."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="make a token and print it, once")
        create.add_argument("username")
        create.add_argument("--name", required=True, help="what it is for, as “night script”")
        create.add_argument(
            "--scopes",
            nargs="+",
            default=[],
            metavar="SCOPE",
            help=f"of {', '.join(Scope)}; without: all that its owner may",
        )
        create.add_argument(
            "--expires-days",
            "--days",
            dest="days",
            type=int,
            metavar="DAYS",
            help="how many days it is valid; without: until it is revoked",
        )
        listing = actions.add_parser("list", help="the tokens of a person")
        listing.add_argument("username")
        revoke = actions.add_parser("revoke", help="end a token at once")
        revoke.add_argument("id", type=int, help="its number in the list")

    def handle(self, *args: Any, **options: Any) -> None:
        actions = {"create": self._create, "list": self._list, "revoke": self._revoke}
        actions[options["action"]](options)

    def _owner(self, username: str) -> User:
        owner = User.objects.filter(username=username).first()
        if owner is None:
            raise CommandError(f"Nobody is called “{username}”.")
        return owner

    def _create(self, options: dict[str, Any]) -> None:
        owner = self._owner(options["username"])
        if not owner.is_active:
            raise CommandError(f"“{owner.username}” is disabled; a token would not work.")
        days = options["days"]
        if days is not None and not 0 < days <= 36_500:
            raise CommandError("--expires-days (or --days) takes a number from 1 to 36500.")
        # Accept both --scopes read send and --scopes read,send
        scopes = [word for part in options["scopes"] for word in part.split(",") if word]
        if options["scopes"] and not scopes:
            raise CommandError("--scopes names no scope.")
        try:
            _row, secret = issue_token(
                owner=owner,
                name=options["name"],
                scopes=scopes,
                expires_at=timezone.now() + timedelta(days=days) if days else None,
            )
        except UnknownScope as problem:
            raise CommandError(str(problem)) from None
        self.stderr.write("This is shown once; keep it where nobody else reads.")
        self.stdout.write(secret)

    def _list(self, options: dict[str, Any]) -> None:
        for token in self._owner(options["username"]).api_tokens.select_related("owner"):
            state = state_of(token).value
            used = f"{token.last_used_at:%Y-%m-%d %H:%M}" if token.last_used_at else "never used"
            scopes = ",".join(token.scopes) or "all"
            until = f"until {token.expires_at:%Y-%m-%d}" if token.expires_at else "no end"
            facts = (str(token.pk), f"…{token.tail}", state, until, scopes, used, token.name)
            self.stdout.write("  ".join(facts))

    def _revoke(self, options: dict[str, Any]) -> None:
        token = ApiToken.objects.filter(pk=options["id"]).first()
        if token is None:
            raise CommandError("There is no token with this number.")
        revoke_token(token)
        self.stdout.write(f"Revoked: {token}")
