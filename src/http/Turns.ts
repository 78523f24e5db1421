/** So many are enough to keep the process and its database busy. */
const enough = 64
/** More begin all the same, since those that have begun may wait for somebody who is slow. */
const each = 8

/**
 * Has requests begin in their order, and no more in one turn of the event loop than the process has room for: what has
 * begun comes to its end first. One that has not begun is next to nothing, while all that is begun at once is kept alive,
 * and moved by each collection, until the last answer.
 *
 * @param running how many have begun and not ended
 */
export const make = (running: () => number) => {
  const queue: Array<() => void> = []
  let isTurning = false

  const turn = () => {
    for (let begun = 0; queue.length > 0 && (running() < enough || begun < each); begun++) queue.shift()!()
    isTurning = queue.length > 0
    if (isTurning) setImmediate(turn)
  }

  return {
    waiting: () => queue.length,
    begin: (request: () => void) => {
      if (!isTurning && running() < enough) return request()
      queue.push(request)
      if (!isTurning) setImmediate(turn)
      isTurning = true
    }
  }
}
