import { Effect, Redacted } from "effect"
import { SqlClient, type SqlError } from "effect/sql"
import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto"

export const customer = "portico_customer"
export const platform = "portico_platform"

/** The password of a tenant role: all replicas derive the same from the owner's, so there is none to configure. */
export const passwordOf = (role: string, owner: Redacted.Redacted): Redacted.Redacted =>
  Redacted.make(createHmac("sha256", Redacted.value(owner)).update(role).digest("base64url"))

/**
 * Makes sure that a tenant role is there and can log in.
 *
 * Roles belong to the whole cluster, so somebody else may be doing the same for another database, where no lock of ours
 * reaches: what failed because it has just been done is fine.
 */
export const ensure = Effect.fn("PostgresRoles.ensure")(function* (
  role: string,
  password: Redacted.Redacted | undefined,
  login: Effect.Effect<void, SqlError.SqlError>
) {
  const sql = yield* SqlClient.SqlClient
  const secret = sql.literal(password === undefined ? "" : `PASSWORD '${verifier(Redacted.value(password))}'`)
  const select = sql<{ readonly privileged: boolean }>`
    SELECT rolsuper OR rolbypassrls AS privileged FROM pg_roles WHERE rolname = ${role}
  `
  const create = sql`CREATE ROLE ${sql(role)} LOGIN NOSUPERUSER NOBYPASSRLS NOINHERIT ${secret}`
  const alter = sql`ALTER ROLE ${sql(role)} LOGIN ${secret}`

  const found = yield* select
  if (found.length === 0) {
    yield* create.pipe(
      Effect.catch((error) => Effect.flatMap(select, (now) => (now.length > 0 ? Effect.void : Effect.fail(error))))
    )
  }
  if (found[0]?.privileged === true) {
    return yield* Effect.die(new Error(`The role ${role} is not bound by row security: it must be an ordinary role`))
  }

  const reset = alter.pipe(
    Effect.catch((error) => Effect.mapError(login, () => error)),
    Effect.andThen(login)
  )
  yield* login.pipe(
    Effect.catchIf(
      (error) => password !== undefined && isRefused(error),
      () => reset
    )
  )
})

/** PgBouncer says so with the code of a broken connection. */
const isRefused = ({ reason }: SqlError.SqlError): boolean =>
  reason._tag === "AuthenticationError" || /authentication failed/.test(String((reason.cause as Error | null)?.message))

/** What Postgres would store: sent in place of the password, so that no server log can hold it. */
const verifier = (password: string): string => {
  const salt = randomBytes(16)
  const salted = pbkdf2Sync(password, salt, 4096, 32, "sha256")
  const keyed = (name: string) => createHmac("sha256", salted).update(name).digest()
  const storedKey = createHash("sha256").update(keyed("Client Key")).digest("base64")
  return `SCRAM-SHA-256$4096:${salt.toString("base64")}$${storedKey}:${keyed("Server Key").toString("base64")}`
}
