import { existsSync, readFileSync, writeFileSync } from "node:fs"

/** What became of one defect. */
export interface Row {
  readonly name: string
  readonly kind: string
  readonly file: string
  /** The title of a test, or in capitals why there is none. */
  readonly seenBy: string
  readonly seconds: number
}

const columns = ["defect", "kind", "file", "caught by", "seconds"]

export const isCaught = ({ seenBy }: Row): boolean => !/^[A-Z]{2}/.test(seenBy)

export const lineOf = (...cells: ReadonlyArray<string | number>): string =>
  `| ${cells.map((cell) => String(cell).replace(/\s+/g, " ").replaceAll("|", "\\|")).join(" | ")} |`

export const head = [lineOf(...columns), lineOf("---", "---", "---", "---", "---:")]

export const lineOfRow = ({ file, kind, name, seconds, seenBy }: Row) => lineOf(name, kind, file, seenBy, seconds)

/** By the defect's name: the rows of a table that was written here. */
export const read = (file: string): Map<string, Row> => {
  const rows = new Map<string, Row>()
  for (const line of existsSync(file) ? readFileSync(file, "utf8").split("\n") : []) {
    const cells = line.slice(2, -2).split(/ (?<!\\)\| /)
    const [name, kind, file, seenBy, seconds] = cells.map((cell) => cell.replaceAll("\\|", "|"))
    if (seconds === undefined || !/^\d+$/.test(seconds)) continue
    rows.set(name!, { name: name!, kind: kind!, file: file!, seenBy: seenBy!, seconds: Number(seconds) })
  }
  return rows
}

export const totalsOf = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const kinds = [...new Set(rows.map(({ kind }) => kind))]
  const count = (of: ReadonlyArray<Row>) => `${of.filter(isCaught).length} of ${of.length} caught`
  const seconds = rows.reduce((sum, row) => sum + row.seconds, 0)
  return [
    ...kinds.map((kind) => `- ${kind}: ${count(rows.filter((row) => row.kind === kind))}`),
    `- all: ${count(rows)}, in ${Math.floor(seconds / 60)} min ${seconds % 60} s`
  ]
}

export const write = (file: string, rows: ReadonlyArray<Row>, ...notes: ReadonlyArray<string>): void =>
  writeFileSync(file, [...head, ...rows.map(lineOfRow), "", ...totalsOf(rows), ...notes, ""].join("\n"))
