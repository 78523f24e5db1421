import assert from "node:assert/strict"
import { OrgId } from "../../src/domain/Ids.ts"
import { newcomer } from "./People.ts"
import { address, addressNames, headersOf, loops, pause, type Reply, type ServerProcess } from "./ServerProcess.ts"

export const keys = { acme: "the-key-of-acme-platform", other: "the-key-of-other-platform" }
/** Customers of two orgs, some of the same id. */
export const people = [
  ...["ada", "eve", "kim", "lee"].map((id) => ["acme", id] as const),
  ...["ada", "mallory", "kim", "max"].map((id) => ["other", id] as const)
].map(([org, id]) => ({ org, id, name: `${org}.${id}`, headers: headersOf(newcomer(OrgId.make(org), id)) }))
const ofLane = (lane: number) => people[lane % people.length]!

/** Every customer writes and reads through every replica, until it is told to stop. */
export const busy = (replicas: ReadonlyArray<ServerProcess>, lanes = 24) => {
  const acknowledged: Array<string> = []
  const wrong: Array<string> = []
  const told = { good: 0, refused: 0, cut: 0 }
  const judge = ({ headers, status, text }: Reply, isRight: () => boolean) => {
    if (status === 503 && headers["retry-after"] !== undefined) told.refused++
    else if (status >= 300 || !isRight()) wrong.push(`${status} ${text}`)
    else told.good++
    return status
  }
  const load = loops(lanes, async (lane, round) => {
    const me = ofLane(lane)
    const name = `${me.name}.${lane}.${round}`
    const isMine = (text: string) => text.startsWith(`${me.name}.`)
    const { ask } = replicas[(lane + round) % replicas.length]!
    const read = await ask(me.headers, "GET", "/client-data/addresses?ps=20")
    judge(read, () => read.json.data.every((one: { readonly name: string }) => isMine(one.name)))
    // An answer that has begun can only be cut off.
    const whole = await ask(me.headers, "GET", "/client-data/all").catch(() => undefined)
    if (whole === undefined) told.cut++
    else judge(whole, () => whole.json.addresses.every((one: { readonly name: string }) => isMine(one.name)))
    // Whoever is refused asks again with the key: what was done is not done twice.
    const sent = { body: address(name), headers: { "idempotency-key": name } }
    for (let tries = 0; tries < 50; tries++) {
      const reply = await ask(me.headers, "POST", "/client-data/addresses", sent)
      if (reply.status !== 409 && judge(reply, () => reply.json.name === name) === 201) {
        acknowledged.push(name)
        return
      }
      await pause(100)
    }
    wrong.push(`${name} is not taken`)
  })
  return { acknowledged, wrong, told, stop: load.stop }
}

/** What was acknowledged is there once, in its own customer's list. */
export const audit = async (replica: ServerProcess, acknowledged: ReadonlyArray<string>) => {
  for (const { headers, name } of people) {
    const mine = acknowledged.filter((written) => written.startsWith(`${name}.`))
    assert.deepEqual((await addressNames(replica, headers)).toSorted(), mine.toSorted())
  }
}

export const until = async (isSo: () => boolean | Promise<boolean>, milliseconds: number) => {
  const begun = performance.now()
  while (!(await isSo()) && performance.now() - begun < milliseconds) await pause(10)
  return Math.round(performance.now() - begun)
}
