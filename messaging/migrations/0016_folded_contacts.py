from django.db import migrations, models

from sessions_app.folding import fold

BATCH = 1_000


def fold_all(apps, schema_editor):
    """What `messaging.finding.folded_contact` makes, for the contacts that are there already."""
    Contact = apps.get_model("messaging", "Contact")
    last = 0
    while rows := list(Contact.objects.filter(pk__gt=last).order_by("pk")[:BATCH]):
        for row in rows:
            number = f"{row.number:04d}"
            wechat_id = row.user_id.removesuffix("im.wechat")
            row.folded = fold(f"{row.name} {number} {wechat_id}")[:700]
        Contact.objects.bulk_update(rows, ["folded"])
        last = rows[-1].pk


class Migration(migrations.Migration):
    dependencies = [("messaging", "0015_broken_answers_and_releases")]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="folded",
            field=models.CharField(
                blank=True,
                default="",
                editable=False,
                max_length=700,
                verbose_name="folded for searching",
            ),
            preserve_default=False,
        ),
        migrations.RunPython(fold_all, migrations.RunPython.noop),
    ]
