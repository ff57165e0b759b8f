from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial"), ("core", "0003_triggers")]
    operations = [
        migrations.RunSQL(
            "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON billing_licenceterms "
            "FOR EACH ROW EXECUTE FUNCTION atelier_forbid_change()",
            "DROP TRIGGER append_only ON billing_licenceterms",
        )
    ]
