// Runs a script of this project on a Node.js that can: the one running now, or the one npm installed beside it.
// Plain JavaScript, because whatever Node.js is on the machine reads this file.
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import module from "node:module"
import { constants } from "node:os"
import path from "node:path"
import { fileURLToPath, pathToFileURL } from "node:url"

const here = path.dirname(fileURLToPath(import.meta.url))
const flags = process.argv.slice(2).filter((arg, i, all) => all.slice(0, i + 1).every((a) => a.startsWith("--")))
const [script, ...args] = process.argv.slice(2 + flags.length)
const file = path.resolve(here, script)
const [major, minor] = process.versions.node.split(".").map(Number)
// What was compiled once need not be compiled at the next start.
const cache = process.env.NODE_COMPILE_CACHE ?? path.join(here, "node_modules/.cache/node")

if (flags.length === 0 && (major > 24 || (major === 24 && minor >= 2))) {
  process.argv.splice(1, 2, file)
  watchParent(() => process.kill(process.pid, "SIGTERM"))
  module.enableCompileCache(cache)
  await import(pathToFileURL(file).href)
} else {
  const platform = process.platform === "win32" ? "win" : process.platform
  const name = `${platform === "darwin" && process.arch === "arm64" ? "node-bin" : "node"}-${platform}-${process.arch}`
  const installed = path.join(here, "node_modules", name, "bin", platform === "win" ? "node.exe" : "node")
  const bin = existsSync(installed) ? installed : major >= 24 ? process.execPath : undefined
  if (bin === undefined) {
    console.error(
      `Portico needs Node.js 24.2 or newer (this is ${process.version}), and npm did not install one for ${process.platform}-${process.arch}.`
    )
    process.exit(1)
  }
  const env = { ...process.env, NODE_COMPILE_CACHE: cache, PATH: path.dirname(bin) + path.delimiter + process.env.PATH }
  const child = spawn(bin, [...flags, file, ...args], { stdio: "inherit", env })
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal))
  child.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : (code ?? 1)))
  child.on("error", (error) => {
    console.error(String(error))
    process.exit(1)
  })
  watchParent(() => child.kill("SIGTERM"))
}

// `npm start` runs us under a shell that does not pass signals on: when it is gone, so are we.
function watchParent(stop) {
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid !== parent) stop()
  }, 500).unref()
}
