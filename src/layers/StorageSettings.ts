import { Config, Effect, Redacted } from "effect"
import { randomBytes } from "node:crypto"
import path from "node:path"
import { refuse } from "./ProviderSettings.ts"

export interface S3Settings {
  readonly _tag: "S3"
  readonly bucket: string
  readonly region: string
  /** Of another server than Amazon's. */
  readonly endpoint: string | undefined
  /** None: the SDK looks for them, as on a machine of Amazon's. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: Redacted.Redacted } | undefined
}

export interface StorageSettings {
  readonly storage: S3Settings | { readonly _tag: "Disk"; readonly folder: string } | { readonly _tag: "Off" }
  readonly links: { readonly secret: Redacted.Redacted; readonly publicUrl: string }
}

const text = (name: string) =>
  Config.String(name).pipe(
    Config.withDefault(""),
    Config.map((value) => value.trim())
  )

const isOrigin = (value: string) => {
  const url = URL.parse(value)
  return url !== null && /^https?:$/.test(url.protocol) && url.search === "" && url.hash === ""
}

/**
 * Where files are: in a bucket where one is named, else in local mode on this machine's disk. In production that has to
 * be said: a disk is no place that several replicas share.
 */
export const settings: Config.Config<StorageSettings> = Config.all({
  appEnv: text("APP_ENV"),
  storage: text("STORAGE"),
  dataDir: text("DATA_DIR"),
  bucket: text("S3_BUCKET"),
  region: text("S3_REGION"),
  endpoint: text("S3_ENDPOINT"),
  accessKeyId: text("AWS_ACCESS_KEY_ID"),
  secretAccessKey: text("AWS_SECRET_ACCESS_KEY"),
  secret: text("FILES_URL_SECRET"),
  localSecret: text("AUTH_JWT_SECRET"),
  publicUrl: text("PUBLIC_URL"),
  port: text("PORT")
}).pipe(
  Config.mapEffect((all): Effect.Effect<StorageSettings, Config.ConfigError> => {
    const production = all.appEnv === "production"
    const off = all.storage === "off"
    const on = all.bucket !== ""
    const problems = [
      !["", "disk", "off"].includes(all.storage) && "STORAGE: expected disk or off, or nothing beside S3_BUCKET",
      on && all.storage !== "" && "STORAGE: expected nothing beside S3_BUCKET",
      production && !on && all.storage === "" && "S3_BUCKET: required in production, or STORAGE=disk, or STORAGE=off",
      all.endpoint !== "" && !isOrigin(all.endpoint) && "S3_ENDPOINT: expected an http or https URL",
      (all.accessKeyId === "") !== (all.secretAccessKey === "") &&
        "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY: expected both or neither",
      on && all.endpoint !== "" && all.accessKeyId === "" && "AWS_ACCESS_KEY_ID: required with S3_ENDPOINT",
      all.secret !== "" && all.secret.length < 32 && "FILES_URL_SECRET: expected 32 characters or more",
      production && !off && all.secret === "" && "FILES_URL_SECRET: required in production, or STORAGE=off",
      all.publicUrl !== "" && !isOrigin(all.publicUrl) && "PUBLIC_URL: expected an http or https URL",
      production && !off && all.publicUrl === "" && "PUBLIC_URL: required in production, or STORAGE=off"
    ].filter((problem) => problem !== false)
    if (problems.length > 0) return refuse(...problems)
    return Effect.succeed({
      storage: off
        ? { _tag: "Off" }
        : on
          ? s3Of(all)
          : { _tag: "Disk", folder: path.join(all.dataDir || ".data", "files") },
      links: {
        // Local mode has a secret already; where it has none, its links need not outlive it.
        secret: Redacted.make(all.secret || all.localSecret || randomBytes(32).toString("base64url")),
        publicUrl: (all.publicUrl || `http://127.0.0.1:${all.port || 3000}`).replace(/\/+$/, "")
      }
    })
  })
)

const s3Of = (
  all: Readonly<Record<"accessKeyId" | "bucket" | "endpoint" | "region" | "secretAccessKey", string>>
): S3Settings => ({
  _tag: "S3",
  bucket: all.bucket,
  region: all.region || "us-east-1",
  endpoint: all.endpoint || undefined,
  credentials:
    all.accessKeyId === ""
      ? undefined
      : { accessKeyId: all.accessKeyId, secretAccessKey: Redacted.make(all.secretAccessKey) }
})
