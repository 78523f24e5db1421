import { assert } from "@effect/vitest"
import { Effect } from "effect"
import type { AddressesQuery, AddressId, AddressUpsert } from "../../src/domain/Address.ts"
import { Addresses } from "../../src/services/Addresses.ts"
import { as, type Customer, makeCustomer, makeOrg, nextNumber } from "./People.ts"

type IfMatch = ReadonlyArray<number> | null

/** Makes or changes an address of the customer's. */
export const put = (customer: Customer, changes: AddressUpsert, ifMatch?: IfMatch) =>
  Addresses.use((addresses) => addresses.upsert(changes, ifMatch)).pipe(
    as(customer),
    Effect.map(({ address }) => address)
  )
export const get = (customer: Customer, id: AddressId) =>
  Addresses.use((addresses) => addresses.get(id)).pipe(as(customer))
export const remove = (customer: Customer, id: AddressId, ifMatch?: IfMatch) =>
  Addresses.use((addresses) => addresses.remove(id, ifMatch)).pipe(as(customer))
export const page = (customer: Customer, query: AddressesQuery = {}) =>
  Addresses.use((addresses) => addresses.list(query)).pipe(as(customer))
export const list = (customer: Customer, query: AddressesQuery = { ps: 200 }) =>
  Effect.map(page(customer, query), ({ data }) => data)

export const home = { street1: "12 St James's Square", city: "London", zip: "SW1Y 4JH", country: "GB" }
export const another = (): AddressUpsert => ({ ...home, street1: `${nextNumber()} Abbey Road`, zip: "NW8 9AY" })

/** An address with every field filled in. */
export const full = {
  name: "Ada Lovelace",
  company: "Analytical Engines Ltd",
  phone: "+442079460958",
  street1: "12 St James's Square",
  street2: "Flat 3",
  city: "London",
  state: "Greater London",
  zip: "SW1Y 4JH",
  country: "GB",
  type: "work" as const,
  primary: true,
  mailing: true,
  placeId: "gb-london-st-james-s-square",
  latitude: 51.50722,
  longitude: -0.1357
}

/** ada without any address, in an org of her own. */
export const newAda = Effect.flatMap(makeOrg("acme"), (orgId) => makeCustomer(orgId, "ada"))

/** One primary while there is any address, one mailing at most: what has to hold at any moment. */
export const assertOnePrimary = Effect.fnUntraced(function* (customer: Customer) {
  const all = yield* list(customer)
  assert.strictEqual(all.filter(({ primary }) => primary).length, Math.min(all.length, 1))
  assert.isAtMost(all.filter(({ mailing }) => mailing).length, 1)
  return all
})
