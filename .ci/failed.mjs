// Prints the files of vitest's JSON report in which something failed, if they are few: then it may have been the moment.
import { readFileSync } from "node:fs"
import path from "node:path"

const { testResults } = JSON.parse(readFileSync(process.argv[2], "utf8"))
const failed = testResults.filter((file) => file.status === "failed").map((file) => path.relative(".", file.name))
if (failed.length <= 5) for (const file of failed) console.log(file)
