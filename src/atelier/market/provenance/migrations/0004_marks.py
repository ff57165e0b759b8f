import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0001_initial'),
        ('provenance', '0003_occurrence'),
    ]

    operations = [
        migrations.CreateModel(
            name='MarkKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.BinaryField(max_length=64)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('creator', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='accounts.creator')),
            ],
        ),
        migrations.CreateModel(
            name='MarkSearch',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Done'), ('failed', 'Failed')], default='waiting', max_length=8)),
                ('text', models.TextField(blank=True)),
                ('sha256', models.CharField(max_length=64)),
                ('cut', models.BooleanField(default=False)),
                ('keys', models.PositiveIntegerField(default=0)),
                ('places', models.PositiveIntegerField(default=0)),
                ('enough', models.BooleanField(default=False)),
                ('found', models.JSONField(default=list)),
                ('error', models.CharField(blank=True, max_length=1000)),
                ('remedy', models.CharField(blank=True, max_length=500)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), db_index=True)),
            ],
        ),
        migrations.RunSQL(
            "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON provenance_markkey "
            "FOR EACH ROW EXECUTE FUNCTION atelier_forbid_change()",
            "DROP TRIGGER append_only ON provenance_markkey",
        ),
    ]
