import { Layer } from "effect"
import { Addresses } from "../services/Addresses.ts"
import { AddressLookup } from "../services/AddressLookup.ts"
import { ApiKeys } from "../services/ApiKeys.ts"
import { Idempotency } from "../services/Idempotency.ts"
import { Identities } from "../services/Identities.ts"
import { Orders } from "../services/Orders.ts"
import { Orgs } from "../services/Orgs.ts"
import { Profiles } from "../services/Profiles.ts"
import { Products } from "../services/Products.ts"
import { SharedLimits } from "../services/SharedLimits.ts"
import { Transactions } from "../services/Transactions.ts"
import { Wallet } from "../services/Wallet.ts"
import { Wishlist } from "../services/Wishlist.ts"

/** What we can do. */
export const Services = Layer.mergeAll(
  Addresses.layer,
  AddressLookup.layer,
  ApiKeys.layer,
  Idempotency.layer,
  Identities.layer,
  Orders.layer,
  Orgs.layer,
  Profiles.layer,
  Products.layer,
  SharedLimits.layer,
  Transactions.layer,
  Wallet.layer,
  Wishlist.layer
)
