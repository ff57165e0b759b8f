import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('provenance', '0002_append_only'),
    ]

    operations = [
        migrations.CreateModel(
            name='Occurrence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source', models.CharField(max_length=80, unique=True)),
                ('kind', models.CharField(choices=[('output', 'Output'), ('export', 'Export'), ('certificate', 'Certificate')], max_length=12)),
                ('facts', models.JSONField(default=dict)),
                ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('record', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='occurrences', to='provenance.record')),
            ],
            options={
                'ordering': ['id'],
            },
        ),
        migrations.RunSQL(
            "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON provenance_occurrence "
            "FOR EACH ROW EXECUTE FUNCTION atelier_forbid_change()",
            "DROP TRIGGER append_only ON provenance_occurrence",
        ),
    ]
