from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0003_generation_ahead'),
    ]

    operations = [
        migrations.AddField('generation', 'seconds_left', models.FloatField(blank=True, null=True)),
    ]
