import {
  Clock,
  ConfigProvider,
  Context,
  Duration,
  Effect,
  Layer,
  Logger,
  Redacted,
  References,
  type Scope
} from "effect"
import { FetchHttpClient, HttpRouter, HttpServer } from "effect/http"
import { mkdtempSync } from "node:fs"
import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from "node:http"
import { connect, type Socket } from "node:net"
import { tmpdir } from "node:os"
import path from "node:path"
import { HttpSettings } from "../../src/http/HttpSettings.ts"
import { Load } from "../../src/http/Load.ts"
import { Routes } from "../../src/http/Routes.ts"
import * as NodeServer from "../../src/layers/NodeServer.ts"
import * as ReadinessPostgres from "../../src/layers/ReadinessPostgres.ts"
import { Providers } from "../../src/layers/Providers.ts"
import { Services } from "../../src/layers/Services.ts"
import * as TokensJwt from "../../src/layers/TokensJwt.ts"
import * as TokensMint from "../../src/layers/TokensMint.ts"
import type { OrgId } from "../../src/domain/Ids.ts"
import { ApiKeys } from "../../src/services/ApiKeys.ts"
import type { Person } from "./People.ts"
import * as QuietConsole from "./QuietConsole.ts"
import * as TestDatabase from "./TestDatabase.ts"
import { ahead } from "./Time.ts"

export const secret = "a secret of the test app's, longer than 32 bytes"

/** An org's platform: its servers, with an API key. */
export interface Platform {
  readonly orgId: OrgId
  readonly key: string
}

export interface Answer {
  readonly status: number
  /** By lower-case name; what came more than once is joined by a comma. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly bytes: Uint8Array
  readonly text: string
  /** Undefined when the body is not JSON. */
  readonly json: any
}

export interface Options {
  /** A string or bytes go out as they are; anything else as JSON. */
  readonly body?: unknown
  /** Beside and instead of the caller's own; `undefined` leaves one out, a list sends it more than once. */
  readonly headers?: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>
}

export interface LogLine {
  readonly message: unknown
  readonly level: string
  readonly annotations: Readonly<Record<string, unknown>>
  readonly cause?: string
  /** The line as production writes it. */
  readonly text: string
}

/** The whole application on a real socket of the loopback, and a client for it. */
export class App extends Context.Service<
  App,
  {
    readonly baseUrl: string
    readonly port: number
    /** Sends a request with the caller's token (or API key) and orgid, or without any. */
    readonly call: (
      who: Person | Platform | undefined,
      method: string,
      path: string,
      options?: Options
    ) => Effect.Effect<Answer>
    /** The person's token: one and the same for an hour. */
    readonly tokenOf: (person: Person) => Effect.Effect<string>
    /** An API key for the org's platform. */
    readonly platformOf: (orgId: OrgId) => Effect.Effect<Platform>
    /** A connection to write to what no HTTP client would. */
    readonly socket: Effect.Effect<Socket, never, Scope.Scope>
    /** Writes to a connection of its own and reads until the server closes it: ask for `Connection: close`. */
    readonly raw: (...parts: ReadonlyArray<string | Uint8Array>) => Effect.Effect<string>
    /** What the application has logged, oldest first. */
    readonly logs: ReadonlyArray<LogLine>
    /** Lets time go by for the application (the database keeps its own). */
    readonly advance: (duration: Duration.Input) => Effect.Effect<void>
  }
>()("portico/test/App") {}

type Settings = Partial<HttpSettings["Service"]>

const serve = (settings: Settings) =>
  Layer.unwrap(
    Clock.clockWith((real) =>
      Effect.sync(() => {
        const { taking: patience } = { ...defaults, ...settings }.patience
        const logs: Array<LogLine> = []
        let milliseconds = 0
        const recorder = Logger.make<unknown, void>((options) => {
          const { annotations, cause, level, message } = Logger.formatStructured.log(options)
          const text = Logger.formatJson.log(options)
          logs.push({ message, level, annotations, text, ...(cause !== undefined && { cause }) })
        })
        const advance = (duration: Duration.Input) =>
          Effect.sync(() => {
            milliseconds += Duration.toMillis(Duration.fromInputUnsafe(duration))
          })

        const told = Layer.mergeAll(
          Logger.layer([recorder]),
          Layer.succeed(References.MinimumLogLevel, "All"),
          Layer.succeed(
            Clock.Clock,
            ahead(real, () => milliseconds)
          )
        )
        // As main.ts serves it.
        const server = HttpRouter.serve(Routes, {
          disableLogger: true,
          disableListenLog: true,
          routerConfig: { caseSensitive: true, ignoreDuplicateSlashes: false, maxParamLength: 1024 }
        }).pipe(Layer.provide(told))
        const app = Layer.effect(App, client({ logs, advance })).pipe(Layer.provide(configuration))
        return Layer.merge(app, server).pipe(
          Layer.provide(
            Layer.unwrap(
              Load.useSync(({ inTurn, refuse: refusal }) =>
                NodeServer.layer({
                  port: 0,
                  host: "127.0.0.1",
                  gracefulShutdownTimeout: "1 second",
                  patience,
                  refusal,
                  inTurn
                })
              )
            )
          ),
          Layer.provide(Layer.provide(Load.layer, told)),
          Layer.provide(Layer.succeed(HttpSettings, { ...defaults, ...settings }))
        )
      })
    )
  )

export const defaults: HttpSettings["Service"] = {
  rateLimit: 1_000_000,
  maxInFlight: 100_000,
  maxInFlightPerCustomer: 100_000,
  corsOrigins: [],
  strictTransport: false,
  patience: { sending: 15_000, taking: 20_000 }
}

