// Plants one mistake after the other in a copy of the tree, and sees that the tests which have to notice it do.
// npm run defects [-- words of the defects' names]; DEFECTS_FROM=34 goes on where a run was broken off.
import { spawn } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import { type Defect, defects } from "./defects.ts"

const root = path.resolve(import.meta.dirname, "../..")
const words = process.argv.slice(2)
const skipped = Number(process.env["DEFECTS_FROM"] ?? 0)
const chosen = defects
  .slice(skipped)
  .filter(({ file, name }) => words.every((word) => `${name} ${file}`.includes(word)))

const copy = mkdtempSync(path.join(tmpdir(), "portico-defects-"))
const stop = () => rmSync(copy, { recursive: true, force: true })
process.on("exit", stop)
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(1))
for (const name of ["src", "test", "package.json", "tsconfig.json", "vitest.config.ts", "openapi.json", "run.mjs"]) {
  cpSync(path.join(root, name), path.join(copy, name), { recursive: true })
}
symlinkSync(path.join(root, "node_modules"), path.join(copy, "node_modules"))

interface Outcome {
  /** The tests, where some have failed because they took too long and none because of what they saw. */
  readonly late: boolean
  readonly failed: ReadonlyArray<string>
  readonly passed: number
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
const { TEST_DATABASE_URL: _, ...environment } = process.env

const run = ({ only, tests }: Pick<Defect, "tests" | "only">) =>
  new Promise<Outcome>((resolve) => {
    const report = path.join(copy, "report.json")
    rmSync(report, { force: true })
    const args = [
      "node_modules/vitest/vitest.mjs",
      "run",
      ...tests,
      "--bail=1",
      "--reporter=json",
      `--outputFile=${report}`
    ]
    const vitest = spawn(process.execPath, [...args, ...(only === undefined ? [] : ["-t", only])], {
      cwd: copy,
      env: environment,
      stdio: "ignore",
      timeout: 300_000
    })
    vitest.on("exit", () => {
      const { numPassedTests, testResults } = JSON.parse(readFileSync(report, "utf8")) as Report
      const failed = testResults.flatMap(({ assertionResults, message, name }) => {
        const names = assertionResults
          .filter(({ status }) => status === "failed")
          .map(({ fullName }) => fullName.trim())
        return names.length === 0 && message !== "" ? [`${path.basename(name)} does not start`] : names
      })
      const reasons = testResults.flatMap(({ assertionResults }) =>
        assertionResults.filter(({ status }) => status === "failed").map((one) => one.failureMessages.join())
      )
      const late = reasons.length > 0 && reasons.every((reason) => /timed out in \d+ ?ms/.test(reason))
      resolve({ late, failed, passed: numPassedTests })
    })
  })

const print = (...cells: ReadonlyArray<string>) => console.info(`| ${cells.join(" | ")} |`)
const missed: Array<string> = []
const failures: Array<string> = []

console.info(`${chosen.length} planted defects`)
print("defect", "file", "caught by", "seconds")
print("---", "---", "---", "---:")
for (const defect of chosen) {
  const file = path.join(copy, defect.file)
  const source = readFileSync(file, "utf8")
  if (source.split(defect.find).length !== 2 || defect.find === defect.replace) {
    failures.push(`${defect.name}: ${defect.file} holds ${JSON.stringify(defect.find)} not exactly once`)
    continue
  }
  const started = performance.now()
  writeFileSync(
    file,
    source.replace(defect.find, () => defect.replace)
  )
  const { failed, late, passed } = await run(defect)
  writeFileSync(file, source)
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  // A test that only took too long has seen nothing.
  if (late) failures.push(`${defect.name}: its tests took too long`)
  else if (failed.length === 0) missed.push(`${defect.name} (${passed} tests passed)`)
  print(
    defect.name,
    defect.file.replace(/^src\//, ""),
    late ? `${failed[0]} (took too long)` : (failed[0] ?? "NOBODY"),
    seconds
  )
}

// With nothing planted the same tests are green: it was the mistake that they noticed.
if (words.length === 0 && skipped === 0) {
  const all = [...new Set(chosen.flatMap(({ tests }) => tests))]
  const { failed, passed } = await run({ tests: all })
  console.info(`Without any: ${passed} tests pass, ${failed.length} fail`)
  failures.push(...failed)
}
for (const name of missed) console.error(`Not caught: ${name}`)
for (const failure of failures) console.error(failure)
console.info(`${chosen.length - missed.length} of ${chosen.length} caught`)
process.exit(missed.length + failures.length > 0 ? 1 : 0)
