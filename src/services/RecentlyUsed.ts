/**
 * At most `capacity` values in two halves, a young and an old one: when the young one is full it becomes the old one,
 * and what is asked for in the old one is young again. Keeps what is in use, at the price of one lookup.
 */
export const make = <A extends object>(capacity: number) => {
  let young = new Map<string, A>()
  let old = new Map<string, A>()

  const set = (key: string, value: A) => {
    if (young.size >= capacity / 2) {
      old = young
      young = new Map()
    }
    young.set(key, value)
  }

  const get = (key: string): A | undefined => {
    const fresh = young.get(key)
    if (fresh !== undefined) return fresh
    const aged = old.get(key)
    if (aged !== undefined) set(key, aged)
    return aged
  }

  return { get, set }
}
