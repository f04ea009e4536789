"""The database itself refuses to change or delete rows of the audit log: triggers.

Whoever may change the schema can remove them; nobody else gets past them by mistake. Emptying the
table as a whole (TRUNCATE, on PostgreSQL) stays possible, since a copy begins with it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

TABLE = "sessions_app_auditentry"
FUNCTION = "audit_log_is_kept"
TRIGGERS = ("audit_log_keeps_rows", "audit_log_keeps_values")
REFUSAL = "rows of the audit log are neither changed nor deleted"

CREATE_FUNCTION = (
    "CREATE OR REPLACE FUNCTION {function}() RETURNS trigger LANGUAGE plpgsql AS "
    f"$kept$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $kept$;"
)
"""Of PostgreSQL. `function`: its name, with a schema where that matters."""


def install(connection: BaseDatabaseWrapper) -> None:
    """Create the triggers, inside a transaction of the caller."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(CREATE_FUNCTION.format(function=FUNCTION))
        for name, event in zip(TRIGGERS, ("DELETE", "UPDATE"), strict=True):
            if connection.vendor == "postgresql":
                does = f"FOR EACH ROW EXECUTE FUNCTION {FUNCTION}()"
            else:
                does = f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            cursor.execute(f'CREATE TRIGGER {name} BEFORE {event} ON "{TABLE}" {does}')


def remove(connection: BaseDatabaseWrapper, *, whole: bool = True) -> None:
    """Drop the triggers. `whole`: also what belongs to them."""
    with connection.cursor() as cursor:
        for name in TRIGGERS:
            where = f' ON "{TABLE}"' if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{where}")
        if whole and connection.vendor == "postgresql":
            cursor.execute(f"DROP FUNCTION IF EXISTS {FUNCTION}()")


@contextmanager
def lifted(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """One transaction without the triggers. Others see them all the time, and wait meanwhile."""
    with transaction.atomic(using=connection.alias):
        remove(connection, whole=False)
        yield
        install(connection)
