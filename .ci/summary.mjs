// Adds up vitest's JSON reports: `name=file` for each run.
import { existsSync, readFileSync } from "node:fs"

const total = { passed: 0, failed: 0 }
const skipped = new Map()
for (const [name, file] of process.argv.slice(2).map((run) => run.split("="))) {
  if (!existsSync(file)) {
    console.log(`The run on ${name} ended without a report.`)
    total.failed++
    continue
  }
  const { numFailedTests, numPassedTests, testResults } = JSON.parse(readFileSync(file, "utf8"))
  total.passed += numPassedTests
  total.failed += numFailedTests
  for (const { assertionResults, message, name: path, status } of testResults) {
    if (status === "failed" && !assertionResults.some((test) => test.status === "failed")) {
      console.log(`${path} did not run: ${message}`)
      total.failed++
    }
    for (const test of assertionResults) {
      if (["passed", "failed"].includes(test.status)) continue
      skipped.set(test.fullName, [...(skipped.get(test.fullName) ?? []), name])
    }
  }
}
for (const [test, runs] of skipped) console.log(`Skipped on ${runs.join(" and ")}: ${test}`)
console.log(`${total.passed} passed, ${total.failed} failed`)
process.exit(total.failed === 0 ? 0 : 1)
