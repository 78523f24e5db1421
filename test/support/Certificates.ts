import { execFileSync } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"

export interface Certificate {
  readonly ca: string
  readonly key: string
  readonly cert: string
}

/** A certificate for a few names, from an authority that is made for it and forgotten. */
export const certificateFor = (...names: ReadonlyArray<string>): Certificate => {
  const directory = mkdtempSync(path.join(tmpdir(), "portico-tls-"))
  const run = (...args: ReadonlyArray<string>) => execFileSync("openssl", args, { cwd: directory, stdio: "ignore" })
  const read = (name: string) => readFileSync(path.join(directory, name), "utf8")
  try {
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    writeFileSync(path.join(directory, "names"), `subjectAltName=${names.map(nameOf).join(",")}`)
    run("req", "-x509", ...key, "-days", "2", "-subj", "/CN=ca", "-keyout", "ca.key", "-out", "ca.crt")
    run("req", ...key, "-subj", "/CN=stand-in", "-keyout", "server.key", "-out", "server.csr")
    const sign = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"]
    run("x509", "-req", "-in", "server.csr", ...sign, "-out", "server.crt")
    return { ca: read("ca.crt"), key: read("server.key"), cert: read("server.crt") }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

const nameOf = (name: string) => (/^[\d.]+$/.test(name) ? `IP:${name}` : `DNS:${name}`)
