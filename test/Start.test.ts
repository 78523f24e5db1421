import { execFile } from "node:child_process"
import { randomBytes } from "node:crypto"
import { Agent, createServer, type IncomingMessage, request } from "node:http"
import { mkdtempSync, rmSync } from "node:fs"
import type { AddressInfo } from "node:net"
import { tmpdir } from "node:os"
import path from "node:path"
import { Effect } from "effect"
import { afterAll, assert, describe, inject, it } from "vitest"
import { freePort, type Running, source, start } from "./support/Process.ts"
import * as TestServer from "./support/TestServer.ts"

const folder = mkdtempSync(path.join(tmpdir(), "portico-start-"))
const started: Array<Running> = []
const server = (env: Readonly<Record<string, string>>) => {
  const running = source("src/main.ts", [], env)
  started.push(running)
  return running
}
const token = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
  source("src/token.ts", args, { DATA_DIR: path.join(folder, "token"), ...env }).ended

afterAll(async () => {
  for (const { child } of started) child.kill("SIGKILL")
  await Promise.all(started.map(({ ended }) => ended))
  rmSync(folder, { recursive: true, force: true })
})

const secret = "not-for-anybody-to-read-not-for-anybody"

describe("A server that is configured wrongly", () => {
  it("names every wrong variable at once, a line each, and shows no value", async () => {
    const wrong = {
      APP_ENV: "staging-env",
      PORT: "many-ports",
      DATA_DIR: path.join(import.meta.filename, "below-a-file"),
      RATE_LIMIT: "-77",
      MAX_IN_FLIGHT: "0000",
      MAX_IN_FLIGHT_PER_CUSTOMER: "-1234",
      CORS_ORIGINS: "https://portal.example/with-a-path",
      PLATFORM_API_KEYS: "acme:short-key",
      LOG_LEVEL: "shouting",
      OTEL_EXPORTER_OTLP_ENDPOINT: "ftp-collector",
      DATABASE_URL: "postgres://owner:pass-word@db.example:99999/portico",
      DATABASE_POOL: "lots-of-them",
      DATABASE_PLATFORM_POOL: "0",
      DATABASE_OWNER_POOL: "1001",
      AUTH_JWT_SECRET: "too-short",
      AUTH_ALGORITHMS: "HS256-or-so",
      AUTH_DEFAULT_TYPE: "robot"
    }

    const { code, stderr, stdout } = await server(wrong).ended

    const [head, ...lines] = stderr.trimEnd().split("\n")
    assert.strictEqual(code, 1)
    assert.strictEqual(stdout, "")
    assert.strictEqual(head, "The configuration is not usable:")
    assert.sameMembers(
      lines.map((line) => /^ {2}([A-Z_]+): \S/.exec(line)?.[1]),
      Object.keys(wrong)
    )
    for (const value of Object.values(wrong)) if (value.length > 4) assert.notInclude(stderr, value)
    for (const part of ["pass-word", "99999", "short-key"]) assert.notInclude(stderr, part)
  })

  it("does not run in production without a database and an identity source", async () => {
    const { code, stderr } = await server({ APP_ENV: "production", DATA_DIR: path.join(folder, "production") }).ended

    assert.strictEqual(code, 1)
    for (const name of ["DATABASE_URL", "AUTH_JWT_SECRET, AUTH_JWKS_URL", "AUTH_ISSUER", "AUTH_AUDIENCE"]) {
      assert.include(stderr, `  ${name}: `)
    }
  })

  it("takes empty variables for absent ones", async () => {
    const { stderr } = await server({ APP_ENV: "production", DATABASE_URL: "", AUTH_JWT_SECRET: " ", PORT: "" }).ended

    assert.include(stderr, "DATABASE_URL: required")
    assert.notInclude(stderr, "PORT")
  })

  it("says which server it cannot reach, without the password", async () => {
    const port = await freePort()
    const DATABASE_URL = `postgres://owner:pass-word@127.0.0.1:${port}/portico`

    const { code, stderr } = await server({ DATABASE_URL, DATA_DIR: folder, AUTH_JWT_SECRET: secret }).ended

    assert.strictEqual(code, 1)
    assert.match(stderr, new RegExp(`^PgConnection: .*127\\.0\\.0\\.1:${port}\n$`))
    assert.notInclude(stderr, "pass-word")
  })
})

