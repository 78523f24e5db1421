import { Effect, Layer } from "effect"
import { AccountExports } from "../services/AccountExports.ts"
import { Accounts } from "../services/Accounts.ts"
import { AccountTags } from "../services/AccountTags.ts"
import { Broadcasts } from "../services/Broadcasts.ts"
import { CardNotices } from "../services/CardNotices.ts"
import { Deliveries } from "../services/Deliveries.ts"
import { DeliveryQueue } from "../services/DeliveryQueue.ts"
import { DeliveryWorkers } from "../services/DeliveryWorkers.ts"
import { ErasureRuns } from "../services/ErasureRuns.ts"
import { FileUploads } from "../services/FileUploads.ts"
import { Notices } from "../services/Notices.ts"
import { PushTargets } from "../services/PushTargets.ts"
import { ReservationReminders } from "../services/ReservationReminders.ts"

const broadcasts = Layer.effectDiscard(Effect.flatMap(Broadcasts, ({ work }) => Effect.forkScoped(work)))

const cardNotices = Layer.effectDiscard(Effect.flatMap(CardNotices, ({ work }) => Effect.forkScoped(work)))

const reminders = Layer.effectDiscard(Effect.flatMap(ReservationReminders, ({ work }) => Effect.forkScoped(work)))

const exports = Layer.effectDiscard(Effect.flatMap(AccountExports, ({ work }) => Effect.forkScoped(work)))

const erasures = Layer.effectDiscard(Effect.flatMap(ErasureRuns, ({ work }) => Effect.forkScoped(work)))

/** What a server does beside answering. Not for the command line, whose providers are off: it would give up what waits. */
export const Workers = Layer.mergeAll(
  DeliveryWorkers.layer,
  broadcasts,
  cardNotices,
  reminders,
  exports,
  erasures
).pipe(
  Layer.provide([PushTargets.layer, Broadcasts.layer, CardNotices.layer, ReservationReminders.layer]),
  Layer.provide([AccountExports.layer, ErasureRuns.layer]),
  Layer.provide([Notices.layer, Accounts.layer, FileUploads.layer]),
  Layer.provide(AccountTags.layer),
  Layer.provide(Deliveries.layer),
  Layer.provide(DeliveryQueue.layer)
)
