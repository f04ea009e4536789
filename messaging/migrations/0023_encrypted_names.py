"""Python names alone: the columns keep theirs, so nothing in the database changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0022_draft_right_lost")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("attachment", "sealed_item", "encrypted_item"),
                migrations.AlterField(
                    "attachment",
                    "encrypted_item",
                    models.TextField(
                        blank=True, db_column="sealed_item", verbose_name="item, encrypted"
                    ),
                ),
                migrations.RenameField("attachment", "sealed_upload", "encrypted_upload"),
                migrations.AlterField(
                    "attachment",
                    "encrypted_upload",
                    models.TextField(
                        blank=True, db_column="sealed_upload", verbose_name="upload, encrypted"
                    ),
                ),
                migrations.RenameField("message", "sealed_raw", "encrypted_raw"),
                migrations.AlterField(
                    "message",
                    "encrypted_raw",
                    models.BinaryField(
                        blank=True,
                        default=bytes,
                        db_column="sealed_raw",
                        verbose_name="as it came, encrypted",
                    ),
                ),
                migrations.RenameField("rawanswer", "sealed_body", "encrypted_body"),
                migrations.AlterField(
                    "rawanswer",
                    "encrypted_body",
                    models.BinaryField(
                        db_column="sealed_body", verbose_name="as it came, encrypted"
                    ),
                ),
            ]
        )
    ]
