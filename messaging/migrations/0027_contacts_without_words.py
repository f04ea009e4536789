from django.db import migrations


class Migration(migrations.Migration):
    """A contact holds nothing that a member wrote; 0026 has copied it."""

    dependencies = [("messaging", "0026_words_to_each_team")]

    operations = [
        migrations.RemoveField(model_name="contact", name="name"),
        migrations.RemoveField(model_name="contact", name="note"),
    ]
