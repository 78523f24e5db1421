import { assert, describe, it } from "@effect/vitest"
import { Duplex } from "node:stream"
import { patient, tenantWire } from "../../src/layers/TenantWire.ts"

const message = (type: string, body: Uint8Array | string = "") => {
  const bytes = Buffer.from(body as string, "latin1")
  const head = Buffer.alloc(5)
  head.write(type, "latin1")
  head.writeInt32BE(bytes.length + 4, 1)
  return Buffer.concat([head, bytes])
}
const bind = (...params: ReadonlyArray<string>) =>
  message(
    "B",
    "\0statement\0\0\0\0" +
      String.fromCharCode(params.length) +
      params.map((param) => `\0\0\0${String.fromCharCode(param.length)}${param}`).join("") +
      "\0\0"
  )
const cycle = (...params: ReadonlyArray<string>) =>
  Buffer.concat([bind(...params), message("E", "\0\0\0\0\0"), message("S")])
const ready = (status: string) => message("Z", status)
const bound = message("2")
const row = (text: string) => message("D", text)
const done = message("C", "SELECT 1\0")
const error = message("E", "SERROR\0C57014\0\0")
/** What the server says to the first thing it is sent: it has prepared the setting. */
const prepared = Buffer.concat([message("1"), ready("I")])
const set = Buffer.concat([bound, row("tenant"), done])

const typesIn = (bytes: Buffer) => {
  const types: Array<string> = []
  for (let at = 0; at < bytes.length; at += 1 + bytes.readInt32BE(at + 1)) types.push(String.fromCharCode(bytes[at]!))
  return types.join("")
}

const connected = () => {
  const sent: Array<Buffer> = []
  const raw = new Duplex({
    read: () => {},
    write: (chunk: Buffer, _encoding, written) => {
      sent.push(chunk)
      written()
    }
  })
  const socket = tenantWire(raw)
  socket.write(Buffer.from("startup"))
  socket.push(Buffer.concat([message("R", "\0\0\0\0"), ready("I")]))
  sent.length = 0
  while (socket.read() !== null);
  return {
    socket,
    /** What goes to the server. */
    sent: () => Buffer.concat(sent.splice(0)),
    /** What comes back to the client. */
    received: () => {
      const chunks: Array<Buffer> = []
      for (let chunk = socket.read(); chunk !== null; chunk = socket.read()) chunks.push(chunk)
      return Buffer.concat(chunks)
    }
  }
}

describe("The tenant wire", () => {
  it("sends the tenant in front of a statement, in the same write", () => {
    const { received, sent, socket } = connected()

    socket.write(cycle("first", "acme", "ada"))

    const bytes = sent()
    assert.strictEqual(typesIn(bytes), "PS" + "BE" + "BES")
    assert.include(bytes.toString("latin1"), "\0\0\0\x04acme\0\0\0\x03ada\0\0")

    socket.push(Buffer.concat([prepared, set, bound, row("mine"), done, ready("I")]))
    assert.deepEqual(received(), Buffer.concat([bound, row("mine"), done, ready("I")]))

    socket.write(cycle("acme", "eve"))
    assert.strictEqual(typesIn(sent()), "BE" + "BES")
  })

  it("gives a statement that may take its time a limit of its own, and takes the reply to that out again", () => {
    const { received, sent, socket } = connected()
    const parse = (sql: string) => message("P", `\0${sql}\0\0\0`)

    socket.write(Buffer.concat([parse(`${patient}SELECT 1`), cycle("acme", "ada")]))
    const bytes = sent()
    assert.strictEqual(typesIn(bytes), "PS" + "PBE" + "PBES")
    assert.include(bytes.toString("latin1"), "set_config('statement_timeout', '5min', true)")
    assert.strictEqual(bytes.toString("latin1").split("\0\0\0\x04acme\0\0\0\x03ada\0\0").length, 3)
    const reply = Buffer.concat([message("1"), bound, row("mine"), done, ready("I")])
    socket.push(Buffer.concat([prepared, message("1"), set, reply]))
    assert.deepEqual(received(), reply)

    socket.write(Buffer.concat([parse("SELECT 1"), cycle("acme", "ada")]))
    assert.strictEqual(typesIn(sent()), "BE" + "PBES")
  })

  it("takes out only its own replies, however the bytes are cut", () => {
    const big = row("x".repeat(70_000))
    const replies = [bound, row("mine"), big, message("N", "notice\0"), done, ready("I")]
    const fromServer = Buffer.concat([prepared, message("S", "TimeZone\0UTC\0"), set, ...replies, set, ...replies])
    const toServer = Buffer.concat([cycle("acme", "ada"), cycle("other", "acme", "eve")])

    for (const size of [1, 2, 3, 5, 7, 64, 4096, 65_536, Infinity]) {
      const { received, sent, socket } = connected()

      for (let at = 0; at < toServer.length; at += size) socket.write(toServer.subarray(at, at + size))
      for (let at = 0; at < fromServer.length; at += size) socket.push(fromServer.subarray(at, at + size))

      assert.strictEqual(typesIn(sent()), "PS" + "BEBES".repeat(2))
      assert.isTrue(received().equals(Buffer.concat([message("S", "TimeZone\0UTC\0"), ...replies, ...replies])))
    }
  })

  it("hands on an error wherever it happens, and stays in step", () => {
    const { received, socket } = connected()
    for (let n = 0; n < 3; n++) socket.write(cycle("acme", "ada"))

    // In the setting itself, in the statement, and not at all.
    socket.push(Buffer.concat([prepared, bound, error, ready("I"), set, bound, error, ready("I")]))
    socket.push(Buffer.concat([set, bound, row("mine"), done, ready("I")]))

    assert.deepEqual(
      received(),
      Buffer.concat([error, ready("I"), bound, error, ready("I"), bound, row("mine"), done, ready("I")])
    )
  })

  it("sends the tenant once in a transaction, again for another tenant and after a savepoint", () => {
    const { sent, socket } = connected()
    const next = (...params: ReadonlyArray<string>) => {
      socket.write(cycle(...params))
      const types = typesIn(sent())
      const own = types === "BES" ? [] : [set]
      if (types.startsWith("PS")) socket.push(prepared)
      socket.push(Buffer.concat([...own, bound, done, ready("T")]))
      return types
    }

    assert.strictEqual(next(), "PS" + "BES")
    assert.strictEqual(next("acme", "ada"), "BE" + "BES")
    assert.strictEqual(next("acme", "ada"), "BES")
    assert.strictEqual(next("acme", "eve"), "BE" + "BES")
    assert.strictEqual(next("acme", "eve"), "BES")
    assert.strictEqual(next(), "BES")
    assert.strictEqual(next("acme", "eve"), "BE" + "BES")
  })

  it("refuses a statement whose tenant is empty", () => {
    const { sent, socket } = connected()

    assert.throws(() => socket.write(cycle("acme", "")), "empty tenant")
    assert.throws(() => socket.write(cycle("acme")), "without its tenant")
    assert.strictEqual(typesIn(sent()), "")
  })
})
