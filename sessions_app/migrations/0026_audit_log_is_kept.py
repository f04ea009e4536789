from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

from sessions_app.recording import guard


def install(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    guard.install(schema_editor.connection)


def remove(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    guard.remove(schema_editor.connection)


class Migration(migrations.Migration):
    """Triggers that refuse to change or delete rows of the audit log."""

    dependencies = [
        ("sessions_app", "0025_audit_log"),
    ]

    operations = [migrations.RunPython(install, remove)]
