// Plants one mistake after the other in a copy of the tree, and sees that the tests which have to notice it do.
// npm run defects [-- words of the defects' names]; with --check only looks whether each mistake still has its place.
// DEFECTS_TABLE=file writes the table there as well, and goes on where a run that wrote it was broken off.
import { readFileSync } from "node:fs"
import path from "node:path"
import { copyTree, type Outcome, root } from "./Copy.ts"
import { type Defect, type Kind, planted } from "./Defect.ts"
import { defects } from "./defects.ts"
import { head, isCaught, lineOfRow, read, type Row, totalsOf, write } from "./Table.ts"

const words = process.argv.slice(2).filter((word) => word !== "--check")
const chosen = defects.filter(({ file, kind, name }) => words.every((word) => `${kind} ${name} ${file}`.includes(word)))

const misplaced = chosen.filter(
  (defect) => planted(defect, readFileSync(path.join(root, defect.file), "utf8")) === undefined
)
for (const { file, find, name } of misplaced) {
  console.error(`${name}: ${file} holds ${JSON.stringify(find)} not exactly once`)
}
if (misplaced.length > 0 || process.argv.includes("--check")) {
  console.info(`${chosen.length - misplaced.length} of ${chosen.length} planted defects have their place`)
  process.exit(misplaced.length > 0 ? 1 : 0)
}

for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1))
const table = process.env["DEFECTS_TABLE"]
const rows = table === undefined ? new Map<string, Row>() : read(table)
const ordered = () => defects.flatMap(({ name }) => rows.get(name) ?? [])
const copy = copyTree()

const seenBy = (kind: Kind, { failed, passed, unseen }: Outcome) => {
  const [first] = failed
  if (unseen !== undefined) return `NOTHING SEEN: ${unseen}`
  if (first === undefined) return `NOBODY: ${passed} tests passed`
  // Each lock holds alone: with a statement broken, row security still keeps strangers out.
  return kind === "statement" && !first.includes("statements alone") ? `NOT ALONE: ${first}` : first
}

console.info(`${chosen.length} planted defects`)
for (const line of head) console.info(line)
for (const defect of chosen) {
  const { file, kind, name } = defect
  const known = rows.get(name)
  if (known !== undefined && isCaught(known)) continue
  const started = performance.now()
  const source = copy.read(file)
  copy.write(file, planted(defect, source)!)
  const outcome = await copy.run(defect)
  copy.write(file, source)
  const seconds = Math.round((performance.now() - started) / 1000)
  const row = { name, kind, file: file.replace(/^src\//, ""), seenBy: seenBy(kind, outcome), seconds }
  rows.set(name, row)
  console.info(lineOfRow(row))
  if (table !== undefined) write(table, ordered())
}

// With nothing planted the same tests are green: it was the mistake that they noticed.
const controls = new Map<string, Array<Defect>>()
for (const defect of chosen) controls.set(defect.test, [...(controls.get(defect.test) ?? []), defect])
const red: Array<string> = []
let green = 0
for (const [test, needing] of controls) {
  const titles = needing.map(({ only }) => only)
  const only = titles.includes(undefined) ? undefined : [...new Set(titles)].join("|")
  const { failed, passed, unseen } = await copy.run({ test, ...(only !== undefined && { only }) })
  green += passed
  red.push(...failed, ...(unseen === undefined ? [] : [`${test}: ${unseen}`]))
}
const note = `With none planted: ${green} tests pass, ${red.length} fail`
if (table !== undefined) write(table, ordered(), "", note, ...red.map((title) => `- ${title}`))
for (const line of [...totalsOf(ordered()), note, ...red]) console.info(line)
process.exit(red.length > 0 || !chosen.every(({ name }) => isCaught(rows.get(name)!)) ? 1 : 0)
