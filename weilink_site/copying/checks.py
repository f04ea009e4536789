"""What must be true before anything is copied. Each check raises CopyRefused in one sentence."""

from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.db import DEFAULT_DB_ALIAS, connection, connections
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from sessions_app.database.troubles import MANAGE
from sessions_app.installation.standing import standing
from sessions_app.models import Installation, WorkerBeat
from sessions_app.sessions import leases
from weilink_site.copying.tables import copied_tables, made_by_migrations
from weilink_site.copying.target import TARGET, CopyRefused, on_target
from weilink_site.host import preflight

HERE, THERE = "The source", "The target"


def check_source() -> None:
    """The database of DATABASE_URL: SQLite, of this release, stopped in order, not moved."""
    if connection.vendor != "sqlite":
        raise CopyRefused(
            "This copies from SQLite, and DATABASE_URL names PostgreSQL: between PostgreSQL "
            "servers make a backup and restore it, as docs/operations.md shows."
        )
    if reason := preflight.pending_migrations():
        raise CopyRefused(f"{HERE} cannot be copied. {reason}")
    found = standing()
    if found.is_held:
        raise CopyRefused(
            f"{HERE} is itself a copy that is held: release it first, or copy the original."
        )
    if found.is_moved:
        raise CopyRefused(
            f"{HERE} was moved to {found.moved_to} already: take it back first with "
            f"`{MANAGE} copy_database --take-back`, if that copy is given up."
        )
    spool = Path(settings.DATA_DIR) / "spool"
    waiting = [path for path in spool.glob("*") if path.is_file()]
    if waiting:
        raise CopyRefused(
            f"{HERE} has {len(waiting)} answers of WeChat in var/spool that the database lacks: "
            "start the console once more until they are stored, and stop it."
        )


def check_target(*, replace_held: bool) -> None:
    """Empty, or a held copy that may be replaced. A database without tables gets them."""
    with on_target():
        if not connection.introspection.table_names():
            call_command("migrate", interactive=False, verbosity=0)
    _check_migrations()
    with on_target():
        check_nobody_works(THERE)
        found = standing()
        if found.is_held and replace_held:
            return
        if found.is_held:
            raise CopyRefused(
                f"{THERE} is a copy already, made at {found.held_at:%Y-%m-%d %H:%M} UTC and not "
                "released yet: release it, or make it anew with --replace-held."
            )
        for table in copied_tables():
            if table.name not in made_by_migrations() and table.model._base_manager.exists():
                raise CopyRefused(
                    f"{THERE} is not empty: {table.name} holds rows. Nothing is ever copied over "
                    "data; create an empty database for the copy."
                )
        if Installation.objects.exists():
            raise CopyRefused(f"{THERE} is an installation of its own: create an empty database.")


def _check_migrations() -> None:
    ours, theirs = (
        set(MigrationRecorder(connections[alias]).applied_migrations())
        for alias in (DEFAULT_DB_ALIAS, TARGET)
    )
    if differing := sorted(ours ^ theirs):
        app, name = differing[0]
        raise CopyRefused(
            f"The two databases differ by {len(differing)} migrations ({app}.{name} first): run "
            f"`{MANAGE} migrate` of the same release on both."
        )


def check_nobody_works(which: str) -> None:
    """Check that no worker was heard lately in the database that is the default now."""
    since = timezone.now() - timedelta(seconds=leases.BEAT_TTL_S)
    heard = WorkerBeat.objects.filter(heard_at__gte=since).order_by("host", "pid")
    if names := ", ".join(f"{host}:{pid}" for host, pid in heard.values_list("host", "pid")):
        raise CopyRefused(
            f"{which} is in use by {names}: stop every console and poller there. After a crash "
            f"wait {leases.BEAT_TTL_S:.0f} seconds."
        )
