import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted } from "effect"
import * as Settings from "../../src/layers/Settings.ts"
import * as StorageSettings from "../../src/layers/StorageSettings.ts"

const read = (env: Readonly<Record<string, string>>) =>
  StorageSettings.settings.pipe(Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env })))
const problemsOf = (env: Readonly<Record<string, string>>) =>
  Settings.read({ storage: StorageSettings.settings }).pipe(
    Effect.provideService(ConfigProvider.ConfigProvider, ConfigProvider.fromEnv({ env })),
    Effect.flip,
    Effect.map(({ problems }) => problems.map((line) => line.split(":")[0]).sort())
  )

const secret = "a secret for links of more than 32 bytes"
const production = { APP_ENV: "production", FILES_URL_SECRET: secret, PUBLIC_URL: "https://api.example.com/" }
const bucket = { S3_BUCKET: "files", S3_REGION: "eu-central-1" }

describe("Storage", () => {
  it.effect("is a disk in local mode, a bucket where one is named, and nothing where that is said", () =>
    Effect.gen(function* () {
      const local = yield* read({ DATA_DIR: "/data", PORT: "3456", AUTH_JWT_SECRET: secret })
      const s3 = yield* read({ ...production, ...bucket })
      const disk = yield* read({ ...production, STORAGE: "disk", DATA_DIR: "/data" })
      const off = yield* read({ APP_ENV: "production", STORAGE: "off" })

      assert.deepStrictEqual(local.storage, { _tag: "Disk", folder: "/data/files" })
      assert.strictEqual(local.links.publicUrl, "http://127.0.0.1:3456")
      assert.strictEqual(Redacted.value(local.links.secret), secret)
      assert.deepStrictEqual(s3.storage, {
        _tag: "S3",
        bucket: "files",
        region: "eu-central-1",
        endpoint: undefined,
        credentials: undefined
      })
      assert.strictEqual(s3.links.publicUrl, "https://api.example.com")
      assert.deepStrictEqual([disk.storage._tag, off.storage._tag], ["Disk", "Off"])
    })
  )

  it.effect("has to be said in production, with where links lead and what signs them", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* problemsOf({ APP_ENV: "production", AUTH_JWT_SECRET: secret }), [
        "FILES_URL_SECRET",
        "PUBLIC_URL",
        "S3_BUCKET"
      ])
      assert.deepStrictEqual(yield* problemsOf({ APP_ENV: "production", STORAGE: "disk" }), [
        "FILES_URL_SECRET",
        "PUBLIC_URL"
      ])
    })
  )

  it.effect("names every wrong variable, without its value", () =>
    Effect.gen(function* () {
      const wrong = {
        STORAGE: "floppy",
        S3_ENDPOINT: "ftp-server",
        AWS_ACCESS_KEY_ID: "key-alone",
        FILES_URL_SECRET: "too-short",
        PUBLIC_URL: "not-a-url"
      }

      const { message } = yield* Effect.flip(read(wrong))

      assert.deepStrictEqual(yield* problemsOf(wrong), [
        "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY",
        "FILES_URL_SECRET",
        "PUBLIC_URL",
        "S3_ENDPOINT",
        "STORAGE"
      ])
      for (const value of Object.values(wrong)) assert.notInclude(message, value)
      assert.deepStrictEqual(yield* problemsOf({ ...bucket, STORAGE: "off" }), ["STORAGE"])
      assert.deepStrictEqual(yield* problemsOf({ ...bucket, S3_ENDPOINT: "http://127.0.0.1:9000" }), [
        "AWS_ACCESS_KEY_ID"
      ])
    })
  )
})
