import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Turns from "../../src/http/Turns.ts"

const turnOfTheLoop = Effect.callback<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

/** What begins is running until it is told to end. */
const requests = () => {
  const begun: Array<number> = []
  let ended = 0
  const turns = Turns.make(() => begun.length - ended)
  const come = (many: number, from = 0) => {
    for (let n = from; n < from + many; n++) turns.begin(() => void begun.push(n))
  }
  const end = (many: number) => {
    ended += many
  }
  return { begun, turns, come, end }
}

it.live("Few requests begin as they come", () =>
  Effect.sync(() => {
    const { begun, come, turns } = requests()

    come(64)

    assert.deepStrictEqual([begun.length, turns.waiting()], [64, 0])
  })
)

it.live("Of many, those that there is no room for begin in their order as others end", () =>
  Effect.gen(function* () {
    const { begun, come, end, turns } = requests()
    come(200)
    end(64)

    const atOnce = begun.length
    yield* turnOfTheLoop
    const next = [...begun]
    come(1, 200)

    assert.strictEqual(atOnce, 64)
    assert.deepStrictEqual(
      next,
      Array.from({ length: 128 }, (_, n) => n)
    )
    assert.deepStrictEqual([begun.length, turns.waiting()], [128, 73])
  })
)

it.live("Some begin in each turn though none ends, so that nobody waits for those who are slow", () =>
  Effect.gen(function* () {
    const { begun, come, turns } = requests()
    come(100)

    const seen = [begun.length]
    while (turns.waiting() > 0) {
      yield* turnOfTheLoop
      seen.push(begun.length)
    }
    come(1, 100)

    assert.deepStrictEqual(seen, [64, 72, 80, 88, 96, 100])
    yield* turnOfTheLoop
    assert.strictEqual(begun.at(-1), 100)
  })
)
