import { Layer } from "effect"
import { DeliveryQueue } from "../services/DeliveryQueue.ts"
import { DeliveryWorkers } from "../services/DeliveryWorkers.ts"
import { PushTargets } from "../services/PushTargets.ts"

/** What a server does beside answering. Not for the command line, whose providers are off: it would give up what waits. */
export const Workers = DeliveryWorkers.layer.pipe(Layer.provide([DeliveryQueue.layer, PushTargets.none]))
