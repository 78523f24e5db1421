import { Effect, Layer } from "effect"
import { CircuitBreaker } from "effect/persistence"
import { NotSent } from "../services/NotSent.ts"
import { Push } from "../services/Push.ts"
import * as PushApns from "./PushApns.ts"
import * as PushFcm from "./PushFcm.ts"

export interface Options {
  readonly fcm: PushFcm.Options | undefined
  readonly apns: PushApns.Options | undefined
}

const off = () => Effect.fail(new NotSent({ reason: "off", detail: "not set up" }))

/** Google's and Apple's push services: each message goes to whose token it has. */
export const layer = ({ apns, fcm }: Options) =>
  Layer.effect(
    Push,
    Effect.gen(function* () {
      const senders = {
        fcm: fcm === undefined ? off : yield* PushFcm.make(fcm),
        apns: apns === undefined ? off : yield* PushApns.make(apns)
      }
      return Push.of({
        configured: { fcm: fcm !== undefined, apns: apns !== undefined },
        send: (push) => senders[push.provider](push)
      })
    })
  ).pipe(Layer.provide(CircuitBreaker.layerStoreMemory()))
