import { Context, Effect, Layer, Schema } from "effect"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import { CurrentPlatform } from "../domain/CurrentPlatform.ts"
import type { InvalidRequest } from "../domain/InvalidRequest.ts"
import type { Page } from "../domain/Page.ts"
import {
  BookableDefinition,
  type DefinitionId,
  DefinitionNotFound,
  definitionSorts,
  type DefinitionsQuery,
  ReservationDefinition,
  type ReservationDefinitionPush
} from "../domain/ReservationDefinition.ts"
import { CustomerSql, PlatformSql, transaction } from "./Database.ts"
import { paginate } from "./Paging.ts"

export class ReservationDefinitions extends Context.Service<
  ReservationDefinitions,
  {
    /** What can be booked now. */
    readonly list: (query: DefinitionsQuery) => Effect.Effect<Page<BookableDefinition>, InvalidRequest, CurrentCustomer>
    /**
     * Creates or replaces the platform's definition; the same push again changes nothing. Reservations that are there
     * keep their times; those to come take on its title, place and time zone.
     */
    readonly push: (
      id: DefinitionId,
      definition: ReservationDefinitionPush
    ) => Effect.Effect<ReservationDefinition, never, CurrentPlatform>
    readonly find: (id: DefinitionId) => Effect.Effect<ReservationDefinition, DefinitionNotFound, CurrentPlatform>
  }
>()("portico/services/ReservationDefinitions") {
  static readonly layer = Layer.effect(
    ReservationDefinitions,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const platformSql = yield* PlatformSql
      const decode = Schema.decodeUnknownEffect(ReservationDefinition)
      const columns = sql.literal(`
        id, title, description, timezone, hours, services, spots, blocked, horizon_days, booking_notice_minutes,
        cancel_notice_minutes, requires_confirmation, max_per_customer, location, active, version, created_at, updated_at`)

      const sorts = {
        id: { type: definitionSorts.id, column: "reservation_definitions.id" },
        title: { type: definitionSorts.title, column: "reservation_definitions.title" },
        spots: { type: definitionSorts.spots, column: "reservation_definitions.spots" }
      } as const

      const upsert = Effect.fnUntraced(function* (id: DefinitionId, definition: ReservationDefinitionPush) {
        const { orgId } = yield* CurrentPlatform
        const { description = null, horizonDays = 365, location = null, maxPerCustomer = 50, spots, title } = definition
        const services = definition.services.map((service) => ({ price: null, breakAfter: 0, ...service }))
        const [row] = yield* platformSql`
          INSERT INTO reservation_definitions (org_id, id, title, description, timezone, hours, services, spots, blocked,
            horizon_days, booking_notice_minutes, cancel_notice_minutes, requires_confirmation, max_per_customer,
            location, active)
          VALUES (${orgId}, ${id}, ${title}, ${description}, ${definition.timezone},
            ${JSON.stringify(definition.hours)}::text::jsonb, ${JSON.stringify(services)}::text::jsonb, ${spots},
            ${JSON.stringify(definition.blocked ?? [])}::text::jsonb, ${horizonDays},
            ${definition.bookingNoticeMinutes ?? 0}, ${definition.cancelNoticeMinutes ?? 0},
            ${definition.requiresConfirmation ?? false}, ${maxPerCustomer}, ${location}, ${definition.active ?? true})
          ON CONFLICT (org_id, id) DO UPDATE SET
            title = excluded.title, description = excluded.description, timezone = excluded.timezone,
            hours = excluded.hours, services = excluded.services, spots = excluded.spots, blocked = excluded.blocked,
            horizon_days = excluded.horizon_days, booking_notice_minutes = excluded.booking_notice_minutes,
            cancel_notice_minutes = excluded.cancel_notice_minutes,
            requires_confirmation = excluded.requires_confirmation, max_per_customer = excluded.max_per_customer,
            location = excluded.location, active = excluded.active
          RETURNING ${columns}`
        return yield* decode(row)
      })

      const updateReservations = Effect.fnUntraced(function* (definition: ReservationDefinition) {
        const { orgId } = yield* CurrentPlatform
        const { id, location, timezone, title } = definition
        yield* platformSql`
          UPDATE reservations SET title = ${title}, location = ${location}, timezone = ${timezone}
          WHERE org_id = ${orgId} AND definition_id = ${id} AND ends_at > now()
            AND (title, location, timezone) IS DISTINCT FROM (${title}::text, ${location}::text, ${timezone}::text)`
      })

      const list = Effect.fn("ReservationDefinitions.list")(function* (query: DefinitionsQuery) {
        const { orgId } = yield* CurrentCustomer
        return yield* paginate({
          sql,
          query,
          sorts,
          byDefault: "title",
          item: BookableDefinition,
          columns,
          from: sql`reservation_definitions WHERE org_id = ${orgId} AND active`
        }).pipe(Effect.catchTag(["SqlError", "SchemaError"], Effect.die))
      })

      const push = Effect.fn("ReservationDefinitions.push")(
        function* (id: DefinitionId, pushed: ReservationDefinitionPush) {
          const definition = yield* upsert(id, pushed)
          yield* updateReservations(definition)
          return definition
        },
        transaction(platformSql),
        Effect.orDie
      )

      const find = Effect.fn("ReservationDefinitions.find")(
        function* (id: DefinitionId) {
          const { orgId } = yield* CurrentPlatform
          const [row] = yield* platformSql`
          SELECT ${columns} FROM reservation_definitions WHERE org_id = ${orgId} AND id = ${id}`
          if (row === undefined) return yield* new DefinitionNotFound()
          return yield* decode(row)
        },
        Effect.catchTag(["SqlError", "SchemaError"], Effect.die)
      )

      return ReservationDefinitions.of({ list, push, find })
    })
  )
}
