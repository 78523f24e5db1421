import { Console, Layer } from "effect"

/** A console that keeps what is written to it. */
export const consoleOf = (lines: Array<string>): Console.Console =>
  Object.assign(Object.create(globalThis.console) as Console.Console, { log: (line: string) => void lines.push(line) })

/** Keeps what local mode's stand-ins write for a person out of what the tests print. */
export const layer = Layer.succeed(Console.Console, consoleOf([]))
