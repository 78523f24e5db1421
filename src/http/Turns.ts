/** So many are enough to keep the process and its database busy, and so many of one client. */
const enough = { inAll: 64, ofOne: 16 }
/** More begin in each turn all the same, since those that have begun may wait for somebody who is slow. */
const more = { inAll: 8, ofOne: 1 }

/**
 * Has requests begin, and no more in one turn of the event loop than the process has room for: what has begun comes to its
 * end first. One that has not begun is next to nothing, while all that is begun at once is kept alive, and moved by each
 * collection, until the last answer.
 *
 * Those of one client begin in their order, and clients take turns (fair queueing, RFC 970), so that one who sends many
 * waits for them, and nobody else does.
 */
export const make = () => {
  const queues = new Map<string, Array<() => void>>()
  const begun = new Map<string, number>()
  let running = 0
  let waiting = 0
  let isTurning = false

  const isRoom = (client: string) => (begun.get(client) ?? 0) < enough.ofOne

  const turn = () => {
    const had = new Set<string>()
    let many = 0
    // Who is put back comes after all others, and is met again.
    for (const [client, queue] of queues) {
      if (running >= enough.inAll && many >= more.inAll) break
      if (!isRoom(client) && had.has(client)) continue
      many++
      had.add(client)
      waiting--
      queues.delete(client)
      const begin = queue.shift()!
      if (queue.length > 0) queues.set(client, queue)
      begin()
    }
    isTurning = queues.size > 0
    if (isTurning) setImmediate(turn)
  }

  return {
    /** How many there are, begun or not. */
    many: () => running + waiting,
    manyOf: (client: string) => (begun.get(client) ?? 0) + (queues.get(client)?.length ?? 0),
    begin: (client: string, request: () => void) => {
      if (!isTurning && running < enough.inAll && isRoom(client)) return request()
      const queue = queues.get(client)
      if (queue === undefined) queues.set(client, [request])
      else queue.push(request)
      waiting++
      if (!isTurning) setImmediate(turn)
      isTurning = true
    },
    /** Called by a request that begins. */
    enter: (client: string) => {
      running++
      begun.set(client, (begun.get(client) ?? 0) + 1)
    },
    /** Called by one that ends, or stands aside. */
    leave: (client: string) => {
      running--
      const left = begun.get(client)! - 1
      if (left > 0) begun.set(client, left)
      else begun.delete(client)
    }
  }
}
