from django.db import migrations

FORBID = """
CREATE FUNCTION atelier_forbid_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON core_auditentry
    FOR EACH ROW EXECUTE FUNCTION atelier_forbid_change();
"""

# A payload of NOTIFY is below 8000 bytes: news that is longer travels as its id alone and is read from the table.
NOTIFY = """
CREATE FUNCTION atelier_ring() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    whole text := json_build_object('id', NEW.id, 'topic', NEW.topic, 'kind', NEW.kind, 'data', NEW.data)::text;
BEGIN
    IF octet_length(whole) > 7500 THEN
        whole := json_build_object('id', NEW.id, 'topic', NEW.topic)::text;
    END IF;
    PERFORM pg_notify('atelier_live', whole);
    RETURN NULL;
END $$;

CREATE TRIGGER ring AFTER INSERT ON core_liveevent FOR EACH ROW EXECUTE FUNCTION atelier_ring();
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0002_initial")]
    operations = [
        migrations.RunSQL(
            FORBID, "DROP TRIGGER append_only ON core_auditentry; DROP FUNCTION atelier_forbid_change();"
        ),
        migrations.RunSQL(NOTIFY, "DROP TRIGGER ring ON core_liveevent; DROP FUNCTION atelier_ring();"),
    ]
