import { Context, Effect, Layer, Schedule, Schema } from "effect"
import { SecureRandom } from "effect/crypto"
import { SqlClient } from "effect/sql"
import { CurrentCustomer } from "../domain/CurrentCustomer.ts"
import {
  type PlaceAddress,
  PlaceId,
  PlaceNotFound,
  type Predictions,
  SessionToken,
  type Typed
} from "../domain/Place.ts"
import type { RateLimited } from "../domain/RateLimited.ts"
import { addressOf } from "../domain/TypedAddress.ts"
import { CustomerSql } from "./Database.ts"
import { Places, type PlacesFailure } from "./Places.ts"
import { SharedLimits } from "./SharedLimits.ts"

/** How long a customer may think between two letters. */
const pause = "3 minutes"

/**
 * Addresses from what a customer types.
 *
 * A provider bills one typing, from its first letter to the chosen place, as one session if all of it carries one token,
 * and each request by itself if a token is used again afterwards. So tokens are made and spent here: the portal's own
 * `sessionToken` only tells apart what is typed at the same time. Sessions are kept in the database, so that the letters
 * of one word may be answered by any replica.
 */
export class AddressLookup extends Context.Service<
  AddressLookup,
  {
    readonly predict: (typed: Typed) => Effect.Effect<Predictions, PlacesFailure | RateLimited, CurrentCustomer>
    /** The place as an address, with the house number and unit that the customer has typed. */
    readonly find: (
      placeId: string,
      sessionToken?: SessionToken
    ) => Effect.Effect<PlaceAddress, PlaceNotFound | PlacesFailure | RateLimited, CurrentCustomer>
  }
>()("portico/services/AddressLookup") {
  static readonly layer = Layer.effect(
    AddressLookup,
    Effect.gen(function* () {
      const sql = yield* CustomerSql
      const owner = yield* SqlClient.SqlClient
      const places = yield* Places
      const random = yield* SecureRandom.SecureRandom
      const sharedLimits = yield* SharedLimits

      // A portal that sends no name, or the token we answered with, means the customer's unnamed session.
      const upsertSession = Effect.fnUntraced(function* ({ input, language, sessionToken }: Typed, fresh: string) {
        const { customerId, orgId } = yield* CurrentCustomer
        const [session] = yield* sql<Session>`
          INSERT INTO place_sessions AS held (org_id, customer_id, name, token, input, language, ends_at)
          VALUES (${orgId}, ${customerId}, coalesce((
              SELECT name FROM place_sessions
              WHERE org_id = ${orgId} AND customer_id = ${customerId} AND token = ${sessionToken ?? null}::text
            ), ${sessionToken ?? ""}), ${fresh}, ${input}, ${language ?? null}, now() + ${pause}::text::interval)
          ON CONFLICT (org_id, customer_id, name) DO UPDATE SET
            token = CASE WHEN held.ends_at > now() THEN held.token ELSE excluded.token END,
            input = excluded.input, language = excluded.language, ends_at = excluded.ends_at
          RETURNING token, input, language`
        return session!
      }, Effect.orDie)

      const selectSession = Effect.fnUntraced(function* (sessionToken: SessionToken | undefined) {
        const { customerId, orgId } = yield* CurrentCustomer
        const [session] = yield* sql<Session>`
          SELECT token, input, language FROM place_sessions
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND ends_at > now()
            AND (name = ${sessionToken ?? ""} OR token = ${sessionToken ?? null}::text)
          LIMIT 1`
        return session
      }, Effect.orDie)

      const deleteSession = Effect.fnUntraced(function* ({ token }: Session) {
        const { customerId, orgId } = yield* CurrentCustomer
        yield* sql`
          DELETE FROM place_sessions
          WHERE org_id = ${orgId} AND customer_id = ${customerId} AND token = ${token}`
      }, Effect.orDie)

      // The bill is the operator's: one org's customers together must not run it up.
      const countLookUp = Effect.fnUntraced(function* () {
        const { orgId } = yield* CurrentCustomer
        if (places.dailyLimit === undefined) return
        yield* sharedLimits.use({ orgId, name: "places", key: "*", limit: places.dailyLimit, seconds: 86_400 })
      })

      yield* owner`DELETE FROM place_sessions WHERE ends_at < now()`.pipe(
        Effect.ignore,
        Effect.repeat(Schedule.spaced("1 hour")),
        Effect.forkScoped
      )

      const predict = Effect.fn("AddressLookup.predict")(function* (typed: Typed) {
        yield* countLookUp()
        const { token } = yield* upsertSession(typed, yield* random.uuidV4())
        const { sessionToken, ...rest } = typed
        const predictions = yield* places.predict({ ...rest, session: token })
        return { sessionToken: sessionToken ?? SessionToken.make(token), predictions }
      })

      const find = Effect.fn("AddressLookup.find")(function* (id: string, sessionToken?: SessionToken) {
        if (!isPlaceId(id)) return yield* new PlaceNotFound()
        yield* countLookUp()
        const session = yield* selectSession(sessionToken)
        const place = yield* places.find(id, {
          ...(session !== undefined && { session: session.token }),
          ...(session?.language != null && { language: session.language })
        })
        if (session !== undefined) yield* deleteSession(session)
        return addressOf(place, session?.input)
      })

      return AddressLookup.of({ predict, find })
    })
  ).pipe(Layer.provide([SecureRandom.layerWebCrypto, SharedLimits.layer]))
}

const isPlaceId = Schema.is(PlaceId)

type Session = { readonly token: string; readonly input: string; readonly language: string | null }
