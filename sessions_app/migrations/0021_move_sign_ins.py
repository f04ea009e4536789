"""Browsers that are signed in stay so: their rows move to our own table of logins."""

from typing import Any

from django.contrib.auth import SESSION_KEY
from django.db import migrations

from sessions_app.database.browser_keys import SessionStore

BATCH = 500


def move(apps: Any, schema_editor: Any) -> None:
    """`signed_in_at` and `seen_at` are unknown, so both limits count from now."""
    earlier = apps.get_model("sessions", "Session").objects
    browsers = apps.get_model("sessions_app", "SignedInBrowser").objects
    users = set(apps.get_model("sessions_app", "User").objects.values_list("pk", flat=True))
    rows = []
    for row in earlier.all().iterator(chunk_size=BATCH):
        user_id = int(SessionStore().decode(row.session_data).get(SESSION_KEY) or 0)
        if user_id in users:
            rows.append(
                browsers.model(
                    session_key=row.session_key,
                    session_data=row.session_data,
                    expire_date=row.expire_date,
                    user_id=user_id,
                )
            )
    browsers.bulk_create(rows, batch_size=BATCH, ignore_conflicts=True)
    earlier.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("sessions", "0001_initial"),
        ("sessions_app", "0020_sign_ins"),
    ]

    # Backwards nobody stays signed in.
    operations = [migrations.RunPython(move, migrations.RunPython.noop)]
