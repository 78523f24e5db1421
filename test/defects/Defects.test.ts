import { assert, describe, it } from "@effect/vitest"
import { existsSync, readFileSync } from "node:fs"
import path from "node:path"
import { operations } from "../support/OpenApiDocument.ts"
import { planted } from "./Defect.ts"
import { defects } from "./defects.ts"

const root = path.resolve(import.meta.dirname, "../..")
const textOf = (file: string) => readFileSync(path.join(root, file), "utf8")

// That they are caught is seen by `npm run defects`, which takes its time.
describe("A planted defect", () => {
  it("has its place in the source: a text that stands there exactly once", () => {
    const misplaced = defects.filter((defect) => planted(defect, textOf(defect.file)) === undefined)
    assert.deepStrictEqual(
      misplaced.map(({ file, name }) => `${name}: ${file}`),
      []
    )
  })

  it("has tests to notice it", () => {
    const rows = operations.map(({ operation }) => `${operation["operationId"]} finds nothing and changes nothing`)
    const without = defects.filter(({ only, test }) => {
      if (!existsSync(path.join(root, test))) return true
      const titles = [textOf(test), ...(test.includes("IsolationMatrix") ? rows : [])].join("\n")
      return !(only ?? "").split("|").every((title) => new RegExp(title).test(titles))
    })
    assert.deepStrictEqual(
      without.map(({ name }) => name),
      []
    )
  })

  it("has a name of its own", () => {
    const names = defects.map(({ name }) => name)
    assert.deepStrictEqual([...new Set(names)], names)
  })
})
