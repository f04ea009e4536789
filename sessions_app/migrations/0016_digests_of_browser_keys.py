"""Browsers that are signed in stay so: their rows get the digest of the key that they had."""

from typing import Any

from django.db import migrations

from sessions_app.database.browser_keys import digest_of


def keep_digests(apps: Any, schema_editor: Any) -> None:
    rows: Any = apps.get_model("sessions", "Session").objects
    known = list(rows.values_list("session_key", "session_data", "expire_date"))
    rows.bulk_create(
        [
            rows.model(session_key=digest_of(key), session_data=data, expire_date=until)
            for key, data, until in known
        ],
        batch_size=500,
        ignore_conflicts=True,
    )
    for start in range(0, len(known), 500):
        rows.filter(session_key__in=[key for key, *_ in known[start : start + 500]]).delete()


class Migration(migrations.Migration):
    dependencies = [
        ("sessions", "0001_initial"),
        ("sessions_app", "0015_numbers_and_traces"),
    ]

    # Backwards nobody stays signed in: no key follows from a digest.
    operations = [migrations.RunPython(keep_digests, migrations.RunPython.noop)]
