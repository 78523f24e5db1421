import { ConfigProvider, Effect, Layer } from "effect"
import { randomBytes } from "node:crypto"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import path from "node:path"

/** A secret made on the first start in local mode and kept beside the data, so that tokens outlive a restart. */
const localSecret = (dataDir: string): string => {
  const file = path.join(dataDir, "secret")
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    writeFileSync(file, randomBytes(32).toString("base64url"), { flag: "wx", mode: 0o600 })
  } catch {
    // It is there already, or cannot be: the settings have a sentence for a folder that is of no use.
  }
  try {
    return readFileSync(file, "utf8").trim()
  } catch {
    return ""
  }
}

/** The environment, without the variables that nobody filled in, and in local mode with what makes it run unconfigured. */
export const variables = (env: Readonly<Record<string, string | undefined>>): Record<string, string> => {
  const filled: Record<string, string> = {}
  for (const [name, value] of Object.entries(env)) if (value !== undefined && value.trim() !== "") filled[name] = value
  const local = (filled["APP_ENV"] ?? "local") === "local"
  if (local && filled["AUTH_JWT_SECRET"] === undefined && filled["AUTH_JWKS_URL"] === undefined) {
    filled["AUTH_JWT_SECRET"] = localSecret(filled["DATA_DIR"] ?? ".data")
  }
  return filled
}

export const layer = Layer.unwrap(
  Effect.sync(() => ConfigProvider.layer(ConfigProvider.fromEnv({ env: variables(process.env) })))
)
