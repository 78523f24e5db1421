import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import type { CustomerId, OrgId } from "../../src/domain/Ids.ts"
import type { NewBroadcast } from "../../src/domain/Broadcast.ts"
import type { NotificationsQuery } from "../../src/domain/Notification.ts"
import type { PreferenceChanges } from "../../src/domain/NotificationPreferences.ts"
import type { NewPushToken } from "../../src/domain/PushToken.ts"
import { Broadcasts } from "../../src/services/Broadcasts.ts"
import { Notifications } from "../../src/services/Notifications.ts"
import { Preferences } from "../../src/services/Preferences.ts"
import { PushTokens } from "../../src/services/PushTokens.ts"
import { PushTargets } from "../../src/services/PushTargets.ts"
import { as, asPlatform, type Customer } from "./People.ts"
import * as TestServices from "./TestServices.ts"

/** Services, and devices as the workers see them. Nobody works in the background: tests tell by themselves. */
export const layer = PushTargets.layer.pipe(Layer.provideMerge(TestServices.layer))

export const list = (customer: Customer, query: NotificationsQuery = {}) =>
  Notifications.use((notifications) => notifications.list(query)).pipe(as(customer))

export const titlesOf = (customer: Customer) =>
  Effect.map(list(customer, { st: "asc" }), ({ data }) => data.map(({ title }) => title))

export const prefer = (customer: Customer, changes: PreferenceChanges) =>
  Preferences.use((preferences) => preferences.change(changes)).pipe(as(customer))

export const register = (customer: Customer, token: string, more: Partial<NewPushToken> = {}) =>
  PushTokens.use((tokens) => tokens.register({ token, platform: "android", ...more })).pipe(as(customer))

export const devicesOf = (customer: Customer) =>
  Effect.map(PushTokens.use((tokens) => tokens.list({ st: "asc", ps: 200 })).pipe(as(customer)), ({ data }) => data)

export const broadcast = (orgId: OrgId, more: Partial<NewBroadcast> = {}) =>
  Broadcasts.use((broadcasts) =>
    broadcasts.accept({ customerIds: "all", type: "order", title: "News", body: "Something new.", ...more })
  ).pipe(asPlatform(orgId))

export const reportOf = (orgId: OrgId, id: string) =>
  Broadcasts.use((broadcasts) => broadcasts.find(id, { ps: 200 })).pipe(asPlatform(orgId))

/** Tells all that there is to tell. */
export const tellAll = Broadcasts.use(({ tellNext }) => Effect.repeat(tellNext, { while: (told) => told > 0 }))

/** What is on its way to a customer, by channel, as its owner sees it. */
export const leavingFor = ({ customerId, orgId }: Customer) =>
  SqlClient.SqlClient.use(
    (sql) => sql<{
      readonly channel: "email" | "sms" | "push"
      readonly target: string
      readonly message: Readonly<Record<string, unknown>>
      readonly notBefore: Date | null
      readonly notificationId: string
    }>`
      SELECT channel, target, message, not_before, notification_id FROM deliveries
      WHERE org_id = ${orgId} AND customer_id = ${customerId} ORDER BY channel, created_at, id`
  )

/** Customers called c-00001 and so on. */
export const crowd = (orgId: OrgId, size: number) =>
  SqlClient.SqlClient.use(
    (sql) => sql`
      INSERT INTO customers (org_id, id, email)
      SELECT ${orgId}, 'c-' || lpad(n::text, 5, '0'), 'c' || n || '@example.com' FROM generate_series(1, ${size}) AS n`
  )

export const inCrowd = (n: number) => `c-${String(n).padStart(5, "0")}` as CustomerId
