import { assert, describe, layer } from "@effect/vitest"
import { Context, Duration, Effect, Option } from "effect"
import { SqlClient } from "effect/sql"
import { type AddressInfo, createServer } from "node:net"
import { CustomerSql, PlatformSql } from "../../src/services/Database.ts"
import { Cluster, missing } from "../support/Cluster.ts"
import * as Replicas from "../support/Replicas.ts"
import { asAcme, asAda, database, failureOf, manager, superuser, up } from "../support/Replicas.ts"

if (missing !== undefined) console.warn(`PostgresTls.test.ts is skipped: ${missing}`)

describe.skipIf(missing !== undefined)("A connection to Postgres", () => {
  layer(Replicas.layer, { excludeTestServices: true })((it) => {
    it.effect("encrypts every connection under sslmode=require, prefer and the two that verify", () =>
      Effect.gen(function* () {
        const { certificate } = yield* Cluster
        yield* database("encrypted")
        const encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        for (const [options, host] of [
          ["sslmode=require"],
          ["sslmode=prefer"],
          [`sslmode=require&sslrootcert=${certificate}`],
          [`sslmode=verify-ca&sslrootcert=${certificate}`, "127.0.0.1"],
          [`sslmode=verify-full&sslrootcert=${certificate}`]
        ]) {
          const context = yield* up(yield* manager("encrypted", options, host))
          const customer = Context.get(context, CustomerSql)
          const platform = Context.get(context, PlatformSql)
          const owner = Context.get(context, SqlClient.SqlClient)
          assert.deepEqual(yield* customer.unsafe(encrypted).pipe(asAda), [{ ssl: true }])
          assert.deepEqual(yield* platform.unsafe(encrypted).pipe(asAcme), [{ ssl: true }])
          assert.deepEqual(yield* owner.unsafe(encrypted), [{ ssl: true }])
          const wide = yield* customer`SELECT repeat('x', 100) AS line FROM generate_series(1, 30000)`.pipe(asAda)
          assert.strictEqual(wide.length, 30_000)
        }
      })
    )

    it.effect("cancels the statement of a customer who is gone", () =>
      Effect.gen(function* () {
        const customer = Context.get(yield* Effect.flatMap(database("cancelled"), up), CustomerSql)

        const [duration, answer] = yield* customer
          .withTransaction(customer`SELECT pg_sleep(20)`)
          .pipe(asAda, Effect.timeoutOption("200 millis"), Effect.timed)

        assert.isTrue(Option.isNone(answer))
        assert.isBelow(Duration.toMillis(duration), 2000)
        const busy = yield* superuser("SELECT 1 FROM pg_stat_activity WHERE datname = 'cancelled' AND state <> 'idle'")
        assert.strictEqual(busy.length, 0)
      })
    )

    it.effect("trusts no server under another certificate or another name", () =>
      Effect.gen(function* () {
        const { certificate, unrelatedCertificate } = yield* Cluster
        yield* database("distrusted")
        for (const [options, host, message] of [
          [`sslmode=verify-full&sslrootcert=${unrelatedCertificate}`, "localhost", "certificate"],
          [`sslmode=verify-ca&sslrootcert=${unrelatedCertificate}`, "localhost", "certificate"],
          [`sslmode=require&sslrootcert=${unrelatedCertificate}`, "localhost", "certificate"],
          ["sslmode=verify-full", "localhost", "certificate"],
          [`sslmode=verify-full&sslrootcert=${certificate}`, "127.0.0.1", "127.0.0.1"],
          ["sslmode=disable", "localhost", "no encryption"],
          [`sslmode=verify-full&sslrootcert=/nowhere`, "localhost", "cannot read sslrootcert=/nowhere"],
          ["sslmode=verify", "localhost", 'unknown sslmode "verify"']
        ] as const) {
          assert.include(yield* failureOf(up(yield* manager("distrusted", options, host))), message)
        }
      })
    )

    it.effect("never says a word in plain text to a server without TLS", () =>
      Effect.gen(function* () {
        const heard: Array<Buffer> = []
        const server = createServer((socket) => {
          socket.on("data", (chunk) => {
            heard.push(chunk)
            socket.write("N")
          })
        })
        yield* Effect.promise(() => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve)))
        yield* Effect.addFinalizer(() => Effect.sync(() => server.close()))
        const { port } = server.address() as AddressInfo

        const failure = yield* failureOf(up(`postgres://manager:secret@127.0.0.1:${port}/any?sslmode=require`))

        assert.include(failure, `The server at 127.0.0.1:${port} does not offer TLS`)
        assert.isTrue(heard.length > 0 && heard.every((chunk) => chunk.length === 8))
      })
    )
  })
})
