import type { Options } from "./App.ts"

export interface Part {
  readonly name: string
  /** Makes it a file; as it stands between the quotes. */
  readonly filename?: string
  readonly content: string | Uint8Array
  readonly type?: string
}

export const boundary = "----a-form-of-the-tests"
export const formType = `multipart/form-data; boundary=${boundary}`

const headOf = ({ filename, name, type }: Part) =>
  [
    `--${boundary}`,
    `Content-Disposition: form-data; name="${name}"${filename === undefined ? "" : `; filename="${filename}"`}`,
    ...(type === undefined ? [] : [`Content-Type: ${type}`]),
    "",
    ""
  ].join("\r\n")

/** The bytes of a form. */
export const bodyOf = (...parts: ReadonlyArray<Part>): Buffer =>
  Buffer.concat([
    ...parts.flatMap((part) => [Buffer.from(headOf(part)), Buffer.from(part.content), Buffer.from("\r\n")]),
    Buffer.from(`--${boundary}--\r\n`)
  ])

/** A form, as a browser posts it. */
export const form = (parts: ReadonlyArray<Part>, headers: Readonly<Record<string, string>> = {}): Options => ({
  body: bodyOf(...parts),
  headers: { "content-type": formType, ...headers }
})

export const file = (filename: string, content: string | Uint8Array = "hello", name = "file"): Part => ({
  name,
  filename,
  content,
  type: "application/octet-stream"
})

export const field = (name: string, content: string): Part => ({ name, content })
