// Fails when the lock lacks a package that one of its packages names as optional, such as a binary for another platform:
// `npm ci` would install on this machine and refuse on that one.
import { readFileSync } from "node:fs"

const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"))
const names = new Set(Object.keys(packages).map((path) => path.split("node_modules/").at(-1)))
const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
  Object.keys(optionalDependencies)
    .filter((name) => !names.has(name))
    .map((name) => `${path || "package.json"} wants ${name}, which is not in the lock`)
)
for (const line of missing) console.error(line)
console.log(`The lock is ${missing.length === 0 ? "complete" : "incomplete"}: ${names.size - 1} packages.`)
process.exit(missing.length === 0 ? 0 : 1)
