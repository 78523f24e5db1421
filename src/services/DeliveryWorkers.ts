import { Cause, Context, Duration, Effect, Fiber, Layer, Metric, Redacted, Schedule } from "effect"
import { SqlClient } from "effect/sql"
import { randomUUID } from "node:crypto"
import type { Addressed } from "./Addressed.ts"
import { Codes } from "./Codes.ts"
import { labelOf } from "./Deliveries.ts"
import { DeliveryQueue, type Try } from "./DeliveryQueue.ts"
import { deliveryRows, type Claimed, type Outcome } from "./DeliveryRows.ts"
import { Mail } from "./Mail.ts"
import { NotSent } from "./NotSent.ts"
import { Push } from "./Push.ts"
import { PushTargets } from "./PushTargets.ts"
import { Sms } from "./Sms.ts"

const mostTries = 8

/** How long one try may take. */
const patience = "10 seconds"

/** 1 s, 4 s, 16 s, ... up to an hour, or as long as the provider says within that. */
const pauseAfter = (attempts: number, retryAfter = 0) =>
  Duration.seconds(Math.min(3600, Math.max(4 ** (attempts - 1), retryAfter)))

/**
 * Sends what is due, on every replica at once. A try is claimed in the ledger before it is made, for longer than it may
 * take, so two workers send one message only if the first of them died after it had sent and before it could say so.
 */
export class DeliveryWorkers extends Context.Service<
  DeliveryWorkers,
  {
    /** Makes the next try that is due, waiting for one. */
    readonly work: Effect.Effect<void>
  }
