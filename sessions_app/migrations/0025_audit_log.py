import django.core.serializers.json
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sessions_app", "0024_how_long_data_is_kept"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "at",
                    models.DateTimeField(
                        db_index=True, default=django.utils.timezone.now, verbose_name="at"
                    ),
                ),
                (
                    "actor_id",
                    models.BigIntegerField(blank=True, null=True, verbose_name="id of the person"),
                ),
                (
                    "actor_name",
                    models.CharField(blank=True, max_length=330, verbose_name="person"),
                ),
                ("token", models.CharField(blank=True, max_length=100, verbose_name="API token")),
                ("door", models.CharField(max_length=16, verbose_name="through")),
                ("address", models.CharField(blank=True, max_length=64, verbose_name="address")),
                ("action", models.CharField(max_length=40, verbose_name="action")),
                ("object_kind", models.CharField(blank=True, max_length=20, verbose_name="kind")),
                ("object_id", models.CharField(blank=True, max_length=64, verbose_name="id")),
                ("object_name", models.CharField(blank=True, max_length=330, verbose_name="name")),
                (
                    "team_id",
                    models.BigIntegerField(blank=True, null=True, verbose_name="id of the team"),
                ),
                (
                    "details",
                    models.JSONField(
                        default=dict,
                        encoder=django.core.serializers.json.DjangoJSONEncoder,
                        verbose_name="details",
                    ),
                ),
            ],
            options={
                "verbose_name": "entry of the audit log",
                "verbose_name_plural": "audit log",
                "ordering": ["-pk"],
                "indexes": [
                    models.Index(fields=["actor_id", "id"], name="audit_by_actor"),
                    models.Index(fields=["action", "id"], name="audit_by_action"),
                    models.Index(fields=["team_id", "id"], name="audit_by_team"),
                    models.Index(fields=["object_kind", "object_id", "id"], name="audit_by_object"),
                ],
            },
        ),
    ]
