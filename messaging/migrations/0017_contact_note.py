from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0016_folded_contacts"),
    ]

    operations = [
        migrations.AddField(
            model_name="contact",
            name="note",
            field=models.TextField(blank=True, default="", max_length=2000, verbose_name="note"),
        ),
    ]
