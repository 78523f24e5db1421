import { Effect, Layer, Redacted } from "effect"
import { createHash, randomBytes } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs"
import path from "node:path"
import type { TestProject } from "vitest/node"
import * as Embedded from "../../src/layers/Embedded.ts"
import * as Postgres from "../../src/layers/Postgres.ts"
import * as TestServer from "./TestServer.ts"

declare module "vitest" {
  interface ProvidedContext {
    /** A server, and the migrated database on it to clone. */
    readonly server: { readonly url: string; readonly template: string } | undefined
    /** A file with a migrated embedded database. */
    readonly snapshot: string
  }
}

/** Migrates once, so that a test file only has to copy. */
export default async function (project: TestProject): Promise<(() => Promise<void>) | undefined> {
  project.provide("snapshot", await snapshot())
  const url = process.env["TEST_DATABASE_URL"]
  if (url === undefined) return project.provide("server", undefined) as undefined
  const template = `portico_template_${randomBytes(4).toString("hex")}`
  await Effect.runPromise(TestServer.run(url, `CREATE DATABASE ${template}`))
  await build(Postgres.server(Redacted.make(TestServer.at(url, template))))
  project.provide("server", { url, template })
  return async () => void (await Effect.runPromise(TestServer.run(url, `DROP DATABASE ${template} WITH (FORCE)`)))
}

const build = <E>(database: Effect.Effect<Postgres.Database, E, never>) =>
  Effect.runPromise(Effect.scoped(Layer.build(Postgres.layerFrom(database))))

const snapshot = async (): Promise<string> => {
  const root = path.resolve(import.meta.dirname, "../..")
  const migrations = path.join(root, "src/layers/migrations")
  const hash = createHash("sha256")
  for (const file of readdirSync(migrations).sort()) hash.update(file).update(readFileSync(path.join(migrations, file)))
  for (const file of ["src/layers/Migrations.ts", "node_modules/@electric-sql/pglite/package.json"]) {
    hash.update(readFileSync(path.join(root, file)))
  }
  const cache = path.join(root, "node_modules/.cache/portico")
  const file = path.join(cache, `${hash.digest("hex").slice(0, 24)}.bin`)
  if (existsSync(file)) return file
  const bytes = await Effect.runPromise(
    Effect.scoped(
      Effect.gen(function* () {
        const { connect, dump } = yield* Embedded.make({})
        yield* Layer.build(Postgres.layerFrom(Effect.succeed({ connect, driver: "pglite", username: "postgres" })))
        return yield* dump
      })
    )
  )
  mkdirSync(cache, { recursive: true })
  const unfinished = `${file}.${process.pid}`
  writeFileSync(unfinished, bytes)
  renameSync(unfinished, file)
  const age = (name: string) => statSync(path.join(cache, name), { throwIfNoEntry: false })?.mtimeMs ?? 0
  const outdated = readdirSync(cache)
    .sort((a, b) => age(b) - age(a))
    .slice(3)
  for (const name of outdated) rmSync(path.join(cache, name), { force: true })
  return file
}