/** Files of all tests of this worker: the system clears its temporary folders. */
export const dataDir = mkdtempSync(path.join(tmpdir(), "portico-app-"))

const configuration = ConfigProvider.layer(
  ConfigProvider.fromEnv({ env: { AUTH_JWT_SECRET: secret, DATA_DIR: dataDir } })
)

const services = Services.pipe(
  Layer.provide(Providers.pipe(Layer.provide(QuietConsole.layer))),
  Layer.provideMerge(Layer.mergeAll(TokensJwt.layer, ReadinessPostgres.layer)),
  Layer.provide(FetchHttpClient.layer),
  Layer.provide(configuration)
)

/** The application as the operator has set it. `instead` takes the place of services. */
export const layerWith = <A = never>(
  settings: Settings,
  instead: Layer.Layer<A> = Layer.empty as Layer.Layer<A>,
  database: typeof TestDatabase.layer = TestDatabase.layer
) => serve(settings).pipe(Layer.provideMerge(Layer.merge(services, instead)), Layer.provideMerge(database))

/** The application without limits that a test could run into. */
export const layer = layerWith({})

const client = Effect.fnUntraced(function* (own: Pick<App["Service"], "logs" | "advance">) {
  const { address } = yield* HttpServer.HttpServer
  const baseUrl = HttpServer.formatAddress(address)
  const port = Number(new URL(baseUrl).port)
  const apiKeys = yield* ApiKeys
  const provider = yield* ConfigProvider.ConfigProvider
  const agent = yield* Effect.acquireRelease(
    Effect.sync(() => new Agent({ keepAlive: true })),
    (agent) => Effect.sync(() => agent.destroy())
  )

  const tokens = new WeakMap<Person, string>()
  const tokenOf = Effect.fnUntraced(function* (person: Person) {
    const known = tokens.get(person)
    if (known !== undefined) return known
    const token = yield* TokensMint.mint({
      secret: Redacted.make(secret),
      claims: person.claims,
      expiresIn: "1 hour"
    }).pipe(Effect.provideService(ConfigProvider.ConfigProvider, provider), Effect.orDie)
    tokens.set(person, token)
    return token
  })

  const call: App["Service"]["call"] = Effect.fnUntraced(function* (who, method, path, options = {}) {
    const { body } = options
    const headers: OutgoingHttpHeaders = {}
    if (who !== undefined) {
      headers["orgid"] = who.orgId
      if ("key" in who) headers["x-api-key"] = who.key
      else headers["authorization"] = `Bearer ${yield* tokenOf(who)}`
    }
    const bytes = body === undefined ? undefined : bytesOf(body)
    if (bytes !== undefined) {
      headers["content-type"] = "application/json"
      headers["content-length"] = bytes.length
    }
    for (const [name, value] of Object.entries(options.headers ?? {})) {
      if (value === undefined) delete headers[name]
      else headers[name] = typeof value === "string" ? value : [...value]
    }
    return yield* send(port, agent, method, path, headers, bytes)
  })

  const socket = Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const socket = connect({ port, host: "127.0.0.1" }, () => resume(Effect.succeed(socket)))
      socket.on("error", () => {})
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

  return App.of({
    ...own,
    baseUrl,
    port,
    call,
    tokenOf,
    platformOf: (orgId) => Effect.map(apiKeys.create(orgId, "test"), ({ key }) => ({ orgId, key })),
    socket,
    raw: (...parts) =>
      Effect.scoped(
        Effect.flatMap(socket, (socket) =>
          Effect.callback<string>((resume) => {
            const chunks: Array<Buffer> = []
            socket.on("data", (chunk) => chunks.push(chunk))
            socket.on("close", () => resume(Effect.succeed(Buffer.concat(chunks).toString("utf8"))))
            for (const part of parts) socket.write(part)
          })
        )
      ).pipe(Effect.timeout("10 seconds"), Effect.orDie)
  })
})

const bytesOf = (body: unknown): Buffer =>
  body instanceof Uint8Array ? Buffer.from(body) : Buffer.from(typeof body === "string" ? body : JSON.stringify(body))

const send = (
  port: number,
  agent: Agent,
  method: string,
  path: string,
  headers: OutgoingHttpHeaders,
  bytes: Buffer | undefined
) =>
  Effect.callback<Answer, Error>((resume) => {
    const sent = request({ host: "127.0.0.1", port, agent, method, path, headers }, (response) => {
      const chunks: Array<Buffer> = []
      const done = () => resume(Effect.succeed(answerOf(response.statusCode!, response.headers, Buffer.concat(chunks))))
      response.on("data", (chunk) => chunks.push(chunk))
      response.on("error", (error) => resume(Effect.fail(error)))
      response.on("end", done)
      // Has no end: what comes first and soon is the answer, and then the reader leaves.
      if (response.headers["content-type"]?.startsWith("text/event-stream") === true) {
        response.once("data", () => {
          setTimeout(() => {
            done()
            sent.destroy()
          }, 100)
        })
      }
    })
    sent.on("error", (error) => resume(Effect.fail(error)))
    sent.end(bytes)
    return Effect.sync(() => sent.destroy())
  }).pipe(Effect.timeout("20 seconds"), Effect.orDie)

const answerOf = (status: number, received: IncomingHttpHeaders, bytes: Buffer): Answer => {
  const headers: Record<string, string> = {}
  for (const [name, value] of Object.entries(received)) headers[name] = [value].flat().join(", ")
  const text = bytes.toString("utf8")
  const isJson =
    headers["content-encoding"] === undefined &&
    /^application\/(?:problem\+)?json\b/.test(headers["content-type"] ?? "")
  return { status, headers, bytes, text, json: isJson && text !== "" ? JSON.parse(text) : undefined }
}
