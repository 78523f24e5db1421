import { Schema } from "effect"
import { example } from "./Example.ts"
import { type Channel, topics, type Topic } from "./Notification.ts"
import { QuietHours } from "./QuietHours.ts"
import { NullableTimestamp } from "./Timestamp.ts"

type Choice = Readonly<Record<Channel, boolean>>

const on = { inApp: true, push: true, email: true, sms: false }

/** What goes for whoever has not chosen: text messages cost somebody something, and nobody has asked for marketing. */
export const defaults: Readonly<Record<Topic, Choice>> = {
  order: on,
  ticket: on,
  message: on,
  reservation: on,
  benefit: on,
  payment: on,
  security: on,
  marketing: { inApp: true, push: false, email: false, sms: false },
  other: { inApp: true, push: true, email: false, sms: false }
}

const chosen = Schema.Struct({
  inApp: Schema.Boolean,
  push: Schema.Boolean,
  email: Schema.Boolean,
  sms: Schema.Boolean
}).annotate({ identifier: "ChannelChoice" })

const byTopic = <S extends Schema.Top, T extends Schema.Top>(schema: S, security: T) => ({
  order: schema,
  ticket: schema,
  message: schema,
  reservation: schema,
  benefit: schema,
  payment: schema,
  security,
  marketing: schema,
  other: schema
})

export const NotificationPreferences = Schema.Struct({
  types: Schema.Struct(byTopic(chosen, chosen)),
  quietHours: Schema.NullOr(QuietHours).annotate({
    description:
      "In the profile's timezone (UTC without one): email, push and sms wait until they are over, `security` excepted"
  }),
  version: Schema.Int,
  updatedAt: NullableTimestamp.annotate({ description: "null while all is as it was from the start" })
}).annotate({
  identifier: "NotificationPreferences",
  examples: [
    example({
      types: defaults,
      quietHours: { start: "22:00", end: "07:00" },
      version: 2,
      updatedAt: new Date("2026-11-20T17:31:02.118Z")
    })
  ]
})
export type NotificationPreferences = typeof NotificationPreferences.Type

const choice = Schema.optionalKey(
  Schema.Struct({
    inApp: Schema.optionalKey(Schema.Boolean),
    push: Schema.optionalKey(Schema.Boolean),
    email: Schema.optionalKey(Schema.Boolean),
    sms: Schema.optionalKey(Schema.Boolean)
  }).annotate({ identifier: "ChannelChanges" })
)

const always = Schema.optionalKey(
  Schema.Boolean.annotate({ description: "Only true: this cannot be switched off" }).check(
    Schema.makeFilter((on: boolean) => on || "Expected true: what concerns security cannot be switched off")
  )
)

const securityChoice = Schema.optionalKey(
  Schema.Struct({ inApp: always, push: always, email: always, sms: Schema.optionalKey(Schema.Boolean) }).annotate({
    identifier: "SecurityChannelChanges"
  })
)

export const PreferenceChanges = Schema.Struct({
  types: Schema.optionalKey(Schema.Struct(byTopic(choice, securityChoice))),
  quietHours: Schema.optionalKey(Schema.NullOr(QuietHours)).annotate({ description: "null: none" })
}).annotate({
  identifier: "PreferenceChanges",
  examples: [{ types: { order: { email: false } }, quietHours: { start: "22:00", end: "07:00" } }]
})
export type PreferenceChanges = typeof PreferenceChanges.Type

/** What a customer has chosen, as it is kept: only what they have ever set. */
export type Chosen = Readonly<Partial<Record<Topic, Partial<Choice>>>>

/** The whole of what goes for a customer. */
export const completed = (own: Chosen): Readonly<Record<Topic, Choice>> =>
  Object.fromEntries(topics.map((topic) => [topic, choiceFor(topic, own)])) as Record<Topic, Choice>

export const choiceFor = (topic: Topic, own: Chosen): Choice => ({ ...defaults[topic], ...own[topic] })
