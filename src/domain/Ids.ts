import { Schema } from "effect"

/** An id that the platform chose: customers, orders, products ... and the orgs themselves. */
export const PlatformId = Schema.String.check(
  Schema.isPattern(/^[A-Za-z0-9._:-]{1,128}$/u, {
    message: "Expected 1 to 128 letters, digits, dots, underscores, colons or hyphens"
  })
)

export const OrgId = PlatformId.pipe(Schema.brand("OrgId"))
export type OrgId = typeof OrgId.Type

export const CustomerId = PlatformId.pipe(Schema.brand("CustomerId"))
export type CustomerId = typeof CustomerId.Type