describe("npm run -s token", () => {
  const claimsOf = (jwt: string) => JSON.parse(Buffer.from(jwt.split(".")[1]!, "base64url").toString())

  it("prints a token and nothing else", async () => {
    const { code, stderr, stdout } = await start(
      ["npm", "run", "-s", "token", "--", "--org", "demo", "--customer", "ada", "--email", "ada@example.com"],
      { DATA_DIR: path.join(folder, "token") }
    ).ended

    assert.match(stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/)
    assert.deepEqual({ code, stderr }, { code: 0, stderr: "" })
    const { exp, iat, ...claims } = claimsOf(stdout)
    assert.deepEqual(claims, {
      type: "customer",
      sub: "ada",
      org: "demo",
      email: "ada@example.com",
      email_verified: true
    })
    assert.strictEqual(exp - iat, 3600)
  })

  it("makes tokens for users, for as long as it is told, as the issuer's would look", async () => {
    const { stdout } = await token(["--org", "demo", "--user", "user-ada", "--expires", "7d", "--name", "Ada L"], {
      AUTH_JWT_SECRET: secret,
      AUTH_ISSUER: "https://id.example.com/",
      AUTH_AUDIENCE: "portico",
      AUTH_CLAIM_ORG: "tenant"
    })

    const { exp, iat, ...claims } = claimsOf(stdout)
    assert.deepEqual(claims, {
      type: "user",
      sub: "user-ada",
      tenant: "demo",
      name: "Ada L",
      iss: "https://id.example.com/",
      aud: "portico"
    })
    assert.strictEqual(exp - iat, 7 * 24 * 3600)
  })

  it("explains itself on stderr when the arguments make no sense", async () => {
    const wrong = [
      ["--org", "demo"],
      ["--org", "demo", "--customer", "ada", "--user", "user-ada"],
      ["--org", "demo", "--customer", "a b"],
      ["--org", "demo", "--customer", "ada", "--expires", "soon"]
    ]
    for (const args of wrong) {
      const { code, stderr, stdout } = await token(args)
      assert.deepEqual({ args, code, stdout }, { args, code: 2, stdout: "" })
      assert.include(stderr, "USAGE\n  token ")
    }
  }, 60_000)

  it("says that it cannot sign for an issuer elsewhere", async () => {
    const { code, stderr, stdout } = await token(["--org", "demo", "--customer", "ada"], {
      AUTH_JWKS_URL: "https://id.example.com/jwks.json",
      AUTH_ISSUER: "https://id.example.com/",
      AUTH_AUDIENCE: "portico"
    })

    assert.deepEqual({ code, stdout }, { code: 1, stdout: "" })
    assert.include(stderr, "  AUTH_JWKS_URL: ")
  })
})

