"""Prepares the data before a console serves: schema, static files, the first administrator."""

import hashlib
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command

from sessions_app.people.models import EVERYONE, Team, User
from sessions_app.people.roles import Role
from weilink_site.host.environment import kept_secret

ADMIN = "admin"
Say = Callable[[str], None]


def prepare_data() -> None:
    """Create or migrate the schema, and collect the static files. Idempotent."""
    call_command("migrate", interactive=False, verbosity=0)
    if not settings.DEBUG:
        gather_static_files()


def gather_static_files() -> None:
    """Collect the static files only after a change, because compressing takes many seconds."""
    mark = Path(settings.STATIC_ROOT) / ".gathered"
    state = _static_state()
    if mark.is_file() and mark.read_text() == state:
        return
    call_command("collectstatic", interactive=False, verbosity=0)
    mark.parent.mkdir(parents=True, exist_ok=True)
    mark.write_text(state)


def _static_state() -> str:
    """A digest of the name, size and time of every file to collect."""
    digest = hashlib.sha256(repr(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            facts = Path(storage.path(name)).stat()
            digest.update(f"{name}|{facts.st_size}|{facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def make_administrator(username: str, password: str, *, must_change: bool = False) -> User:
    """`must_change`: the first login leads to the page of a new password."""
    user = User.objects.create_superuser(
        username=username, password=password, must_change_password=must_change
    )
    user.groups.add(Group.objects.get(name=Role.ADMINISTRATOR))
    user.teams.add(Team.objects.get(name=EVERYONE))
    return user


def first_administrator(say: Say) -> None:
    """Ask for the first administrator. Without a terminal, create one and print the password."""
    if User.objects.filter(is_superuser=True, is_active=True).exists():
        return
    if sys.stdin.isatty():
        say("Nobody can log in yet. Name the first administrator.")
        call_command("createsuperuser")
        for user in User.objects.filter(is_superuser=True):
            user.groups.add(Group.objects.get(name=Role.ADMINISTRATOR))
            user.teams.add(Team.objects.get(name=EVERYONE))
        return
    password = secrets.token_urlsafe(12)
    make_administrator(ADMIN, password, must_change=True)
    say(f"First administrator: {ADMIN}  password: {password}")
    say("This is shown once. The first login asks for a new password.")


def demo_login(path: Path) -> tuple[str, str]:
    """The demo's username and password. Created on the first run and kept in `path` (mode 600)."""
    text = kept_secret(path, f"{ADMIN} {secrets.token_urlsafe(9)}")
    username, _, password = text.partition(" ")
    user = User.objects.filter(username=username).first()
    if user is None:
        make_administrator(username, password)
    elif not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    return username, password
