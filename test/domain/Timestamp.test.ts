import { Schema } from "effect"
import { assert, describe, it } from "vitest"
import { Timestamp } from "../../src/domain/Timestamp.ts"

const encode = Schema.encodeSync(Schema.toCodecJson(Timestamp))

describe("An instant", () => {
  it("is written as JavaScript writes it, to the millisecond", () => {
    const edges = ["1000-01-01T00:00:00.000Z", "1969-12-31T23:59:59.999Z", "2024-02-29T12:00:00.001Z"]
    const spread = Array.from({ length: 5_000 }, (_, n) => new Date(-3e13 + n * 56_000_012_345).toISOString())

    for (const text of [...edges, ...spread, "9999-12-31T23:59:59.999Z"]) {
      assert.strictEqual(encode(new Date(text)), text)
    }
  })
})