describe("A server in local mode", () => {
  const dataDir = path.join(folder, "local")
  const launch = async () => {
    const port = await freePort()
    const running = server({ DATA_DIR: dataDir, PORT: String(port) })
    const [, curl] = await running.says(/^ {2}(curl .*)$/m)
    return { ...running, port, curl: curl! }
  }
  const customer = "/client-data/profile"

  it("starts on nothing, prints a curl that works, and lets running requests finish before it ends", async () => {
    const { child, curl, ended, port, stderr, stdout } = await launch()

    const printed = await shell(curl)
    assert.strictEqual(JSON.parse(printed).total, 3)
    assert.include(stdout(), `http://127.0.0.1:${port}/docs`)
    assert.strictEqual(stderr(), "")
    const headers = headersOf(curl)
    const key = /(pk_demo_\S+)/.exec(stdout())![1]!
    const pushed = await call(port, "GET", "/platform/customers/ada", { orgid: "demo", "x-api-key": key })
    assert.strictEqual(pushed.status, 200, pushed.text)

    // The same folder serves one process: the second says so.
    const second = await server({ DATA_DIR: dataDir, PORT: String(await freePort()) }).ended
    const admin = await source("src/admin.ts", ["org", "list"], { DATA_DIR: dataDir }).ended
    for (const { code, stderr, stdout } of [second, admin]) {
      assert.deepEqual({ code, stdout }, { code: 1, stdout: "" })
      assert.match(stderr, /^The embedded database in \S+ is in use by another process \(a running server\)\.\n$/)
    }

    // A request that is half sent when the signal comes, one without hurry.
    const slow = half(port, customer, headers, '{"about":"finished')
    await slow.connected
    assert.strictEqual((await call(port, "GET", "/readyz")).status, 200)
    const signalled = Date.now()
    child.kill("SIGTERM")
    await until(async () => (await call(port, "GET", "/readyz")).status === 503)
    assert.isBelow(Date.now() - signalled, 1_000)
    assert.strictEqual((await call(port, "GET", "/livez")).status, 200)
    assert.strictEqual((await call(port, "GET", customer, headers)).status, 200)
    // npm tells it again, for as long as it runs.
    child.kill("SIGTERM")
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    const answer = await slow.finish(' in time"}')
    assert.deepEqual([answer.status, JSON.parse(answer.text).about], [200, "finished in time"])
    const { code } = await ended
    assert.deepEqual([code, stderr()], [0, ""])
    assert.isBelow(Date.now() - signalled, 10_000)
  }, 90_000)

  it("has kept everything when it starts again, and ends at once on Ctrl-C", async () => {
    const { child, curl, ended, port, stdout } = await launch()

    const headers = headersOf(curl)
    assert.strictEqual(JSON.parse((await call(port, "GET", customer, headers)).text).about, "finished in time")
    const { stdout: minted } = await token(["--org", "demo", "--customer", "ada"], { DATA_DIR: dataDir })
    const own = { ...headers, authorization: `Bearer ${minted.trim()}` }
    assert.strictEqual((await call(port, "GET", customer, own)).status, 200)
    // A client that keeps its connection, and a terminal that tells npm and the server of one Ctrl-C.
    const agent = new Agent({ keepAlive: true })
    await call(port, "GET", "/livez", {}, agent)
    const slow = half(port, customer, own, '{"about":"finished')
    await slow.connected
    const signalled = Date.now()
    child.kill("SIGINT")
    await new Promise((resolve) => setTimeout(resolve, 100))
    child.kill("SIGINT")
    await new Promise((resolve) => setTimeout(resolve, 100))
    assert.strictEqual((await slow.finish(' again"}')).status, 200)
    const { code } = await ended
    agent.destroy()

    assert.strictEqual(code, 0, stdout())
    assert.isBelow(Date.now() - signalled, 3_000)
  }, 60_000)

  it("does not wait for ever for a request that never ends", async () => {
    const { child, curl, ended, port } = await launch()

    const slow = half(port, customer, headersOf(curl), '{"about":')
    await slow.connected
    const signalled = Date.now()
    child.kill("SIGTERM")
    const { code } = await ended

    assert.strictEqual(code, 0)
    assert.isBelow(Date.now() - signalled, 10_000)
  }, 60_000)

  it("runs with the tokens of an issuer elsewhere", async () => {
    const port = await freePort()
    const running = server({
      DATA_DIR: dataDir,
      PORT: String(port),
      AUTH_JWKS_URL: "http://127.0.0.1:1/jwks.json",
      AUTH_ISSUER: "https://id.example.com/",
      AUTH_AUDIENCE: "portico"
    })
    await running.says(/id\.example\.com|127\.0\.0\.1:1\b/)
    assert.strictEqual((await call(port, "GET", "/readyz")).status, 200)
    running.child.kill("SIGINT")
    assert.strictEqual((await running.ended).code, 0)
  }, 60_000)

  it("tells a collector what it does, with no word of who asked for what, and its log goes on as ever", async () => {
    const told: Array<{ readonly path: string; readonly text: string }> = []
    const collector = createServer((sent, response) => {
      let text = ""
      sent.setEncoding("utf8").on("data", (chunk) => (text += chunk))
      sent.on("end", () => {
        told.push({ path: sent.url!, text })
        response.end("{}")
      })
    })
    await new Promise<void>((resolve) => collector.listen(0, "127.0.0.1", resolve))
    const port = await freePort()
    const running = server({
      DATA_DIR: dataDir,
      PORT: String(port),
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
    })
    const [, curl] = await running.says(/^ {2}(curl .*)$/m)
    const headers = headersOf(curl!)

    const answers = [
      await call(port, "GET", `${customer}?search=a-query`, headers),
      await call(port, "GET", "/client-data/files/a-name.txt", headers),
      await call(port, "GET", "/files/a-link", { "x-forwarded-for": "192.0.2.77" })
    ]
    running.child.kill("SIGINT")
    const { code, stdout } = await running.ended
    await new Promise((resolve) => collector.close(resolve))

    assert.deepEqual([code, ...answers.map(({ status }) => status)], [0, 200, 404, 404])
    assert.deepEqual([...new Set(told.map(({ path }) => path))].sort(), ["/v1/logs", "/v1/metrics", "/v1/traces"])
    const all = told.map(({ text }) => text).join("\n")
    for (const word of ["/client-data/profile", "Profiles.get", "http.route", "http_requests_total", "Answered"]) {
      assert.include(all, word)
    }
    const [, bearer] = headers["authorization"]!.split(" ")
    for (const word of ["a-query", "a-name", "a-link", "192.0.2.77", "127.0.0.1:", "Ada Lovelace", bearer!]) {
      assert.notInclude(all, word)
    }
    assert.match(
      stdout,
      /^[\d:.]{12} INFO {2}Answered requestId=\S+ method=GET route=\/client-data\/profile status=200/m
    )
  }, 60_000)

  it("says that its port is taken", async () => {
    const { child, ended, port } = await launch()

    const second = await server({ DATA_DIR: path.join(folder, "other"), PORT: String(port) }).ended
    child.kill("SIGINT")
    await ended

    assert.strictEqual(second.code, 1)
    assert.match(second.stderr, new RegExp(`^Cannot listen: .*127\\.0\\.0\\.1:${port}\n$`))
  }, 60_000)
})

