import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('generation', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField('generation', 'restarts', models.PositiveIntegerField(default=0)),
        migrations.AddField('generation', 'stop_when_left', models.BooleanField(default=True)),
        migrations.AddField('generation', 'error_where', models.CharField(blank=True, max_length=120)),
        migrations.CreateModel(
            name='Access',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('holder', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('output', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='accesses', to='generation.output')),
            ],
        ),
        migrations.AddConstraint(
            model_name='access',
            constraint=models.UniqueConstraint(fields=('output', 'holder'), name='one_access_a_holder'),
        ),
        migrations.AddIndex(
            model_name='generation',
            index=models.Index(fields=['created_at'], condition=models.Q(('state__in', ['queued', 'running'])), name='generation_under_way'),
        ),
    ]
