import { Effect } from "effect"
import { SqlClient } from "effect/sql"

/** How a table's rows become entries of their customer's change log. */
export interface Recorded {
  readonly table: string
  /** What a row is called there. */
  readonly type: string
  /** The column that holds the record's id. */
  readonly id?: string
  /** The column that holds the customer's id. */
  readonly customer?: string
  /** The rows are part of another record, named by `type` and `id`: whatever happens to one changes that record. */
  readonly part?: boolean
  /** Which updates a customer can see. */
  readonly when?: string
  /** Which rows a customer can see at all, of `touched`; a row never becomes one, or ceases to be. */
  readonly only?: string
  /** More PL/pgSQL, run after the entry. */
  readonly also?: string
}

/**
 * Has the database itself write down each change of a table's rows, so that no service can forget to.
 *
 * The triggers are deferred: a customer's counter is locked last of all, at the commit, and is held for no longer than
 * that takes. Whoever moves a row to another customer locks both counters in the order of their ids.
 */
export const recordChanges = Effect.fnUntraced(function* (recorded: Recorded) {
  const sql = yield* SqlClient.SqlClient
  const { also = "", customer = "customer_id", id = "id", only, part = false, table, type } = recorded
  const entry = (row: string, op: string) =>
    `log_change(${row}.org_id, ${row}.${customer}, '${type}', ${row}.${id}, ${op})`
  const body = part
    ? `PERFORM ${entry("touched", "'upsert'")};`
    : `
      IF TG_OP = 'UPDATE' AND (OLD.${customer}, OLD.${id}) <> (NEW.${customer}, NEW.${id}) THEN
        PERFORM 1 FROM customer_change_counters
        WHERE org_id = NEW.org_id AND customer_id IN (OLD.${customer}, NEW.${customer})
        ORDER BY customer_id FOR UPDATE;
        PERFORM ${entry("OLD", "'delete'")};
      END IF;
      PERFORM ${entry("touched", "CASE TG_OP WHEN 'DELETE' THEN 'delete' ELSE 'upsert' END")};`
  yield* sql.unsafe(`CREATE FUNCTION record_${table}() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
    DECLARE touched ${table} := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    BEGIN
      ${only === undefined ? "" : `IF NOT (${only}) THEN RETURN NULL; END IF;`}
      ${body}
      ${also}
      RETURN NULL;
    END $$`)
  yield* sql.unsafe(`REVOKE EXECUTE ON FUNCTION record_${table}() FROM PUBLIC`)
  yield* sql.unsafe(`CREATE CONSTRAINT TRIGGER record_made AFTER INSERT OR DELETE ON ${table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION record_${table}()`)
  yield* sql.unsafe(`CREATE CONSTRAINT TRIGGER record_changed AFTER UPDATE ON ${table}
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (${recorded.when ?? "OLD.* IS DISTINCT FROM NEW.*"})
    EXECUTE FUNCTION record_${table}()`)
})
