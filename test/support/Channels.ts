import { Context, Effect, Layer, Redacted } from "effect"
import type { Addressed } from "../../src/services/Addressed.ts"
import { Codes } from "../../src/services/Codes.ts"
import { Mail, type OutgoingMail } from "../../src/services/Mail.ts"
import type { NotSent } from "../../src/services/NotSent.ts"
import { type OutgoingPush, Push } from "../../src/services/Push.ts"
import { PushTargets } from "../../src/services/PushTargets.ts"
import { type OutgoingSms, Sms } from "../../src/services/Sms.ts"

type Reaction = (message: Addressed) => Effect.Effect<void, NotSent>

/** What has left by each channel, and how each takes the next: at once, unless a test says otherwise. */
export class Channels extends Context.Service<
  Channels,
  {
    readonly mails: Array<OutgoingMail>
    readonly texts: Array<OutgoingSms>
    readonly pushes: Array<OutgoingPush>
    /** Registered devices by id, and those that were forgotten. */
    readonly devices: Map<string, Pick<OutgoingPush, "provider" | "platform" | "token">>
    readonly forgotten: Array<string>
    /** Messages to this address, number or token meet this before they leave. */
    readonly react: (to: string, reaction: Reaction) => void
  }
>()("portico/test/Channels") {}

const channels = Effect.sync(() => {
  const reactions = new Map<string, Reaction>()
  const channels = {
    mails: new Array<OutgoingMail>(),
    texts: new Array<OutgoingSms>(),
    pushes: new Array<OutgoingPush>(),
    devices: new Map<string, Pick<OutgoingPush, "provider" | "platform" | "token">>(),
    forgotten: new Array<string>(),
    react: (to: string, reaction: Reaction) => void reactions.set(to, reaction)
  }
  const sending =
    <A extends Addressed>(sent: Array<A>, to: (message: A) => string) =>
    (message: A) =>
      Effect.map(reactions.get(to(message))?.(message) ?? Effect.void, () => void sent.push(message))
  return Context.make(Channels, channels).pipe(
    Context.add(Mail, { configured: true, send: sending(channels.mails, ({ to }) => to) }),
    Context.add(Sms, { configured: true, send: sending(channels.texts, ({ to }) => to) }),
    Context.add(Push, {
      configured: { fcm: true, apns: true },
      send: sending(channels.pushes, ({ token }) => token)
    }),
    Context.add(PushTargets, {
      find: (_org, _customer, id) => Effect.sync(() => channels.devices.get(id)),
      forget: (_org, _customer, id) => Effect.sync(() => void channels.forgotten.push(id))
    })
  )
})

/** Channels that keep in memory what they send. */
export const layer = Layer.merge(
  Layer.effectContext(channels),
  Codes.layerWith(Redacted.make("a secret for nothing but the tests"))
)
