"""Python names alone: the columns keep theirs, so nothing in the database changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sessions_app", "0013_wording")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("context", "sealed_token", "encrypted_token"),
                migrations.AlterField(
                    "context",
                    "encrypted_token",
                    models.TextField(
                        blank=True,
                        db_column="sealed_token",
                        verbose_name="context token, encrypted",
                    ),
                ),
                migrations.RenameField("loginattempt", "sealed_result", "encrypted_result"),
                migrations.AlterField(
                    "loginattempt",
                    "encrypted_result",
                    models.TextField(
                        blank=True,
                        db_column="sealed_result",
                        verbose_name="credentials of another account, encrypted",
                    ),
                ),
                migrations.RenameField("session", "sealed_token", "encrypted_token"),
                migrations.AlterField(
                    "session",
                    "encrypted_token",
                    models.TextField(
                        blank=True, db_column="sealed_token", verbose_name="bot token, encrypted"
                    ),
                ),
            ]
        )
    ]
