"""Invitations expire. Those that exist already are good for another year: some hang on walls."""

from datetime import datetime, timedelta

from django.db import migrations, models
from django.utils import timezone


def in_a_year() -> datetime:
    return timezone.now() + timedelta(days=365)


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_app", "0021_move_sign_ins"),
    ]

    operations = [
        migrations.AddField(
            model_name="invitation",
            name="expires_at",
            field=models.DateTimeField(default=in_a_year, verbose_name="good until"),
            preserve_default=False,
        ),
    ]
