// Adds up vitest's JSON reports: `name=file` for each run. Files of a run that were tested again lie in `file.again`.
import { existsSync, readFileSync } from "node:fs"

const total = { passed: 0, failed: 0 }
const skipped = new Map()
const read = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).testResults : undefined)

for (const [name, file] of process.argv.slice(2).map((run) => run.split("="))) {
  const first = read(file)
  if (first === undefined) {
    console.log(`The run on ${name} ended without a report.`)
    total.failed++
    continue
  }
  const again = new Map(read(`${file}.again`)?.map((result) => [result.name, result]))
  for (const result of first) {
    const latest = again.get(result.name)
    for (const test of latest === undefined ? [] : result.assertionResults) {
      if (test.status === "failed") console.log(`Failed on ${name}, and so its file was tested again: ${test.fullName}`)
    }
    const { assertionResults, message, name: path, status } = latest ?? result
    if (status === "failed" && !assertionResults.some((test) => test.status === "failed")) {
      console.log(`${path} did not run: ${message}`)
      total.failed++
    }
    for (const test of assertionResults) {
      if (["passed", "failed"].includes(test.status)) total[test.status]++
      else skipped.set(test.fullName, [...(skipped.get(test.fullName) ?? []), name])
    }
  }
}
for (const [test, runs] of skipped) console.log(`Skipped on ${runs.join(" and ")}: ${test}`)
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exit(total.failed === 0 ? 0 : 1)
