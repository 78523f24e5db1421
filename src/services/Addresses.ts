import { Context, Effect, Layer, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import {
  Address,
  type AddressesQuery,
  type AddressFields,
  AddressId,
  AddressNotFound,
  type AddressUpsert,
  merged
} from "../domain/Address.ts"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { InvalidRequest } from "../domain/InvalidRequest.ts"
import type { Page } from "../domain/Page.ts"
import { type IfMatch, VersionMismatch } from "../domain/Version.ts"
import { CustomerSql, transaction } from "./Database.ts"
import { paginate } from "./Paging.ts"

type Versions = typeof IfMatch.Type

export const addressColumns = `id, name, company, phone, street1, street2, city, state, zip, country, type,
  is_primary AS primary, is_mailing AS mailing, place_id, latitude, longitude, version, created_at, updated_at`

export class Addresses extends Context.Service<
  Addresses,
  {
    /** The primary one first, then the newest, unless the query sorts otherwise. */
    readonly list: (query: AddressesQuery) => Effect.Effect<Page<Address>, InvalidRequest, CurrentCustomer>
    readonly get: (id: AddressId) => Effect.Effect<Address, AddressNotFound, CurrentCustomer>
    /**
     * Makes an address, or with an `id` changes one field by field. The first one is primary, and from then on exactly
     * one is: `primary: true` takes it over, `primary: false` hands it on to the newest of the others, if there are any.
     */
    readonly upsert: (
      address: AddressUpsert,
      ifMatch?: Versions
    ) => Effect.Effect<
      { readonly address: Address; readonly made: boolean },
      AddressNotFound | InvalidRequest | VersionMismatch,
      CurrentCustomer
    >
    /** After the primary one the newest of the rest becomes primary. */
    readonly remove: (
      id: AddressId,
      ifMatch?: Versions
    ) => Effect.Effect<void, AddressNotFound | VersionMismatch, CurrentCustomer>
  }
>()("portico/services/Addresses") {
  static readonly layer = Layer.effect(
    Addresses,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const random = yield* SecureRandom.SecureRandom
      const decode = Schema.decodeUnknownEffect(Address)

      const fields = sql.literal(`name, company, phone, street1, street2, city, state, zip, country, type,
        is_primary, is_mailing, place_id, latitude, longitude`)
      const columns = sql.literal(addressColumns)

      // Whatever changes a customer's addresses waits here first, so none of it can meet half of another change.
      const lockCustomer = CurrentCustomer.use(
        ({ customerId, orgId }) => sql`
          SELECT id FROM customers WHERE org_id = ${orgId} AND id = ${customerId} FOR NO KEY UPDATE`
      )

      const selectOne = Effect.fnUntraced(function* (id: AddressId) {
        const { customerId, orgId } = yield* CurrentCustomer
        const [row] = yield* sql`
          SELECT ${columns} FROM addresses WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id}`
        if (row === undefined) return yield* new AddressNotFound()
        return yield* decode(row)
      })

      const hasOthers = Effect.fnUntraced(function* (id: AddressId) {
        const { customerId, orgId } = yield* CurrentCustomer
        const rows = yield* sql`
          SELECT 1 FROM addresses WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id <> ${id} LIMIT 1`
        return rows.length > 0
      })

      // Before the row that takes over is written: the unique indexes do not wait for the end of the transaction.
      const updateOthers = Effect.fnUntraced(function* (id: AddressId, { mailing, primary }: AddressFields) {
        const { customerId, orgId } = yield* CurrentCustomer
        yield* sql`
          UPDATE addresses SET is_primary = is_primary AND NOT ${primary}, is_mailing = is_mailing AND NOT ${mailing}
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id <> ${id}
            AND ((is_primary AND ${primary}) OR (is_mailing AND ${mailing}))`
      })

      const insertAddress = Effect.fnUntraced(function* (id: AddressId, address: AddressFields) {
        const { customerId, orgId } = yield* CurrentCustomer
        const [row] = yield* sql`
          INSERT INTO addresses (org_id, customer_id, id, ${fields})
          SELECT ${orgId}, ${customerId}, ${id}, ${fields}
          FROM jsonb_populate_record(NULL::addresses, ${rowOf(address)}::text::jsonb)
          RETURNING ${columns}`
        return yield* decode(row)
      })

      const updateAddress = Effect.fnUntraced(function* (id: AddressId, address: AddressFields) {
        const { customerId, orgId } = yield* CurrentCustomer
        const [row] = yield* sql`
          UPDATE addresses SET (${fields}) = (
            SELECT ${fields} FROM jsonb_populate_record(NULL::addresses, ${rowOf(address)}::text::jsonb))
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id}
          RETURNING ${columns}`
        return yield* decode(row)
      })

      const promoteNewest = Effect.fnUntraced(function* (except: AddressId) {
        const { customerId, orgId } = yield* CurrentCustomer
        yield* sql`
          UPDATE addresses SET is_primary = true
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = (
            SELECT max(id) FROM addresses
            WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id <> ${except})`
      })

      const list = Effect.fn("Addresses.list")(function* (query: AddressesQuery) {
        const { customerId, orgId } = yield* CurrentCustomer
        return yield* paginate({
          sql,
          query,
          sorts: {
            // Ids are made in the order of time, so what ties here goes on newest first.
            primary: { type: "integer", column: "addresses.is_primary::int" },
            mailing: { type: "integer", column: "addresses.is_mailing::int" },
            id: { type: "text", column: "addresses.id" },
            name: { type: "text", column: "coalesce(addresses.name, '')" },
            company: { type: "text", column: "coalesce(addresses.company, '')" },
            street1: { type: "text", column: "addresses.street1" },
            city: { type: "text", column: "addresses.city" },
            state: { type: "text", column: "coalesce(addresses.state, '')" },
            zip: { type: "text", column: "coalesce(addresses.zip, '')" },
            country: { type: "text", column: "addresses.country" },
            type: { type: "text", column: "addresses.type" },
            version: { type: "integer", column: "addresses.version" },
            createdAt: { type: "instant", column: "addresses.created_at" },
            updatedAt: { type: "instant", column: "addresses.updated_at" }
          },
          byDefault: "primary",
          item: Address,
          columns,
          from: sql`addresses WHERE org_id = ${orgId} AND customer_id = ${customerId}`
        }).pipe(Effect.catchTag(["SqlError", "SchemaError"], Effect.die))
      })

      const get = Effect.fn("Addresses.get")(selectOne, Effect.catchTag(["SqlError", "SchemaError"], Effect.die))

      const upsert = Effect.fn("Addresses.upsert")(
        function* (changes: AddressUpsert, ifMatch?: Versions) {
          yield* lockCustomer
          const before = changes.id === undefined ? undefined : yield* selectOne(changes.id)
          if (!matches(ifMatch, before)) return yield* new VersionMismatch()
          const { after, errors } = merged(before, changes)
          if (errors.length > 0) return yield* new InvalidRequest({ errors })
          const id = before?.id ?? AddressId.make(yield* random.uuidV7())
          const written = { ...after, primary: after.primary || !(yield* hasOthers(id)) }
          if (written.primary || written.mailing) yield* updateOthers(id, written)
          const address = yield* before === undefined ? insertAddress(id, written) : updateAddress(id, written)
          if (before?.primary === true && !address.primary) yield* promoteNewest(id)
          return { address, made: before === undefined }
        },
        transaction(sql),
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      const remove = Effect.fn("Addresses.remove")(
        function* (id: AddressId, ifMatch?: Versions) {
          const { customerId, orgId } = yield* CurrentCustomer
          yield* lockCustomer
          const address = yield* selectOne(id)
          if (!matches(ifMatch, address)) return yield* new VersionMismatch()
          yield* sql`DELETE FROM addresses WHERE org_id = ${orgId} AND customer_id = ${customerId} AND id = ${id}`
          if (address.primary) yield* promoteNewest(id)
        },
        transaction(sql),
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      return Addresses.of({ list, get, upsert, remove })
    })
  ).pipe(Layer.provide(SecureRandom.layerWebCrypto))
}

const rowOf = ({ mailing, placeId, primary, ...same }: AddressFields) =>
  JSON.stringify({ ...same, is_primary: primary, is_mailing: mailing, place_id: placeId })

/** RFC 9110, section 13.1.1: what is not there yet has no version that could match. */
const matches = (ifMatch: Versions | undefined, address: Address | undefined) =>
  ifMatch === undefined || (address !== undefined && (ifMatch === null || ifMatch.includes(address.version)))
