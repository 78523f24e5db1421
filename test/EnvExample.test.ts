import { globSync, readFileSync } from "node:fs"
import path from "node:path"
import { assert, it } from "vitest"

const root = path.resolve(import.meta.dirname, "..")
const read = (file: string) => readFileSync(path.join(root, file), "utf8")

/** In files that read the environment: names with an underscore anywhere, names without where they are read. */
const variablesOf = (source: string) =>
  /\bConfig\b|ProviderSettings/.test(source)
    ? [
        ...source.matchAll(/"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"/g),
        ...source.matchAll(/\b(?:Config\.\w+|text|list|choice)\(\s*(?:\[[^\]]*\],\s*)?"([A-Z][A-Z0-9_]*)"/g)
      ].map(([, name]) => name!)
    : []

it(".env.example lists the variables that the code reads, and no others, with a line of explanation each", () => {
  const sources = globSync(["src/*.ts", "src/layers/**/*.ts"], { cwd: root })
  const variables = new Set(sources.flatMap((file) => variablesOf(read(file))))

  const lines = read(".env.example").split("\n")
  const isVariable = (line: string) => /^(?:# )?[A-Z][A-Z0-9_]*=/.test(line)
  const listed = lines.filter(isVariable).map((line) => /[A-Z][A-Z0-9_]*/.exec(line)![0])

  assert.isAbove(variables.size, 20)
  assert.deepEqual(listed.toSorted(), [...variables].toSorted())
  for (const [at, line] of lines.entries()) {
    if (isVariable(line)) assert.match(lines[at - 1]!, /^# .*\.$/, `${line} has no explanation`)
  }
})
