import { Schema } from "effect"
import { Email, Language, Phone, Profile, profileExample, TimeZone } from "./Profile.ts"
import { Problem } from "./Problem.ts"
import { Text } from "./Text.ts"

/** The id of a login at the identity provider: a `user` token's `sub`. */
export const UserId = Text(1, 255).pipe(Schema.brand("UserId"))

/** A customer as the platform sees it: the profile, and which login owns it. */
export const Customer = Schema.Struct({
  ...Profile.fields,
  userId: Schema.NullOr(Schema.String)
}).annotate({
  identifier: "Customer",
  examples: [{ ...profileExample, userId: "auth0|5f7c8ec7c33c6c004bbafe82" }]
})
export type Customer = typeof Customer.Type

/** A customer as the platform pushes it; the platform's id is in the path. Absent keys stay as they are. */
export const CustomerPush = Schema.Struct({
  email: Schema.optionalKey(Schema.NullOr(Email)),
  emailVerified: Schema.optionalKey(Schema.Boolean),
  name: Schema.optionalKey(Schema.NullOr(Text(1, 120))),
  phone: Schema.optionalKey(Schema.NullOr(Phone)),
  phoneVerified: Schema.optionalKey(Schema.Boolean),
  language: Schema.optionalKey(Schema.NullOr(Language)),
  timezone: Schema.optionalKey(Schema.NullOr(TimeZone)),
  about: Schema.optionalKey(Schema.NullOr(Text(0, 2000))),
  userId: Schema.optionalKey(Schema.NullOr(UserId))
}).annotate({ identifier: "CustomerPush", examples: [{ email: "ada@example.com", name: "Ada Lovelace" }] })
export type CustomerPush = typeof CustomerPush.Type

export class CustomerNotFound extends Problem<CustomerNotFound>()("CustomerNotFound", {
  code: "customer_not_found",
  status: 404,
  title: "Customer not found",
  detail: "There is no such customer."
}) {}

export class UserInUse extends Problem<UserInUse>()("UserInUse", {
  code: "user_in_use",
  status: 409,
  title: "This login belongs to another customer",
  detail: "This userId is linked to another customer of the org; unlink it there first."
}) {}
