import { assert, describe, it } from "vitest"
import { fileTypeOf, nameAs } from "../../src/domain/FileType.ts"
import { png, refused, taken, zip } from "../support/Samples.ts"

/** The type as it is told when the content comes in pieces of a size. */
const typeOf = (name: string, content: Buffer, size: number) => {
  const type = fileTypeOf(name)
  for (let at = 0; at < content.length; at += size) {
    if (!type.write(content.subarray(at, at + size))) return undefined
  }
  return type.end()
}

describe("A file's type", () => {
  it.each(taken)("is told by the content of %s, in whatever pieces it comes", (name, content, type) => {
    for (const size of [1, 7, 65_536]) assert.strictEqual(typeOf(name, content, size), type)
  })

  it.each(refused)("is none of ours for %s, in whatever pieces it comes", (name, content) => {
    for (const size of [1, 7, 65_536]) assert.strictEqual(typeOf(name, content, size), undefined)
  })

  it("does not depend on the name, but for the kinds of text", () => {
    for (const [, content, type] of taken.filter(([, , type]) => !/text|json/.test(type))) {
      assert.strictEqual(typeOf("a.html", content, 65_536), type)
    }
  })

  it("of a picture with a page or an archive behind it is that of the picture, which is what a reader takes it for", () => {
    for (const behind of [Buffer.from("<script>alert(1)</script>"), zip({ "a.html": "<html>" })]) {
      assert.strictEqual(typeOf("a.html", Buffer.concat([png, behind]), 65_536), "image/png")
    }
  })

  it("of an archive does not depend on what lies in the archives within", () => {
    const many = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`${index}-${"x".repeat(60)}.txt`, ""]))
    assert.strictEqual(typeOf("many.zip", zip(many), 65_536), "application/zip")
  })
})

describe("A name that a computer would run", () => {
  it("gets the extension of what it is", () => {
    assert.deepStrictEqual(
      [
        nameAs("page.html", "text/plain"),
        nameAs("run.BAT", "text/plain"),
        nameAs("a.svg", "image/png"),
        nameAs("a.docm", "application/msword"),
        nameAs("a.pdf", "image/png"),
        nameAs("notes", "text/plain")
      ],
      ["page.html.txt", "run.BAT.txt", "a.svg.png", "a.docm.bin", "a.pdf", "notes"]
    )
  })
})
