import { assert } from "@effect/vitest"
import type { Answer } from "./App.ts"

const always = ["type", "title", "status", "detail", "instance", "code", "requestId"]
const sometimes = ["errors", "action", "retryAfter", "attemptsLeft", "alternatives", "blockers"]

/** That an answer is the problem document of this code, with everything that the contract promises of it. */
export const assertProblem = (answer: Answer, status: number, code: string): void => {
  const { headers, json } = answer
  assert.deepStrictEqual([answer.status, json?.code], [status, code], answer.text)
  assert.strictEqual(headers["content-type"], "application/problem+json")
  assert.deepStrictEqual(Object.keys(json).slice(0, always.length), always)
  assert.includeMembers(sometimes, Object.keys(json).slice(always.length))
  assert.deepInclude(json, { type: `/problems/${code}`, status, requestId: headers["x-request-id"] })
  assert.match(json.title, /^[A-Z].+[^.]$/)
  assert.match(json.detail, /^[A-Z].+[.]?$/)
  assert.match(json.instance, /^(?:\/|\*)/)
  assert.notInclude(json.instance, "?")
  assert.strictEqual(json.errors !== undefined, code === "invalid_request")
  for (const { message, pointer, ...rest } of json.errors ?? []) {
    assert.match(pointer, /^\/(?:body|query|path|header)(?:\/|$)/)
    assert.match(message, /^\S.+/)
    assert.deepStrictEqual(rest, {})
  }
  assert.strictEqual(headers["www-authenticate"], status === 401 ? "Bearer" : undefined)
  assert.strictEqual(headers["retry-after"], json.retryAfter === undefined ? undefined : String(json.retryAfter))
  assert.strictEqual(headers["x-content-type-options"], "nosniff")
}

/** That the input was refused, and the places that the answer names. */
export const assertInvalid = (answer: Answer, ...pointers: Array<string>): void => {
  assertProblem(answer, 400, "invalid_request")
  const named = new Set(
    (answer.json.errors as ReadonlyArray<{ readonly pointer: string }>).map(({ pointer }) => pointer)
  )
  assert.sameMembers([...named], pointers)
}

/** What a stranger could tell two answers apart by: all of it, but for the ids and paths that the asker has sent. */
export const traits = (answer: Answer, ...sent: ReadonlyArray<string>) => {
  const ids = [answer.headers["x-request-id"], ...sent].filter((id) => id !== undefined && id !== "") as Array<string>
  const text = ids.reduce((text, id) => text.replaceAll(id, "<id>"), answer.text)
  const removed = answer.text.length - text.length
  const headers = Object.entries(answer.headers).filter(
    ([name]) => !["x-request-id", "date", "ratelimit"].includes(name)
  )
  return {
    status: answer.status,
    text,
    headers: Object.fromEntries(
      headers.map(([name, value]) => [name, name === "content-length" ? Number(value) - removed : value])
    ),
    names: Object.keys(answer.headers)
  }
}
