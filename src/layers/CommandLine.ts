import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, Console, Effect, Exit, Layer, Logger } from "effect"
import { CliConfig, CliError, CliOutput, Command, GlobalFlag } from "effect/cli"
import * as Environment from "./Environment.ts"
import * as Failures from "./Failures.ts"

/** On stdout stands what was asked for, and nothing else. */
const presenter: CliOutput.Presenter = {
  present: Effect.fnUntraced(function* (event) {
    if (event._tag === "Version" || (event._tag === "Help" && event.reason === "Requested")) {
      return yield* CliOutput.defaultPresenter.present(event)
    }
    const formatter = yield* CliOutput.Formatter
    yield* Console.error(formatter.formatHelpDoc(event.helpDoc))
    if (event._tag === "Help") return
    for (const error of event.errors) {
      yield* Console.error(`\n${formatter.formatCliError(error).replace("Expected: Schema validation failed: ", "")}`)
    }
  })
}

const surroundings = Layer.mergeAll(
  NodeServices.layer,
  Environment.layer,
  CliConfig.layer({ builtIns: [GlobalFlag.Help] }),
  CliOutput.layer(CliOutput.defaultFormatter({ colors: false, globalFlags: "none" })),
  CliOutput.layerPresenter(presenter),
  Logger.layer([Logger.withConsoleError(Logger.formatSimple)])
)

/**
 * Runs a command with the arguments of this process, which then ends: with 0 when it is done, with 2 for arguments that
 * make no sense, and with 1 and a sentence for everything else that goes wrong.
 */
export const run = <Name extends string, Input, E, ContextInput>(
  command: Command.Command<Name, Input, ContextInput, E, Command.Environment>
): void => {
  const ran = Command.runWith(command, { version: "" })(process.argv.slice(2))
  Effect.runCallback(Effect.provide(ran, surroundings), {
    onExit: (exit) => {
      if (Exit.isSuccess(exit)) return
      const error = Cause.squash(exit.cause)
      const refused = CliError.isCliError(error) && error._tag === "ShowHelp"
      if (!refused) console.error(Failures.describe(exit.cause))
      process.exitCode = refused ? 2 : 1
    }
  })
}
