import { type ChildProcess, spawn } from "node:child_process"
import { type AddressInfo, createServer } from "node:net"
import path from "node:path"

const root = path.resolve(import.meta.dirname, "../..")

/** A process of this project, as somebody starts it from a shell. */
export interface Running {
  readonly child: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  /** Settles when stdout has what is looked for, or the process has ended without it. */
  readonly says: (text: RegExp) => Promise<RegExpExecArray>
  readonly ended: Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }>
}

/** Variables of this machine, and none that would configure Portico. */
const surroundings = () => {
  const { HOME, PATH, SystemRoot, TEMP } = process.env
  return { HOME, PATH, SystemRoot, TEMP }
}

export const start = (command: ReadonlyArray<string>, env: Readonly<Record<string, string>>): Running => {
  const [file, ...args] = command as [string, ...Array<string>]
  const child = spawn(file, args, {
    cwd: root,
    env: { ...surroundings(), ...env },
    stdio: ["ignore", "pipe", "pipe"]
  })
  const text = { stdout: "", stderr: "" }
  child.stdout.on("data", (chunk) => (text.stdout += chunk))
  child.stderr.on("data", (chunk) => (text.stderr += chunk))
  const ended: Running["ended"] = new Promise((resolve) => child.once("close", (code) => resolve({ code, ...text })))
  return {
    child,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    ended,
    says: (pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(text.stdout)
          if (found !== null) resolve(found)
        }
        child.stdout.on("data", look)
        look()
        void ended.then(({ code }) =>
          reject(new Error(`ended with ${code} before it said ${pattern}:\n${text.stdout}\n${text.stderr}`))
        )
      })
  }
}

/** A source of this project under the Node.js that runs the tests. */
export const source = (file: string, args: ReadonlyArray<string>, env: Readonly<Record<string, string>>): Running =>
  start([process.execPath, "run.mjs", file, ...args], env)

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
