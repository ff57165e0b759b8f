from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('hiring', '0001_initial'),
    ]

    operations = [
        migrations.AddField('message', 'noticed_at', models.DateTimeField(blank=True, null=True)),
    ]
