import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """What is left of deleted data. Only new tables; no existing one is read or locked."""

    dependencies = [
        ("messaging", "0027_contacts_without_words"),
        ("sessions_app", "0024_how_long_data_is_kept"),
    ]

    operations = [
        migrations.CreateModel(
            name="ForgettingKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("encrypted_key", models.TextField(verbose_name="key, encrypted")),
                (
                    "last_at",
                    models.DateTimeField(
                        default=django.utils.timezone.now, verbose_name="last used"
                    ),
                ),
            ],
            options={"verbose_name": "key of hashes", "verbose_name_plural": "keys of hashes"},
        ),
        migrations.CreateModel(
            name="Forgotten",
            fields=[
                (
                    "digest",
                    models.CharField(max_length=64, primary_key=True, serialize=False),
                ),
                (
                    "written_until_ms",
                    models.BigIntegerField(blank=True, null=True, verbose_name="written until"),
                ),
            ],
            options={
                "verbose_name": "hash of a forgotten id",
                "verbose_name_plural": "hashes of forgotten ids",
            },
        ),
        migrations.CreateModel(
            name="SweepPosition",
            fields=[
                (
                    "job",
                    models.CharField(
                        max_length=32, primary_key=True, serialize=False, verbose_name="job"
                    ),
                ),
                ("last_key", models.BigIntegerField(default=0, verbose_name="up to")),
            ],
            options={
                "verbose_name": "position of the sweep",
                "verbose_name_plural": "positions of the sweep",
            },
        ),
        migrations.CreateModel(
            name="Removal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "conversation_key",
                    models.BigIntegerField(unique=True, verbose_name="conversation"),
                ),
                (
                    "removed_at",
                    models.DateTimeField(default=django.utils.timezone.now, verbose_name="deleted"),
                ),
                (
                    "version",
                    models.BigIntegerField(default=0, editable=False, verbose_name="version"),
                ),
                (
                    "team",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="sessions_app.team",
                    ),
                ),
            ],
            options={
                "verbose_name": "deleted conversation",
                "verbose_name_plural": "deleted conversations",
                "indexes": [models.Index(fields=["team", "version"], name="removal_changes")],
            },
        ),
    ]
