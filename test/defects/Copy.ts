import { type ChildProcess, spawn } from "node:child_process"
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import type { Defect } from "./Defect.ts"

export const root = path.resolve(import.meta.dirname, "../..")

const copied = ["src", "test", "package.json", "tsconfig.json", "vitest.config.ts", "openapi.json", "run.mjs"]

export interface Outcome {
  /** The titles of the tests that failed. */
  readonly failed: ReadonlyArray<string>
  readonly passed: number
  /** Why nothing was seen: tests that took too long, or did not run at all. */
  readonly unseen?: string
}

interface Report {
  readonly numPassedTests: number
  readonly testResults: ReadonlyArray<{
    readonly name: string
    readonly message: string
    readonly assertionResults: ReadonlyArray<{
      readonly fullName: string
      readonly status: string
      readonly failureMessages: ReadonlyArray<string>
    }>
  }>
}

// Embedded, always: a planted defect may change a role, and on a server roles are everybody's, whatever the database.
// And no second try, as CI has it: what fails is to be seen.
const { CI: _, TEST_DATABASE_URL: __, ...environment } = process.env

/** A copy of the tree that may be changed, and is gone with this process. */
export const copyTree = () => {
  const copy = mkdtempSync(path.join(tmpdir(), "portico-defects-"))
  let running: ChildProcess | undefined
  process.on("exit", () => {
    running?.kill()
    rmSync(copy, { recursive: true, force: true })
  })
  for (const name of copied) cpSync(path.join(root, name), path.join(copy, name), { recursive: true })
  // One by one, so that what is cached beside them, such as a database migrated with a defect, stays in the copy.
  mkdirSync(path.join(copy, "node_modules"))
  for (const name of readdirSync(path.join(root, "node_modules"))) {
    if (name !== ".cache") symlinkSync(path.join(root, "node_modules", name), path.join(copy, "node_modules", name))
  }

  /** Runs one file's tests, or those of them that are named, up to the first that fails. */
  const run = ({ only, test }: Pick<Defect, "test" | "only">) =>
    new Promise<Outcome>((resolve) => {
      const report = path.join(copy, "report.json")
      rmSync(report, { force: true })
      const args = [
        "node_modules/vitest/vitest.mjs",
        "run",
        test,
        "--bail=1",
        "--reporter=json",
        "--outputFile",
        report
      ]
      running = spawn(process.execPath, [...args, ...(only === undefined ? [] : ["-t", only])], {
        cwd: copy,
        env: environment,
        timeout: 300_000
      })
      let said = ""
      for (const stream of [running.stdout, running.stderr]) stream?.on("data", (text) => (said += text))
      running.on("close", () => {
        try {
          resolve(outcomeOf(JSON.parse(readFileSync(report, "utf8")) as Report))
        } catch {
          resolve({ failed: [], passed: 0, unseen: `no report: ${said.trim().slice(-300)}` })
        }
      })
    })

  return {
    run,
    read: (file: string) => readFileSync(path.join(copy, file), "utf8"),
    write: (file: string, source: string) => writeFileSync(path.join(copy, file), source)
  }
}

const outcomeOf = ({ numPassedTests: passed, testResults }: Report): Outcome => {
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults)
  const failures = tests.filter(({ status }) => status === "failed")
  const failed = failures.map(({ fullName }) => fullName.trim())
  const broken = testResults.find(({ message }) => message !== "")
  if (failed.length === 0 && broken !== undefined) {
    return { failed, passed, unseen: `${path.basename(broken.name)} does not start: ${broken.message.slice(0, 300)}` }
  }
  const late = failures.every(({ failureMessages }) => /timed out in \d+ ?ms/.test(failureMessages.join()))
  if (failures.length > 0 && late) return { failed, passed, unseen: "took too long" }
  return failed.length + passed > 0 ? { failed, passed } : { failed, passed, unseen: "no such test" }
}
