import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { OrgId } from "../domain/Ids.ts"

export interface Org {
  readonly id: OrgId
  readonly name: string
  readonly createdAt: Date
}

/** The tenants, for the operator. */
export class Orgs extends Context.Service<
  Orgs,
  {
    /** False, and nothing has changed, when there is an org of this id. */
    readonly create: (id: OrgId, name: string) => Effect.Effect<boolean>
    readonly exists: (id: OrgId) => Effect.Effect<boolean>
    readonly list: Effect.Effect<ReadonlyArray<Org>>
  }
>()("portico/services/Orgs") {
  static readonly layer = Layer.effect(
    Orgs,
    Effect.gen(function* () {
      const sql = yield* SqlClient.SqlClient
      const isNotEmpty = (rows: ReadonlyArray<unknown>) => rows.length > 0

      return Orgs.of({
        create: (id, name) =>
          sql`INSERT INTO orgs (id, name) VALUES (${id}, ${name}) ON CONFLICT DO NOTHING RETURNING id`.pipe(
            Effect.orDie,
            Effect.map(isNotEmpty)
          ),
        exists: (id) => sql`SELECT 1 FROM orgs WHERE id = ${id}`.pipe(Effect.orDie, Effect.map(isNotEmpty)),
        list: Effect.orDie(sql<Org>`SELECT id, name, created_at FROM orgs ORDER BY id`)
      })
    })
  )
}