describe("npm run -s admin", () => {
  const url = inject("server")?.url
  const name = `portico_admin_${randomBytes(4).toString("hex")}`
  const env: Record<string, string> =
    url === undefined ? { DATA_DIR: path.join(folder, "admin") } : { DATABASE_URL: TestServer.at(url, name) }
  const admin = (...args: ReadonlyArray<string>) => source("src/admin.ts", args, env).ended

  it("makes orgs and keys, lists and revokes them, seeds and migrates", async () => {
    if (url !== undefined) await Effect.runPromise(TestServer.run(url, `CREATE DATABASE ${name}`))
    try {
      assert.deepInclude(await admin("org", "create", "acme", "--name", "Acme Inc"), { code: 0, stderr: "" })
      assert.deepInclude(await admin("org", "create", "acme"), { code: 1, stderr: "There is an org acme already.\n" })
      assert.match((await admin("org", "list")).stdout, /^acme {2}\S+Z {2}Acme Inc\n$/)

      const created = await admin("api-key", "create", "acme", "--name", "ci")
      assert.match(created.stdout, /^pk_[\w-]{43}\n$/)
      const id = /key_\w+/.exec(created.stderr)![0]
      const revoked = await admin("api-key", "revoke", "acme", id)
      assert.deepInclude(revoked, { code: 0, stderr: "" })
      const listed = await admin("api-key", "list", "acme")
      assert.match(listed.stdout, new RegExp(`^${id} {2}\\S+Z {2}revoked \\S+Z {2}ci\n$`))
      assert.deepInclude(await admin("api-key", "create", "nowhere"), { code: 1, stderr: "There is no org nowhere.\n" })

      assert.match((await admin("seed")).stdout, /^Filled the org demo/)
      assert.match((await admin("migrate")).stdout, /^The schema is at migration \d+\.\n$/)
    } finally {
      if (url !== undefined) await Effect.runPromise(TestServer.run(url, `DROP DATABASE ${name} WITH (FORCE)`))
    }
  }, 120_000)

  it("explains itself on stderr when the arguments make no sense", async () => {
    for (const args of [[], ["org", "create", "a b"], ["sed"]]) {
      const { code, stderr, stdout } = await admin(...args)
      assert.deepEqual({ args, code, stdout }, { args, code: 2, stdout: "" })
      assert.include(stderr, "USAGE\n  admin ")
    }
  }, 60_000)

  it("works on no database of its own in production", async () => {
    const { code, stderr } = await source("src/admin.ts", ["migrate"], { APP_ENV: "production" }).ended

    assert.deepEqual(
      { code, stderr },
      { code: 1, stderr: "The configuration is not usable:\n  DATABASE_URL: required in production\n" }
    )
  })
})

const shell = (command: string) =>
  new Promise<string>((resolve, reject) =>
    execFile("sh", ["-c", command], (error, stdout) => (error === null ? resolve(stdout) : reject(error)))
  )

const headersOf = (curl: string) =>
  Object.fromEntries(
    [...curl.matchAll(/-H '([^:]+): ([^']+)'/g)].map(([, name, value]) => [name!.toLowerCase(), value!])
  )

const answer = (response: IncomingMessage) =>
  new Promise<{ readonly status: number; readonly text: string }>((resolve, reject) => {
    let text = ""
    response.setEncoding("utf8").on("data", (chunk) => (text += chunk))
    response.on("end", () => resolve({ status: response.statusCode!, text }))
    response.on("error", reject)
  })

const call = (port: number, method: string, path: string, headers: Record<string, string> = {}, agent?: Agent) =>
  new Promise<{ readonly status: number; readonly text: string }>((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, method, path, headers, agent: agent ?? false })
    sent.on("response", (response) => answer(response).then(resolve, reject))
    sent.on("error", reject)
    sent.end()
  })

/** A PUT whose body is held back from the middle on. */
const half = (port: number, path: string, headers: Record<string, string>, first: string) => {
  const sent = request({
    host: "127.0.0.1",
    port,
    method: "PUT",
    path,
    headers: { ...headers, "content-type": "application/json" },
    agent: false
  })
  const answered = new Promise<{ readonly status: number; readonly text: string }>((resolve, reject) => {
    sent.on("response", (response) => answer(response).then(resolve, reject))
    sent.on("error", reject)
  })
  answered.catch(() => {})
  return {
    connected: new Promise<void>((resolve) => sent.write(first, () => setTimeout(resolve, 200))),
    finish: (rest: string) => {
      sent.end(rest)
      return answered
    }
  }
}

const until = async (holds: () => Promise<boolean>) => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20))
}
