import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """Room for each team's name and note of a contact."""

    dependencies = [
        ("messaging", "0024_numbers_and_traces"),
        ("sessions_app", "0019_throttle_counts"),
    ]

    operations = [
        migrations.CreateModel(
            name="TeamContact",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=80, verbose_name="name")),
                ("note", models.TextField(blank=True, max_length=2000, verbose_name="note")),
                (
                    "folded",
                    models.CharField(
                        blank=True,
                        editable=False,
                        max_length=700,
                        verbose_name="folded for searching",
                    ),
                ),
                (
                    "contact",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="team_contacts",
                        to="messaging.contact",
                    ),
                ),
                (
                    "team",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="sessions_app.team",
                    ),
                ),
            ],
            options={
                "verbose_name": "contact of a team",
                "verbose_name_plural": "contacts of teams",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("contact", "team"), name="once_per_contact_and_team"
                    )
                ],
            },
        ),
        # A join, which has no column.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AddField(
                    model_name="conversation",
                    name="team_contact",
                    field=models.ForeignObject(
                        editable=False,
                        from_fields=["contact", "team"],
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="messaging.teamcontact",
                        to_fields=["contact", "team"],
                    ),
                ),
            ]
        ),
    ]
