import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { Broadcasts } from "../../src/services/Broadcasts.ts"
import { App, type Options } from "./App.ts"
import { file, form, type Part } from "./Forms.ts"
import { nextNumber } from "./People.ts"
import type { Request } from "./References.ts"
import type { Actor } from "./World.ts"

/** What a recipe may use. */
export type Kitchen = App | Broadcasts | SqlClient.SqlClient

/** How to ask for one operation, so that it succeeds; what the matrix and the fuzz have to know and the document does not say. */
export interface Recipe {
  /** A request of the actor's about things of the actor's own, all made anew, with every identifier filled in. */
  readonly make: (actor: Actor) => Effect.Effect<Request, never, Kitchen>
  /** Places that name what the org shows to all of its customers: only other orgs are strangers to it. */
  readonly shared?: ReadonlyArray<string>
  /** Lists what the org shows to all of its customers. */
  readonly catalogue?: boolean
  /** Lists less than two rows, so that there is no cursor to a second page. */
  readonly single?: boolean
  /** Places that name something within the caller's org, where another org may use the same name for its own. */
  readonly local?: ReadonlyArray<string>
  /** Places whose value the caller chooses: that somebody else has chosen the same makes no difference. */
  readonly own?: ReadonlyArray<string>
  /** What a foreign identifier and a missing one are answered with, where that is not 404. */
  readonly answers?: Readonly<Record<string, number>>
  /** Places where the contract lets the caller learn that an identifier is taken, and the status that says so. */
  readonly told?: Readonly<Record<string, number>>
  /** Places that name what follows whoever names it last, as a device follows whoever signs in on it. */
  readonly moves?: ReadonlyArray<string>
  /** Requests that nobody has sealed, of an operation that asks for no token. */
  readonly forged?: (request: Request) => ReadonlyArray<Request>
}

export const nothing = () => Effect.succeed<Request>({})
export const send = Effect.fnUntraced(function* (
  who: Actor["customer"] | Actor["platform"],
  method: string,
  path: string,
  options: Options = {}
) {
  const { call } = yield* App
  const answer = yield* call(who, method, path, options)
  if (answer.status >= 300) return yield* Effect.die(new Error(`${method} ${path}: ${answer.status} ${answer.text}`))
  return answer.json
})
export const twice = <E, R>(make: () => Effect.Effect<unknown, E, R>) => Effect.andThen(make(), Effect.suspend(make))
export const about = <K extends string>(name: K, make: (actor: Actor) => Effect.Effect<string, never, Kitchen>) => ({
  make: (actor: Actor) => Effect.map(make(actor), (id): Request => ({ path: { [name]: id } }))
})
export const listOf = (make: (actor: Actor) => Effect.Effect<unknown, never, Kitchen>): Recipe => ({
  make: (actor) =>
    Effect.as(
      twice(() => make(actor)),
      {}
    )
})
export const ofCustomer = ({ customer }: Actor): Request => ({ query: { customerId: customer.customerId } })
export const filtered = { answers: { "query.customerId": 200 } }

/** A file of the actor's. */
export const upload = Effect.fnUntraced(function* ({ canary, customer }: Actor, ...more: ReadonlyArray<Part>) {
  const name = `file-${nextNumber()}.txt`
  const [stored] = yield* send(customer, "POST", "/client-data/files/upload", form([file(name, canary), ...more]))
  return stored as { readonly path: string; readonly url: string }
})
