// First of all: schemas that are used before it stay interpreted.
import "effect/schema/SchemaJITCompiler/enable"
import { Cause, type Context, Effect, Exit, Fiber, Layer, Redacted } from "effect"
import { FetchHttpClient, HttpRouter } from "effect/http"
import v8 from "node:v8"
import { HttpSettings } from "./http/HttpSettings.ts"
import { Load } from "./http/Load.ts"
import { Routes } from "./http/Routes.ts"
import * as Environment from "./layers/Environment.ts"
import * as Failures from "./layers/Failures.ts"
import * as NodeServer from "./layers/NodeServer.ts"
import * as Postgres from "./layers/Postgres.ts"
import * as ReadinessPostgres from "./layers/ReadinessPostgres.ts"
import { Providers } from "./layers/Providers.ts"
import { Services } from "./layers/Services.ts"
import * as Settings from "./layers/Settings.ts"
import * as Telemetry from "./layers/Telemetry.ts"
import * as TokensJwt from "./layers/TokensJwt.ts"
import { welcome } from "./layers/Welcome.ts"
import { Workers } from "./layers/Workers.ts"
import { ApiKeys } from "./services/ApiKeys.ts"
import { Readiness } from "./services/Readiness.ts"

// What survives the start teaches V8 to put more like it among the old, and then each request is kept until the next full
// collection by its own dead: a seventh of all time went there.
v8.setFlagsFromString("--no-allocation-site-pretenuring")

// Who sends slowly is told; so that it can be, the connection lives a little longer.
const patience = { sending: 15_000, taking: 20_000 }

const Application = Layer.merge(Services, Workers).pipe(
  Layer.provide(Providers),
  Layer.provideMerge(Layer.mergeAll(TokensJwt.layer, ReadinessPostgres.layer)),
  Layer.provideMerge(Postgres.layer),
  Layer.provide(FetchHttpClient.layer)
)

// Routes alone are given the services: what a request's fiber starts with is copied for each request.
const server = (settings: Settings.Settings, services: Context.Context<Layer.Success<typeof Application>>) =>
  HttpRouter.serve(Layer.provide(Routes, Layer.succeedContext(services)), {
    disableLogger: true,
    disableListenLog: true,
    routerConfig: { caseSensitive: true, ignoreDuplicateSlashes: false, maxParamLength: 1024 }
  }).pipe(
    Layer.provide(
      Layer.unwrap(
        Load.useSync(({ inTurn, refuse: refusal }) =>
          NodeServer.layer({
            port: settings.port,
            host: settings.host,
            gracefulShutdownTimeout: "6 seconds",
            patience: patience.taking,
            refusal,
            inTurn
          })
        )
      )
    ),
    Layer.provide(Layer.provide(Load.layer, Layer.succeedContext(services))),
    Layer.provide(
      Layer.succeed(HttpSettings, {
        rateLimit: settings.rateLimit,
        maxInFlight: settings.maxInFlight,
        maxInFlightPerCustomer: settings.maxInFlightPerCustomer,
        corsOrigins: settings.corsOrigins,
        strictTransport: settings.appEnv === "production",
        patience
      })
    )
  )

/** Runs until it is interrupted; `started` learns of the services when requests are answered. */
const run = (started: (services: Context.Context<Readiness>) => void) =>
  Effect.gen(function* () {
    const settings = yield* Settings.load
    yield* Effect.gen(function* () {
      // The socket comes last: a request that arrives before its route would never be answered.
      const services = yield* Layer.build(Application)
      yield* Effect.gen(function* () {
        const apiKeys = yield* ApiKeys
        for (const { key, orgId } of settings.platformApiKeys) yield* apiKeys.ensure(orgId, Redacted.value(key))
      }).pipe(Effect.provideContext(services))
      yield* Layer.build(server(settings, services))
      yield* settings.appEnv === "local"
        ? Effect.provideContext(welcome(settings), services)
        : Effect.logInfo("Listening").pipe(Effect.annotateLogs({ host: settings.host, port: settings.port }))
      started(services)
      return yield* Effect.never
    }).pipe(Effect.scoped, Effect.provide(Telemetry.layer(settings)))
  })

let notReady: (() => void) | undefined
const fiber = Effect.runFork(
  run((services) => {
    notReady = () => Effect.runSyncWith(services)(Readiness.use(({ close }) => close))
  }).pipe(Effect.provide(Environment.layer))
)

let stopping: number | undefined
const stop = (drain: number) => {
  stopping = Date.now()
  notReady?.()
  setTimeout(() => Effect.runFork(Fiber.interrupt(fiber)), drain)
  // What is still running by then does not end by itself.
  setTimeout(() => process.exit(1), drain + 7_900).unref()
}
// A terminal and npm may both pass on one Ctrl-C: only what comes later is somebody losing patience.
process.on("SIGINT", () => {
  if (stopping === undefined) stop(0)
  else if (Date.now() - stopping > 1_000) process.exit(1)
})
// A balancer needs a moment to see that this replica is no longer ready.
process.on("SIGTERM", () => {
  if (stopping === undefined) stop(notReady === undefined ? 0 : 2_000)
})

fiber.addObserver((exit) => {
  if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) process.exit(0)
  console.error(Failures.describe(exit.cause))
  process.exit(1)
})
