import { Effect, Redacted } from "effect"
import { Config } from "effect"
import { ApiKeys } from "../services/ApiKeys.ts"
import * as Demo from "./Demo.ts"
import type { Settings } from "./Settings.ts"
import { mint } from "./TokensMint.ts"
import type { CustomerId } from "../domain/Ids.ts"
import { createHash } from "node:crypto"

/** What a visitor to local mode needs: the demo org, and how to call it. */
export const welcome = Effect.fn("Welcome.welcome")(function* ({ host, port }: Settings) {
  yield* Demo.seed
  const secret = yield* Config.Redacted("AUTH_JWT_SECRET")
  // The same on every start, so that a script that uses it goes on working.
  const key = `pk_demo_${createHash("sha256")
    .update(`demo ${Redacted.value(secret)}`)
    .digest("base64url")
    .slice(0, 32)}`
  const apiKeys = yield* ApiKeys
  yield* apiKeys.ensure(Demo.org, key)
  const token = yield* mint({
    secret,
    claims: { type: "customer", sub: "ada" as CustomerId, org: Demo.org },
    expiresIn: "12 hours"
  })
  const address = `http://${host.includes(":") ? `[${host}]` : host}:${port}`
  yield* Effect.sync(() =>
    process.stdout.write(`
Portico listens at ${address}, and explains itself at ${address}/docs

A token for ada, a customer of the org demo, good for 12 hours:
  ${token}
The demo org's API key, for /platform:
  ${key}

Try it:
  curl -s ${address}/client-data/orders -H 'orgid: ${Demo.org}' -H 'Authorization: Bearer ${token}'

`)
  )
})
