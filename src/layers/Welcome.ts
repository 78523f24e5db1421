import { Effect, Redacted } from "effect"
import { createHash } from "node:crypto"
import type { CustomerId } from "../domain/Ids.ts"
import { ApiKeys } from "../services/ApiKeys.ts"
import * as Demo from "./Demo.ts"
import * as DemoAccounts from "./DemoAccounts.ts"
import * as DemoPaymentMethods from "./DemoPaymentMethods.ts"
import * as DemoSeed from "./DemoSeed.ts"
import type { Settings } from "./Settings.ts"
import { mint } from "./TokensMint.ts"
import * as TokensSettings from "./TokensSettings.ts"

/** What a visitor to local mode needs: the demo org, and how to call it. */
export const welcome = Effect.fn("Welcome.welcome")(function* ({ host, port }: Settings) {
  yield* DemoSeed.alone(Effect.andThen(Demo.seed, DemoPaymentMethods.seed))
  const address = `http://${visible(host)}:${port}`
  const lines = [`Portico listens at ${address}, and explains itself at ${address}/docs`]
  const { keys } = yield* TokensSettings.settings
  if (keys._tag === "Secret") {
    const { secret } = keys
    const apiKeys = yield* ApiKeys
    const key = demoKey(secret)
    yield* apiKeys.ensure(DemoAccounts.org, key)
    const claims = { type: "customer" as const, sub: "ada" as CustomerId, org: DemoAccounts.org }
    const token = yield* mint({ secret, claims, expiresIn: "12 hours" })
    lines.push(
      "",
      `A token for ada, a customer of the org ${DemoAccounts.org}, good for 12 hours:`,
      `  ${token}`,
      "The demo org's API key, for /platform:",
      `  ${key}`,
      "",
      "Try it:",
      `  curl -s ${address}/client-data/orders -H 'orgid: ${DemoAccounts.org}' -H 'Authorization: Bearer ${token}'`
    )
  } else {
    lines.push("", `Its demo org is ${DemoAccounts.org}; tokens come from the issuer of ${keys.url.origin}.`)
  }
  yield* Effect.sync(() => process.stdout.write(`\n${lines.join("\n")}\n\n`))
})

/** Where somebody on this machine reaches a server that listens on `host`. */
const visible = (host: string) => {
  const reached = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host
  return reached.includes(":") ? `[${reached}]` : reached
}

/** The same on every start, so that a script that uses it goes on working. */
const demoKey = (secret: Redacted.Redacted) => {
  const digest = createHash("sha256")
    .update(`demo ${Redacted.value(secret)}`)
    .digest("base64url")
  return `pk_demo_${digest.slice(0, 32)}`
}
