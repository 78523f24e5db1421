import { Effect } from "effect"
import { SqlClient } from "effect/sql"
import { randomInt } from "node:crypto"

// Letters only: a run of digits could look like a card number.
const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
export const randomId = (prefix: string) =>
  prefix + Array.from({ length: 24 }, () => letters[randomInt(letters.length)]).join("")

interface Item {
  readonly id: string
  readonly vaultId: string | null
  readonly state: "free" | "held" | "removed"
  readonly facts: unknown
}

/** What Stripe and PayPal would remember, kept in our own database: for local mode, never in production. */
export const localVault = Effect.map(SqlClient.SqlClient, (sql) => ({
  /** The vault of this name; the same one however often it is asked for. */
  open: Effect.fnUntraced(function* (orgId: string, name: string, id: string) {
    yield* sql`
      INSERT INTO local_vaults (org_id, id, name) VALUES (${orgId}, ${id}, ${name}) ON CONFLICT (org_id, name) DO NOTHING`
    const [vault] = yield* sql<{ readonly id: string }>`
      SELECT id FROM local_vaults WHERE org_id = ${orgId} AND name = ${name}`
    return vault!.id
  }, Effect.orDie),

  /** Undefined: there is no such vault. */
  vault: Effect.fnUntraced(function* (id: string) {
    const [vault] = yield* sql<{ readonly defaultId: string | null }>`
      SELECT default_id FROM local_vaults WHERE id = ${id}`
    return vault
  }, Effect.orDie),

  /** Whether there is such a vault, with such an item in it. */
  setDefault: Effect.fnUntraced(function* (vaultId: string, itemId: string | null) {
    const rows = yield* sql`
      UPDATE local_vaults SET default_id = ${itemId}
      WHERE id = ${vaultId} AND (${itemId}::text IS NULL OR EXISTS (
        SELECT 1 FROM local_vault_items AS item
        WHERE item.id = ${itemId} AND item.vault_id = ${vaultId} AND item.state = 'held'))
      RETURNING id`
    return rows.length > 0
  }, Effect.orDie),

  /** Makes an item out of its origin, in the vault; if the vault holds one of that origin already, that stays. */
  make: Effect.fnUntraced(function* (
    vaultId: string,
    item: { readonly id: string; readonly origin: string; readonly state: "free" | "held"; readonly facts: object }
  ) {
    yield* sql`
      INSERT INTO local_vault_items (org_id, id, vault_id, origin, state, facts)
      SELECT org_id, ${item.id}, id, ${item.origin}, ${item.state}, ${JSON.stringify(item.facts)}::text::jsonb
      FROM local_vaults WHERE id = ${vaultId}
      ON CONFLICT (org_id, vault_id, origin) WHERE state = 'held' DO NOTHING`
  }, Effect.orDie),

  /** Takes a free item into the vault; one that it holds already stays. */
  hold: Effect.fnUntraced(function* (vaultId: string, itemId: string) {
    yield* sql`
      UPDATE local_vault_items SET vault_id = ${vaultId}, state = 'held'
      WHERE id = ${itemId} AND state = 'free' AND coalesce(vault_id, ${vaultId}) = ${vaultId}
        AND EXISTS (SELECT 1 FROM local_vaults WHERE id = ${vaultId})`
  }, Effect.orDie),

  remove: Effect.fnUntraced(function* (vaultId: string, itemId: string) {
    yield* sql`
      WITH removed AS (
        UPDATE local_vault_items SET state = 'removed'
        WHERE id = ${itemId} AND vault_id = ${vaultId} AND state = 'held' RETURNING id
      )
      UPDATE local_vaults SET default_id = NULL WHERE id = ${vaultId} AND default_id IN (SELECT id FROM removed)`
  }, Effect.orDie),

  forget: Effect.fnUntraced(function* (vaultId: string) {
    yield* sql`
      WITH items AS (DELETE FROM local_vault_items WHERE vault_id = ${vaultId})
      DELETE FROM local_vaults WHERE id = ${vaultId}`
  }, Effect.orDie),

  /** By its id, or by what it was made from. */
  item: Effect.fnUntraced(function* (key: { readonly id: string } | { readonly origin: string; readonly in?: string }) {
    const [found] = yield* "id" in key
      ? sql<Item>`SELECT id, vault_id, state, facts FROM local_vault_items WHERE id = ${key.id}`
      : sql<Item>`
          SELECT id, vault_id, state, facts FROM local_vault_items
          WHERE origin = ${key.origin} AND state <> 'removed' AND vault_id = coalesce(${key.in ?? null}, vault_id)`
    return found
  }, Effect.orDie),

  items: Effect.fnUntraced(function* (vaultId: string) {
    return yield* sql<Item>`
      SELECT id, vault_id, state, facts FROM local_vault_items WHERE vault_id = ${vaultId} AND state = 'held' ORDER BY id`
  }, Effect.orDie),

  /** What a verified event says of an item, unless a later one has spoken. */
  learn: Effect.fnUntraced(function* (itemId: string, saidAt: number, facts: object | "removed") {
    yield* sql`
      UPDATE local_vault_items SET said_at = ${saidAt}::bigint,
        state = CASE WHEN ${facts === "removed"} THEN 'removed' ELSE state END,
        facts = facts || ${JSON.stringify(facts === "removed" ? {} : facts)}::text::jsonb
      WHERE id = ${itemId} AND state = 'held' AND said_at <= ${saidAt}::bigint`
    yield* sql`
      UPDATE local_vaults SET default_id = NULL
      WHERE default_id = ${itemId} AND NOT EXISTS (
        SELECT 1 FROM local_vault_items WHERE id = ${itemId} AND state = 'held')`
  }, Effect.orDie),

  learnDefault: Effect.fnUntraced(function* (vaultId: string, saidAt: number, itemId: string | null) {
    yield* sql`
      UPDATE local_vaults SET said_at = ${saidAt}::bigint, default_id = ${itemId}
      WHERE id = ${vaultId} AND said_at <= ${saidAt}::bigint AND (${itemId}::text IS NULL OR EXISTS (
        SELECT 1 FROM local_vault_items WHERE id = ${itemId} AND vault_id = ${vaultId} AND state = 'held'))`
  }, Effect.orDie)
}))
