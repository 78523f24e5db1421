type Random = (below: number) => number
type Writer = (random: Random) => string

const printable = Array.from({ length: 95 }, (_, n) => String.fromCharCode(32 + n))
const classes: Readonly<Record<string, ReadonlyArray<string>>> = {
  d: [..."0123456789"],
  w: printable.filter((one) => /\w/.test(one)),
  s: [" "]
}

/** Writes texts that a regular expression takes, of those that the document has: classes, groups, choices, repeats. */
export const fromPattern = (pattern: string): Writer => {
  let at = 0
  const peek = () => pattern[at]

  const escape = (): ReadonlyArray<string> => {
    const kind = pattern[at++]!
    if (kind === "x" || kind === "u") {
      const length = kind === "x" ? 2 : 4
      const code = pattern.slice(at, at + length)
      at += length
      return [String.fromCharCode(Number.parseInt(code, 16))]
    }
    return classes[kind] ?? [kind]
  }

  const oneOf = (): ReadonlyArray<string> => {
    const isNegated = peek() === "^"
    if (isNegated) at++
    const members: Array<string> = []
    while (peek() !== "]") {
      const from = pattern[at++] === "\\" ? escape() : [pattern[at - 1]!]
      if (peek() === "-" && pattern[at + 1] !== "]") {
        at++
        const to = pattern[at++] === "\\" ? escape()[0]! : pattern[at - 1]!
        for (let code = from[0]!.charCodeAt(0); code <= to.charCodeAt(0); code++)
          members.push(String.fromCharCode(code))
      } else members.push(...from)
    }
    at++
    return isNegated ? printable.filter((one) => !members.includes(one)) : members
  }

  const atom = (): Writer => {
    const next = pattern[at++]
    if (next === "(") {
      const isAhead = pattern.startsWith("?=", at)
      if (pattern.startsWith("?:", at) || isAhead) at += 2
      const inner = choice()
      at++
      return isAhead ? () => "" : inner
    }
    if (next === "^" || next === "$") return () => ""
    const members = next === "[" ? oneOf() : next === "\\" ? escape() : next === "." ? printable : [next!]
    return (random) => members[random(members.length)]!
  }

  const repeated = (): Writer => {
    const write = atom()
    const counted = /^(?:[*+?]|\{(\d+)(,?)(\d*)\})/.exec(pattern.slice(at))
    if (counted === null) return write
    at += counted[0].length
    const [sign, from, comma, to] = counted
    const least = from === undefined ? (sign === "+" ? 1 : 0) : Number(from)
    const most = from === undefined ? (sign === "?" ? 1 : least + 8) : comma === "" ? least : Number(to || least + 8)
    return (random) => {
      const edge = random(8)
      const times = edge === 0 ? least : edge === 1 ? most : least + random(Math.min(most - least, 12) + 1)
      return Array.from({ length: times }, () => write(random)).join("")
    }
  }

  const choice = (): Writer => {
    const choices: Array<ReadonlyArray<Writer>> = []
    for (;;) {
      const sequence: Array<Writer> = []
      while (at < pattern.length && peek() !== "|" && peek() !== ")") sequence.push(repeated())
      choices.push(sequence)
      if (peek() !== "|") break
      at++
    }
    return (random) => choices[random(choices.length)]!.map((write) => write(random)).join("")
  }
  return choice()
}
