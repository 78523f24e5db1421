import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { afterAll, assert, it } from "vitest"
import * as ApnsStandIn from "./support/ApnsStandIn.ts"
import * as FcmStandIn from "./support/FcmStandIn.ts"
import { freePort, source } from "./support/Process.ts"

const folder = mkdtempSync(path.join(tmpdir(), "portico-loading-"))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Says on stdout which of the packages a process loads, and by whose wish. */
const watching = `
  import { registerHooks } from "node:module"
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context)
      const name = /node_modules\\/(nodemailer|firebase-admin)\\//.exec(resolved.url)?.[1]
      if (name !== undefined) process.stdout.write("[loads " + name + "]\\n")
      return resolved
    }
  })`

/** The packages that a server has loaded once it listens. */
const loadedWith = async (env: Readonly<Record<string, string>>) => {
  const running = source("src/main.ts", [], {
    DATA_DIR: folder,
    PORT: String(await freePort()),
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(watching)}`,
    ...env
  })
  await running.says(/^ {2}curl /m)
  running.child.kill("SIGINT")
  const { code, stdout } = await running.ended
  assert.strictEqual(code, 0)
  return [...new Set([...stdout.matchAll(/^\[loads (.*)\]$/gm)].map(([, name]) => name!))].sort()
}

it("A server that sends no mail and no push of its own loads nothing for it", async () => {
  assert.deepStrictEqual(await loadedWith({}), [])
  assert.deepStrictEqual(await loadedWith({ MAIL: "off", PUSH: "off", SMS: "off" }), [])
}, 120_000)

it("A server loads what it is configured to send with", async () => {
  const configured = {
    SMTP_URL: "smtp://127.0.0.1:1",
    MAIL_FROM: "no-reply@acme.example",
    FCM_SERVICE_ACCOUNT: JSON.stringify({
      project_id: FcmStandIn.projectId,
      client_email: FcmStandIn.clientEmail,
      private_key: FcmStandIn.privateKey
    })
  }
  const apple = {
    APNS_KEY: ApnsStandIn.key,
    APNS_KEY_ID: ApnsStandIn.keyId,
    APNS_TEAM_ID: ApnsStandIn.teamId,
    APNS_TOPIC: ApnsStandIn.topic
  }

  assert.deepStrictEqual(await loadedWith(configured), ["firebase-admin", "nodemailer"])
  assert.deepStrictEqual(await loadedWith(apple), [])
}, 120_000)