>()("portico/services/DeliveryWorkers") {
  static readonly layerWith = (options: { readonly workers: number; readonly lease: Duration.Input }) =>
    Layer.effect(
      DeliveryWorkers,
      Effect.gen(function* () {
        const queue = yield* DeliveryQueue
        const rows = deliveryRows(yield* SqlClient.SqlClient, queue, options.lease)
        const codes = yield* Codes
        const mail = yield* Mail
        const sms = yield* Sms
        const push = yield* Push
        const targets = yield* PushTargets

        const send = Effect.fnUntraced(function* (claimed: Claimed) {
          const { customerId, id, message, orgId, sealedCode } = claimed
          const code = sealedCode === null ? undefined : Redacted.value(codes.open(sealedCode, labelOf(orgId, id)))
          const filled = (text: string) => (code === undefined ? text : text.replaceAll("{code}", code))
          const addressed: Addressed = { id, orgId, customerId, ...(code !== undefined && { code }) }
          switch (message.channel) {
            case "email": {
              const { html, language, subject, text, to } = message
              const filledIn = { subject: filled(subject), text: filled(text), html: filled(html) }
              return yield* mail.send({ ...addressed, to, language, ...filledIn })
            }
            case "sms":
              return yield* sms.send({ ...addressed, to: message.to, text: filled(message.text) })
            case "push": {
              const { body, data, link, pushTokenId, title } = message
              const target = yield* targets.find(orgId, customerId, pushTokenId)
              if (target === undefined) return yield* new NotSent({ reason: "gone", detail: "no longer registered" })
              yield* push
                .send({ ...addressed, ...target, title: filled(title), body: filled(body), link, data })
                .pipe(
                  Effect.tapError(({ reason }) =>
                    reason === "gone" ? targets.forget(orgId, customerId, pushTokenId) : Effect.void
                  )
                )
            }
          }
        })

        const attempt = (claimed: Claimed): Effect.Effect<Outcome> =>
          send(claimed).pipe(
            Effect.timeoutOrElse({
              duration: patience,
              orElse: () => Effect.fail(new NotSent({ reason: "unavailable", detail: "no answer in time" }))
            }),
            Effect.catchDefect((defect) =>
              Effect.andThen(
                Effect.logError("A delivery failed unexpectedly", Cause.die(defect)),
                new NotSent({ reason: "unavailable", detail: "unexpected failure" })
              )
            ),
            Effect.match({
              onSuccess: (): Outcome => ({ state: "sent", reason: null, detail: null }),
              onFailure: (error) => outcomeOf(claimed, error)
            })
          )

        const process = Effect.fn("DeliveryWorkers.process")(function* (next: Try) {
          const claimed = yield* rows.claim(next, randomUUID())
          if (claimed === undefined) {
            const isElsewhere = yield* rows.isElsewhere(next)
            return isElsewhere ? yield* Effect.fail("elsewhere" as const) : undefined
          }
          const outcome: Outcome = claimed.isExpired
            ? { state: "skipped", reason: "expired", detail: null }
            : claimed.attempts > mostTries
              ? { state: "failed", reason: "abandoned", detail: "begun too often without coming to an end" }
              : yield* attempt(claimed)
          yield* rows.settle(claimed, outcome)
          yield* Metric.update(counted(claimed.message.channel, outcome.state), 1)
          if (outcome.state !== "sent") {
            yield* Effect.logWarning("Not delivered").pipe(
              Effect.annotateLogs({
                delivery: claimed.id,
                org: claimed.orgId,
                customer: claimed.customerId,
                channel: claimed.message.channel,
                attempt: claimed.attempts,
                state: outcome.state,
                reason: outcome.reason ?? "",
                detail: outcome.detail ?? ""
              })
            )
          }
        })

        // In a fiber of its own: a worker that is told to stop sees to its end what it has begun.
        const work = queue.take((next) =>
          Effect.uninterruptible(Effect.flatMap(Effect.forkDetach(process(next)), Fiber.join))
        )

        yield* Effect.forever(work).pipe(
          Effect.replicate(options.workers),
          (workers) => Effect.all(workers, { concurrency: "unbounded", discard: true }),
          Effect.forkScoped
        )
        yield* queue.depth.pipe(
          Effect.tap(({ oldest, waiting }) =>
            Effect.all([Metric.update(depth, waiting), Metric.update(age, Math.round(oldest))])
          ),
          Effect.catchCause((cause) => Effect.logWarning("The queue of deliveries could not be measured", cause)),
          Effect.repeat(Schedule.spaced("5 seconds")),
          Effect.forkScoped
        )
        yield* queue.tidy.pipe(
          Effect.catchCause((cause) => Effect.logWarning("The queue of deliveries could not be tidied", cause)),
          Effect.repeat(Schedule.spaced("1 hour")),
          Effect.forkScoped
        )

        return DeliveryWorkers.of({ work })
      })
    )

  static readonly layer = DeliveryWorkers.layerWith({ workers: 16, lease: "20 seconds" })
}

const outcomeOf = ({ attempts, expiresIn }: Claimed, { detail, reason, retryAfter }: NotSent): Outcome => {
  const why = { reason, detail: detail.slice(0, 200) }
  if (reason === "off") return { state: "skipped", ...why }
  if (reason === "refused" || reason === "gone" || attempts >= mostTries) return { state: "failed", ...why }
  const pause = pauseAfter(attempts, retryAfter)
  // It would come too late.
  if (expiresIn !== null && Duration.toSeconds(pause) >= expiresIn) return { state: "failed", ...why }
  return { state: "queued", ...why, pause }
}

const depth = Metric.gauge("portico_deliveries_waiting", { description: "Deliveries that are due or will be" })
const age = Metric.gauge("portico_deliveries_oldest_seconds", {
  description: "How long the oldest that is due has waited"
})
const total = Metric.counter("portico_deliveries_total", {
  description: "Tries, by what became of them",
  incremental: true
})

/** Made once for each, since a metric that is made anew has to find its series anew. */
const series = new Map<string, Metric.Counter<number>>()
const counted = (channel: string, state: string) => {
  const key = `${channel} ${state}`
  const known = series.get(key) ?? Metric.withAttributes(total, { channel, state })
  series.set(key, known)
  return known
}
