// Prints a token that a server with the same environment accepts, and nothing else.
import { Console, Duration, Effect, Option, Schema } from "effect"
import { CliError, Command, Flag } from "effect/cli"
import { CustomerId, OrgId } from "./domain/Ids.ts"
import { Email } from "./domain/Profile.ts"
import { Text } from "./domain/Text.ts"
import * as CommandLine from "./layers/CommandLine.ts"
import * as Settings from "./layers/Settings.ts"
import { mint } from "./layers/TokensMint.ts"
import * as TokensSettings from "./layers/TokensSettings.ts"

const units = { s: Duration.seconds, m: Duration.minutes, h: Duration.hours, d: Duration.days }

const Expires = Schema.String.check(
  Schema.isPattern(/^[1-9]\d{0,5}[smhd]$/, { message: "Expected a duration such as 90s, 15m, 1h or 7d" })
)

const flag = <A extends string>(name: string, description: string, schema: Schema.Codec<A, string>) =>
  Flag.String(name).pipe(Flag.withDescription(description), Flag.withSchema(schema))

const token = Command.make(
  "token",
  {
    org: flag("org", "The org that the token is for", OrgId),
    customer: Flag.optional(flag("customer", "The customer who signs in", CustomerId)),
    user: Flag.optional(flag("user", "Or a user, who acts on the customer record that is theirs", Text(1, 255))),
    email: Flag.optional(flag("email", "An email address, taken as verified", Email)),
    name: Flag.optional(flag("name", "A name", Text(1, 120))),
    expires: flag("expires", "How long the token is good for: 90s, 15m, 1h or 7d", Expires).pipe(Flag.withDefault("1h"))
  },
  Effect.fnUntraced(function* ({ customer, email, expires, name, org, user }) {
    if (Option.isSome(customer) === Option.isSome(user)) {
      const oneOf = new CliError.ValidationError({ message: "Expected one of --customer and --user" })
      return yield* new CliError.ShowHelp({ commandPath: ["token"], errors: [oneOf] })
    }
    const { tokens } = yield* Settings.read({ tokens: TokensSettings.settings })
    if (tokens.keys._tag === "Jwks") {
      return yield* new Settings.WrongConfiguration({
        problems: [
          "AUTH_JWKS_URL: only that issuer makes tokens; one can be made here with AUTH_JWT_SECRET in its place"
        ]
      })
    }
    const claims = {
      org,
      ...(Option.isSome(email) && { email: email.value, emailVerified: true }),
      ...(Option.isSome(name) && { name: name.value })
    }
    const who = Option.isSome(customer)
      ? { type: "customer" as const, sub: customer.value }
      : { type: "user" as const, sub: Option.getOrThrow(user) }
    const unit = units[expires.at(-1) as keyof typeof units]
    const made = mint({
      secret: tokens.keys.secret,
      claims: { ...who, ...claims },
      expiresIn: unit(parseInt(expires, 10))
    })
    yield* Console.log(yield* made)
  })
)

CommandLine.run(token)
