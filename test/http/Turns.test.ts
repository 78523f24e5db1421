import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Turns from "../../src/http/Turns.ts"

const turnOfTheLoop = Effect.callback<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

/** Requests that run until they are told to end, each known by its client and its number. */
const requests = () => {
  const begun: Array<string> = []
  const turns = Turns.make()
  const come = (client: string, many: number, from = 0) => {
    for (let n = from; n < from + many; n++) {
      turns.begin(client, () => {
        turns.enter(client)
        begun.push(`${client} ${n}`)
      })
    }
  }
  const end = (client: string, many: number) => {
    for (let n = 0; n < many; n++) turns.leave(client)
  }
  return { begun, turns, come, end }
}

const clients = Array.from({ length: 40 }, (_, n) => `client ${n}`)

it.live("Few requests begin as they come", () =>
  Effect.sync(() => {
    const { begun, come, turns } = requests()

    for (const client of clients) come(client, 1)

    assert.deepStrictEqual([begun.length, turns.many()], [40, 40])
  })
)

it.live("Of one client's many, those that there is no room for begin in their order as others end", () =>
  Effect.gen(function* () {
    const { begun, come, end, turns } = requests()
    come("ada", 50)
    const atOnce = begun.length
    end("ada", 10)

    yield* turnOfTheLoop
    const next = [...begun]
    end("ada", 16)
    yield* turnOfTheLoop

    assert.strictEqual(atOnce, 16)
    assert.deepStrictEqual(
      next,
      Array.from({ length: 26 }, (_, n) => `ada ${n}`)
    )
    assert.deepStrictEqual([begun.length, turns.many(), turns.manyOf("ada"), turns.manyOf("eve")], [42, 24, 24, 0])
  })
)

it.live("Who sends few does not wait for who sends many", () =>
  Effect.gen(function* () {
    const { begun, come } = requests()
    come("ada", 1_000)
    come("eve", 2)
    const before = begun.length

    yield* turnOfTheLoop

    assert.deepStrictEqual(begun.slice(before), ["ada 16", "eve 0", "eve 1"])
  })
)

it.live("Of many clients' requests, all that there is room for begin, and clients take turns for the rest", () =>
  Effect.gen(function* () {
    const { begun, come, end, turns } = requests()
    for (const client of clients) come(client, 2)
    const atOnce = begun.length
    for (const client of clients.slice(0, 20)) end(client, 2)
    come("late", 1)

    yield* turnOfTheLoop

    assert.strictEqual(atOnce, 64)
    const others = clients.slice(32)
    assert.deepStrictEqual(begun.slice(64), [
      ...others.map((client) => `${client} 0`),
      "late 0",
      ...others.map((client) => `${client} 1`)
    ])
    assert.strictEqual(turns.many(), 41)
  })
)

it.live("Some begin in each turn though none ends, so that nobody waits for those who are slow", () =>
  Effect.gen(function* () {
    const { begun, come } = requests()
    for (const client of clients) come(client, 3)

    const seen = [begun.length]
    while (begun.length < 120) {
      yield* turnOfTheLoop
      seen.push(begun.length)
    }
    come("late", 1)

    assert.deepStrictEqual(seen, [64, 72, 80, 88, 96, 104, 112, 120])
    yield* turnOfTheLoop
    assert.strictEqual(begun.at(-1), "late 0")
  })
)

it.live("One client alone, whose requests are all slow, begins one more in each turn", () =>
  Effect.gen(function* () {
    const { begun, come } = requests()
    come("ada", 18)

    yield* turnOfTheLoop
    const first = begun.length
    yield* turnOfTheLoop

    assert.deepStrictEqual([first, begun.length], [17, 18])
  })
)
