import { Schema } from "effect"
import { assert, describe, it } from "vitest"
import { cleanName, Folder, partsOf, pathIn } from "../../src/domain/FileName.ts"

describe("A file's name", () => {
  it.each([
    ["report.pdf", "report.pdf"],
    ["../../etc/passwd", "passwd"],
    ["..\\..\\boot.ini", "boot.ini"],
    ["C:\\Users\\ada\\cv.pdf", "cv.pdf"],
    ["\\\\server\\share\\x.txt", "x.txt"],
    ["/etc/shadow", "shadow"],
    ["..", "file"],
    [".", "file"],
    ["", "file"],
    ["   ", "file"],
    ["...", "file"],
    ["a/", "file"],
    [".htaccess", "htaccess"],
    ["trailing. . ", "trailing"],
    ["nul\u0000byte.pdf", "nulbyte.pdf"],
    ["line\r\nSet-Cookie: a=b.txt", "lineSet-Cookie_ a=b.txt"],
    ["invoice\u202Efdp.exe", "invoicefdp.exe"],
    ["\u200Bzero\uFEFFwidth\u2066.txt", "zerowidth.txt"],
    ["lone\uD800.txt", "lone.txt"],
    ["bad\uFFFD.txt", "bad.txt"],
    ['quo"te<s>.txt', "quo_te_s_.txt"],
    ["it's; fine, really.txt", "it's; fine, really.txt"],
    ["CON.txt", "_CON.txt"],
    ["lpt1", "_lpt1"],
    ["console.txt", "console.txt"],
    ["a   b\t\tc.txt", "a bc.txt"],
    ["e\u0301.txt", "é.txt"],
    ["👩‍🚀 Ünïcödé 文書.pdf", "👩‍🚀 Ünïcödé 文書.pdf"],
    ["%2e%2e%2f.txt", "%2e%2e%2f.txt"]
  ])("%j becomes %j", (sent, name) => {
    assert.strictEqual(cleanName(sent), name)
    assert.strictEqual(cleanName(name), name)
  })

  it("that is too long keeps its extension, and no half of a character", () => {
    for (const sent of [`${"a".repeat(300)}.pdf`, `${"文".repeat(120)}.pdf`, `${"👩‍🚀".repeat(60)}.pdf`]) {
      const name = cleanName(sent)
      assert.isAtMost(Buffer.byteLength(name), 200)
      assert.isAtLeast(Buffer.byteLength(name), 190)
      assert.match(name, /\.pdf$/)
      assert.isTrue(name.isWellFormed())
    }
  })

  it("is parted before its extension, if it has one", () => {
    assert.deepStrictEqual(partsOf("a.tar.gz"), { base: "a.tar", extension: ".gz" })
    assert.deepStrictEqual(partsOf("README"), { base: "README", extension: "" })
    assert.deepStrictEqual(partsOf("v1. of it"), { base: "v1. of it", extension: "" })
  })
})

describe("A folder", () => {
  const isFolder = Schema.is(Folder)

  it("is names with slashes between them", () => {
    for (const folder of ["", "receipts", "receipts/2026", "/receipts/", "Ünïcödé/文書"])
      assert.isTrue(isFolder(folder), folder)
  })

  it("is refused when it would lead anywhere else, or not be what was asked for", () => {
    const wrong = [
      "..",
      "a/../b",
      "../a",
      ".",
      "a/./b",
      "a//b",
      "//a",
      "a\\b",
      "C:\\",
      "a\u0000",
      "a\nb",
      "a\u202Eb",
      ' a"',
      "a ",
      ".git",
      "con"
    ]
    for (const folder of [...wrong, "a".repeat(401), `a/${"x".repeat(201)}`]) assert.isFalse(isFolder(folder), folder)
  })

  it("stands before the name", () => {
    assert.deepStrictEqual(
      ["", "/", "a", "/a/b/"].map((folder) => pathIn(folder, "c.txt")),
      ["c.txt", "c.txt", "a/c.txt", "a/b/c.txt"]
    )
  })
})
