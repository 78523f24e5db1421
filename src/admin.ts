// The operator's side: orgs, their API keys, the demo, the schema. Works on the database that the server would use.
import { Console, Data, Effect, Layer } from "effect"
import { Argument, Command, Flag } from "effect/cli"
import { OrgId } from "./domain/Ids.ts"
import { Text } from "./domain/Text.ts"
import * as CommandLine from "./layers/CommandLine.ts"
import * as Demo from "./layers/Demo.ts"
import * as DemoAccounts from "./layers/DemoAccounts.ts"
import * as DemoSeed from "./layers/DemoSeed.ts"
import * as Migrations from "./layers/Migrations.ts"
import * as Postgres from "./layers/Postgres.ts"
import { ProvidersOff } from "./layers/Providers.ts"
import { Services } from "./layers/Services.ts"
import * as Settings from "./layers/Settings.ts"
import { ApiKeys } from "./services/ApiKeys.ts"
import { Orgs } from "./services/Orgs.ts"

class Refused extends Data.TaggedError("Refused")<{ readonly message: string }> {}

/** Opening the database brings it up to date. */
const database = Layer.unwrap(
  Effect.as(
    Settings.read(Settings.database),
    Services.pipe(Layer.provide(ProvidersOff), Layer.provideMerge(Postgres.layer))
  )
)

const org = Argument.String("org").pipe(Argument.withDescription("The org's id"), Argument.withSchema(OrgId))
const name = Flag.String("name").pipe(Flag.withSchema(Text(1, 120)))

const known = Effect.fnUntraced(function* (id: OrgId) {
  const orgs = yield* Orgs
  if (!(yield* orgs.exists(id))) return yield* new Refused({ message: `There is no org ${id}.` })
})

const orgCreate = Command.make(
  "create",
  { org, name: name.pipe(Flag.withDescription("What people call it; its id when absent"), Flag.optional) },
  Effect.fnUntraced(function* ({ name, org }) {
    const orgs = yield* Orgs
    const created = yield* orgs.create(org, name._tag === "Some" ? name.value : org)
    if (!created) return yield* new Refused({ message: `There is an org ${org} already.` })
    yield* Console.log(`Created the org ${org}.`)
  })
).pipe(Command.withDescription("Create an org"), Command.provide(database))

const orgList = Command.make("list", {}, () =>
  Effect.gen(function* () {
    const orgs = yield* Orgs
    for (const { createdAt, id, name } of yield* orgs.list) yield* row(id, createdAt.toISOString(), name)
  })
).pipe(Command.withDescription("List the orgs: id, since when, name"), Command.provide(database))

const keyCreate = Command.make(
  "create",
  { org, name: name.pipe(Flag.withDescription("Who it is for"), Flag.withDefault("unnamed")) },
  Effect.fnUntraced(function* ({ name, org }) {
    yield* known(org)
    const apiKeys = yield* ApiKeys
    const { id, key } = yield* apiKeys.create(org, name)
    yield* Console.error(`Created ${id} of ${org}. It is shown this once:`)
    yield* Console.log(key)
  })
).pipe(Command.withDescription("Create a key for an org's platform and print it, this once"), Command.provide(database))

const keyList = Command.make(
  "list",
  { org },
  Effect.fnUntraced(function* ({ org }) {
    yield* known(org)
    const apiKeys = yield* ApiKeys
    for (const { createdAt, id, name, revokedAt } of yield* apiKeys.list(org)) {
      yield* row(id, createdAt.toISOString(), revokedAt === null ? "live" : `revoked ${revokedAt.toISOString()}`, name)
    }
  })
).pipe(Command.withDescription("List an org's keys: id, since when, whether live, name"), Command.provide(database))

const keyRevoke = Command.make(
  "revoke",
  { org, id: Argument.String("id").pipe(Argument.withDescription("The key's id, as listed")) },
  Effect.fnUntraced(function* ({ id, org }) {
    const apiKeys = yield* ApiKeys
    const revoked = yield* apiKeys.revoke(org, id)
    if (!revoked) return yield* new Refused({ message: `The org ${org} has no live key ${id}.` })
    yield* Console.log(`Revoked ${id} of ${org}. Servers stop taking it within 5 seconds.`)
  })
).pipe(Command.withDescription("Revoke a key"), Command.provide(database))

const seed = Command.make("seed", {}, () =>
  Effect.flatMap(DemoSeed.alone(Demo.seed), (made) =>
    Console.log(
      made
        ? `Filled the org ${DemoAccounts.org}.`
        : `The org ${DemoAccounts.org} is there already: nothing has changed.`
    )
  )
).pipe(Command.withDescription("Make the demo org, if there is none"), Command.provide(database))

const migrate = Command.make("migrate", {}, () =>
  Effect.flatMap(Migrations.applied, (id) => Console.log(`The schema is at migration ${id}.`))
).pipe(
  Command.withDescription("Bring the schema up to date, as every start of a server does"),
  Command.provide(database)
)

const row = (...columns: ReadonlyArray<string>) => Console.log(columns.join("  "))

const group = (name: string, description: string) => Command.make(name).pipe(Command.withDescription(description))

CommandLine.run(
  group("admin", "What the operator of Portico can do").pipe(
    Command.withSubcommands([
      group("org", "The tenants").pipe(Command.withSubcommands([orgCreate, orgList])),
      group("api-key", "What an org's platform shows to be let in").pipe(
        Command.withSubcommands([keyCreate, keyList, keyRevoke])
      ),
      seed,
      migrate
    ])
  )
)
