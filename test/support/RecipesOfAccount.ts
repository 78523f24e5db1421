import { Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { Broadcasts } from "../../src/services/Broadcasts.ts"
import { Codes } from "../../src/services/Codes.ts"
import { labelOf } from "../../src/services/Deliveries.ts"
import { secret } from "./App.ts"
import { nextNumber } from "./People.ts"
import { about, filtered, nothing, ofCustomer, type Recipe, send, twice } from "./Recipe.ts"
import { aPhone, type Actor } from "./World.ts"

/** As if the customer had never asked for a code. */
const neverAsked = ({ customer: { customerId, orgId } }: Actor) =>
  SqlClient.SqlClient.use((sql) =>
    Effect.forEach(
      ["verification_codes", "verifications"],
      (table) => sql`DELETE FROM ${sql(table)} WHERE org_id = ${orgId} AND customer_id = ${customerId}`
    )
  ).pipe(Effect.orDie)

/** Codes are sealed with the secret that local mode has. */
const codes = Codes.layerWith(Redacted.make(secret))

const code = (channel: "email" | "phone") =>
  Effect.fnUntraced(
    function* (actor: Actor) {
      yield* neverAsked(actor)
      const { customerId, orgId } = actor.customer
      const body = channel === "email" ? { email: `a${nextNumber()}@example.com` } : { phone: aPhone() }
      yield* send(actor.customer, "POST", `/client-data/verification/${channel}/send`, { body })
      const sql = yield* SqlClient.SqlClient
      const [sent] = yield* sql<{ readonly id: string; readonly sealedCode: string }>`
      SELECT id, sealed_code FROM deliveries WHERE org_id = ${orgId} AND customer_id = ${customerId}
        AND sealed_code IS NOT NULL ORDER BY id DESC LIMIT 1`
      const { open } = yield* Codes
      return { body: { code: Redacted.value(open(sent!.sealedCode, labelOf(orgId, sent!.id))) } }
    },
    Effect.provide(codes),
    Effect.orDie
  )

/** Told at once: nobody works in the background here. */
const notify = Effect.fnUntraced(function* ({ canary, customer: { customerId }, platform }: Actor) {
  const body = { customerIds: [customerId], type: "order", title: canary, body: canary, data: { about: canary } }
  const { id } = yield* send(platform, "POST", "/platform/notifications", { body })
  const { tellNext } = yield* Broadcasts
  yield* tellNext
  return id as string
})
const notification = Effect.fnUntraced(function* (actor: Actor) {
  yield* notify(actor)
  const { data } = yield* send(actor.customer, "GET", "/client-data/notifications?ps=1")
  return data[0].id as string
})

const deviceBody = () => ({ token: `token-${nextNumber()}`, platform: "web", deviceId: `device-${nextNumber()}` })
const device = ({ customer }: Actor) =>
  send(customer, "POST", "/client-data/notifications/push-token", { body: deviceBody() }).pipe(
    Effect.map(({ id }) => id as string)
  )

/** A cursor, and what has happened since. */
const cursor = Effect.fnUntraced(function* ({ canary, customer }: Actor) {
  const { cursor } = yield* send(customer, "GET", "/client-data/all")
  const body = { name: canary, street1: canary, city: "London", zip: "SW1Y 4JH", country: "GB" }
  yield* send(customer, "POST", "/client-data/addresses", { body })
  return { query: { since: cursor as string } }
})

/** Two messages that have left, as whoever delivers them would have put them there. */
const left = ({ canary, customer: { customerId, orgId } }: Actor) =>
  SqlClient.SqlClient.use((sql) =>
    twice(
      () => sql`
        INSERT INTO outbox (org_id, customer_id, id, channel, recipient, subject, text)
        VALUES (${orgId}, ${customerId}, ${`message-${nextNumber()}`}, 'email', ${canary}, ${canary}, ${canary})`
    )
  ).pipe(Effect.orDie)

const accountExport = ({ customer }: Actor) =>
  Effect.map(send(customer, "POST", "/client-data/account/export"), ({ id }) => id as string)

const unscheduled = ({ customer: { customerId, orgId } }: Actor) =>
  SqlClient.SqlClient.use(
    (sql) => sql`DELETE FROM erasures WHERE org_id = ${orgId} AND customer_id = ${customerId}`
  ).pipe(Effect.orDie)
const scheduled = (actor: Actor) =>
  Effect.andThen(
    unscheduled(actor),
    SqlClient.SqlClient.use(
      (sql) => sql`
        INSERT INTO erasures (org_id, customer_id, requested_by, requested_at, erases_at)
        VALUES (${actor.customer.orgId}, ${actor.customer.customerId}, 'customer', now(), now() + interval '14 days')`
    ).pipe(Effect.orDie)
  )
/** A code that the customer was sent, with nothing in its way. */
const erasureCode = Effect.fnUntraced(function* (actor: Actor) {
  const sql = yield* SqlClient.SqlClient
  const { customerId, orgId } = actor.customer
  const code = String(100_000 + (nextNumber() % 900_000))
  const hash = yield* Codes.use(({ hash }) => Effect.sync(() => hash(orgId, customerId, "erasure", code))).pipe(
    Effect.provide(Codes.layerWith(Redacted.make(secret)))
  )
  yield* unscheduled(actor)
  yield* sql`UPDATE orders SET status = 'completed' WHERE org_id = ${orgId} AND customer_id = ${customerId}`
  yield* sql`UPDATE wallets SET balance = 0 WHERE org_id = ${orgId} AND customer_id = ${customerId}`
  yield* sql`UPDATE reservations SET status = 'cancelled' WHERE org_id = ${orgId} AND customer_id = ${customerId}`
  yield* sql`
    INSERT INTO erasures (org_id, customer_id, requested_by, requested_at, code_hash, code_sent_at, code_expires_at)
    VALUES (${orgId}, ${customerId}, 'customer', now(), ${hash}, now(), now() + interval '10 minutes')`
  return { body: { code } }
}, Effect.orDie)
/** Somebody of the org's whom nothing else is about: they may go. */
const anotherCustomer = ({ platform }: Actor) => {
  const id = `customer-${nextNumber()}`
  return Effect.as(send(platform, "PUT", `/platform/customers/${id}`, { body: { name: "Somebody" } }), id)
}

/** Of what is told about the account, and proven of it. */
export const accountRecipes: Readonly<Record<string, Recipe | ReadonlyArray<Recipe>>> = {
  "verification.status": { make: nothing },
  "verification.sendEmail": {
    make: (actor) => Effect.map(neverAsked(actor), () => ({ body: { email: `a${nextNumber()}@example.com` } })),
    own: ["body.email"]
  },
  "verification.sendPhone": {
    make: (actor) => Effect.map(neverAsked(actor), () => ({ body: { phone: aPhone() } })),
    own: ["body.phone"]
  },
  // Who has a code of their own under way is told how many guesses are left.
  "verification.verifyEmail": { make: code("email"), answers: { "body.code": 400 } },
  "verification.verifyPhone": { make: code("phone"), answers: { "body.code": 400 } },

  "notifications.list": {
    make: (actor) =>
      Effect.as(
        twice(() => notification(actor)),
        {}
      )
  },
  "notifications.readAll": { make: (actor) => Effect.as(notification(actor), {}) },
  "notifications.read": about("notificationId", notification),
  "notifications.preferences": { make: nothing },
  "notifications.changePreferences": { make: () => Effect.succeed({ body: { types: { order: { email: false } } } }) },
  "pushTokens.register": {
    make: () => Effect.sync(() => ({ body: deviceBody() })),
    own: ["body.token", "body.deviceId"],
    moves: ["body.token"]
  },
  "pushTokens.list": {
    make: (actor) =>
      Effect.as(
        twice(() => device(actor)),
        {}
      )
  },
  "pushTokens.remove": about("pushTokenId", device),
  "platformNotifications.broadcast": {
    make: ({ canary, customer: { customerId } }) =>
      Effect.sync(() => ({
        body: {
          customerIds: [customerId],
          type: "order",
          title: canary,
          body: canary,
          link: `https://portal.example/${nextNumber()}`
        }
      })),
    own: ["body.link"]
  },
  "platformNotifications.get": about("notificationId", notify),

  "account.dashboard": { make: nothing },
  "account.all": { make: nothing },
  "account.changes": { make: cursor, answers: { "query.since": 400 } },
  "account.events": { make: cursor, answers: { "query.since": 400 } },
  "account.export": { make: nothing },
  "account.exported": about("exportId", accountExport),
  "account.erasure": { make: nothing },
  // In this order: strangers who have asked for a code of their own would have guesses to lose.
  "account.erase": [
    { make: erasureCode, answers: { "body.code": 400 } },
    {
      make: Effect.fnUntraced(function* (actor: Actor) {
        yield* unscheduled(actor)
        const { customerId } = actor.customer
        yield* send(actor.platform, "PUT", `/platform/customers/${customerId}`, { body: { emailVerified: true } })
        return { body: {} }
      })
    }
  ],
  "account.keep": { make: (actor) => Effect.as(scheduled(actor), {}) },
  "platformCustomers.erase": about("customerId", anotherCustomer),
  "platformCustomers.erasure": about("customerId", (actor) =>
    Effect.tap(anotherCustomer(actor), (id) => send(actor.platform, "DELETE", `/platform/customers/${id}`))
  ),

  "platformOutbox.list": {
    make: (actor) => Effect.as(left(actor), ofCustomer(actor)),
    ...filtered
  }
}
