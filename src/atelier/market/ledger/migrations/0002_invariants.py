"""What must hold of the money whoever writes to the tables, also by hand."""

from django.db import migrations

GUARDS = """
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_transaction
    FOR EACH ROW EXECUTE FUNCTION atelier_forbid_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON ledger_entry
    FOR EACH ROW EXECUTE FUNCTION atelier_forbid_change();
CREATE TRIGGER never_removed BEFORE DELETE ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION atelier_forbid_change();

CREATE FUNCTION ledger_guard_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.balance_minor <> 0 THEN
            RAISE EXCEPTION 'account % must start at zero', NEW.code USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.code, NEW.kind, NEW.currency, NEW.guarded) IS DISTINCT FROM
       (OLD.id, OLD.code, OLD.kind, OLD.currency, OLD.guarded) OR NEW.owner_id IS DISTINCT FROM OLD.owner_id THEN
        RAISE EXCEPTION 'account % cannot be changed', OLD.code USING ERRCODE = 'restrict_violation';
    END IF;
    -- Depth 1 is this trigger alone, that is an UPDATE by hand; entries come through their own trigger, at depth 2.
    IF NEW.balance_minor <> OLD.balance_minor AND pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION 'the balance of account % follows its entries', OLD.code USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guard_account BEFORE INSERT OR UPDATE ON ledger_account
    FOR EACH ROW EXECUTE FUNCTION ledger_guard_account();

CREATE FUNCTION ledger_seal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.sealed_by := pg_current_xact_id();
    RETURN NEW;
END $$;
CREATE TRIGGER seal BEFORE INSERT ON ledger_transaction FOR EACH ROW EXECUTE FUNCTION ledger_seal();
"""

# A statement trigger sees all entries of one INSERT, so that each account is locked and updated once, in order of id,
# and a guarded account is judged by the sum and not by the order of the legs.
BALANCES = """
CREATE FUNCTION ledger_take_entries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM fresh JOIN ledger_transaction t ON t.id = fresh.transaction_id
               WHERE t.sealed_by <> pg_current_xact_id()) THEN
        RAISE EXCEPTION 'a transaction takes no entries after the database transaction that wrote it'
            USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM 1 FROM ledger_account WHERE id IN (SELECT account_id FROM fresh) ORDER BY id FOR NO KEY UPDATE;
    UPDATE ledger_account a SET balance_minor = a.balance_minor + moved.amount
        FROM (SELECT account_id, sum(CASE direction WHEN 'debit' THEN amount_minor ELSE -amount_minor END) AS amount
              FROM fresh GROUP BY account_id) moved
        WHERE a.id = moved.account_id;
    RETURN NULL;
END $$;
CREATE TRIGGER take_entries AFTER INSERT ON ledger_entry REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION ledger_take_entries();

CREATE FUNCTION ledger_check_balanced() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE wrong record;
BEGIN
    SELECT a.currency, sum(CASE e.direction WHEN 'debit' THEN e.amount_minor ELSE -e.amount_minor END) AS over
        INTO wrong FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
        WHERE e.transaction_id = NEW.transaction_id
        GROUP BY a.currency HAVING sum(CASE e.direction WHEN 'debit' THEN e.amount_minor ELSE -e.amount_minor END) <> 0
        LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'transaction % is out of balance by % %', NEW.transaction_id, wrong.over, wrong.currency
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON ledger_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION ledger_check_balanced();

-- A balanced transaction with any entry has two; only one without entries is left to catch.
CREATE FUNCTION ledger_check_not_empty() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT count(*) FROM ledger_entry WHERE transaction_id = NEW.id) < 2 THEN
        RAISE EXCEPTION 'transaction % has fewer than two entries', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER not_empty AFTER INSERT ON ledger_transaction DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION ledger_check_not_empty();
"""

UNDO = """
DROP TRIGGER not_empty ON ledger_transaction; DROP FUNCTION ledger_check_not_empty();
DROP TRIGGER balanced ON ledger_entry; DROP FUNCTION ledger_check_balanced();
DROP TRIGGER take_entries ON ledger_entry; DROP FUNCTION ledger_take_entries();
DROP TRIGGER seal ON ledger_transaction; DROP FUNCTION ledger_seal();
DROP TRIGGER guard_account ON ledger_account; DROP FUNCTION ledger_guard_account();
DROP TRIGGER never_removed ON ledger_account;
DROP TRIGGER append_only ON ledger_entry;
DROP TRIGGER append_only ON ledger_transaction;
"""


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial"), ("core", "0003_triggers")]
    operations = [migrations.RunSQL(GUARDS + BALANCES, UNDO)]
