from django.db import migrations, models


class Migration(migrations.Migration):
    """How many days messages, files and raw answers are kept; 0 is for ever."""

    dependencies = [("sessions_app", "0023_team_introductions")]

    operations = [
        migrations.AddField(
            model_name="teamsettingsrow",
            name="message_days",
            field=models.PositiveIntegerField(
                default=0, verbose_name="days that messages are kept"
            ),
        ),
        migrations.AddField(
            model_name="teamsettingsrow",
            name="media_days",
            field=models.PositiveIntegerField(default=0, verbose_name="days that files are kept"),
        ),
        migrations.AddField(
            model_name="teamsettingsrow",
            name="raw_days",
            field=models.PositiveIntegerField(
                default=14, verbose_name="days that raw answers are kept"
            ),
        ),
    ]
