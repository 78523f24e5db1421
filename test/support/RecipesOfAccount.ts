import { Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import { Codes } from "../../src/services/Codes.ts"
import { secret } from "./App.ts"
import { nextNumber } from "./People.ts"
import { about, nothing, ofCustomer, type Recipe, send, twice } from "./Recipe.ts"
import { aPhone, type Actor } from "./World.ts"

/** As if the customer had never asked for a code. */
const neverAsked = ({ customer: { customerId, orgId } }: Actor) =>
  SqlClient.SqlClient.use((sql) =>
    Effect.forEach(
      ["verification_codes", "verifications"],
      (table) => sql`DELETE FROM ${sql(table)} WHERE org_id = ${orgId} AND customer_id = ${customerId}`
    )
  ).pipe(Effect.orDie)

const mailbox = ({ customer: { customerId }, platform }: Actor) =>
  send(platform, "GET", `/platform/outbox?customerId=${customerId}`).pipe(
    Effect.map(({ data }) => data as ReadonlyArray<{ readonly channel: string; readonly code: string | null }>)
  )
const untilThere = <A, E, R>(look: Effect.Effect<A | undefined, E, R>) =>
  look.pipe(
    Effect.repeat({ until: (found) => found !== undefined, times: 200 }),
    Effect.map((found) => found!)
  )

const code = (channel: "email" | "phone") =>
  Effect.fnUntraced(function* (actor: Actor) {
    yield* neverAsked(actor)
    const body = channel === "email" ? { email: `a${nextNumber()}@example.com` } : { phone: aPhone() }
    const known = (yield* mailbox(actor)).length
    yield* send(actor.customer, "POST", `/client-data/verification/${channel}/send`, { body })
    const sent = yield* untilThere(
      Effect.map(Effect.delay(mailbox(actor), "20 millis"), (all) => (all.length > known ? all[0] : undefined))
    )
    return { body: { code: sent.code ?? "000000" } }
  })

const notify = ({ canary, customer: { customerId }, platform }: Actor) =>
  send(platform, "POST", "/platform/notifications", {
    body: { customerIds: [customerId], type: "order", title: canary, body: canary, channels: ["inApp"] }
  }).pipe(Effect.map(({ id }) => id as string))
const notifications = ({ customer }: Actor) =>
  send(customer, "GET", "/client-data/notifications").pipe(
    Effect.map(({ data }) => data as ReadonlyArray<{ readonly id: string }>)
  )
const notification = Effect.fnUntraced(function* (actor: Actor) {
  const known = (yield* notifications(actor)).length
  yield* notify(actor)
  const { id } = yield* untilThere(
    Effect.map(Effect.delay(notifications(actor), "20 millis"), (all) => (all.length > known ? all[0] : undefined))
  )
  return id
})
const deviceBody = () => ({ token: `token-${nextNumber()}`, platform: "web", deviceId: `device-${nextNumber()}` })
const device = ({ customer }: Actor) =>
  send(customer, "POST", "/client-data/notifications/push-token", { body: deviceBody() }).pipe(
    Effect.map(({ id }) => id as string)
  )

const cursor = ({ customer }: Actor) =>
  Effect.map(send(customer, "GET", "/client-data/all"), ({ cursor }) => ({ query: { since: cursor as string } }))

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
const anotherCustomer = ({ canary, platform }: Actor) => {
  const id = `customer-${nextNumber()}`
  return Effect.as(send(platform, "PUT", `/platform/customers/${id}`, { body: { name: canary } }), id)
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
      Effect.succeed({ body: { customerIds: [customerId], type: "order", title: canary, body: canary } })
  },
  "platformNotifications.get": about("notificationId", notify),

  "account.dashboard": { make: nothing },
  "account.all": { make: nothing },
  "account.changes": { make: cursor, own: ["query.since"] },
  "account.events": { make: cursor, own: ["query.since"] },
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
    make: (actor) => Effect.succeed(ofCustomer(actor)),
    answers: { "query.customerId": 200 },
    single: true
  }
}
