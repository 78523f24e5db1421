import { readFileSync } from "node:fs"
import path from "node:path"

const lines = readFileSync(path.resolve(import.meta.dirname, "../../docs/scaling.md"), "utf8").split("\n")

/** What docs/scaling.md has an operator put down: the indented lines from the one that starts so. */
export const documented = (start: string) => {
  const first = lines.findIndex((line) => line.startsWith(`    ${start}`))
  if (first < 0) throw new Error(`docs/scaling.md has no ${start}`)
  const block = lines.slice(first)
  return block
    .slice(
      0,
      block.findIndex((line) => /^\S/.test(line))
    )
    .map((line) => line.slice(4))
}
