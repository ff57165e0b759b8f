from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0002_access_and_restarts'),
    ]

    operations = [
        migrations.AddField('generation', 'ahead', models.PositiveIntegerField(blank=True, null=True)),
    ]
