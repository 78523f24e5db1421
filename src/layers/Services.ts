import { Layer } from "effect"
import * as ChangeHintsPostgres from "./ChangeHintsPostgres.ts"
import * as ChangesSettings from "./ChangesSettings.ts"
import { Accounts } from "../services/Accounts.ts"
import { Addresses } from "../services/Addresses.ts"
import { AddressLookup } from "../services/AddressLookup.ts"
import { ApiKeys } from "../services/ApiKeys.ts"
import { ChangeFeed } from "../services/ChangeFeed.ts"
import { Changes } from "../services/Changes.ts"
import { Conversations } from "../services/Conversations.ts"
import { Dashboards } from "../services/Dashboards.ts"
import { Files } from "../services/Files.ts"
import { FileSweeper } from "../services/FileSweeper.ts"
import { FileUploads } from "../services/FileUploads.ts"
import { Idempotency } from "../services/Idempotency.ts"
import { Identities } from "../services/Identities.ts"
import { Messages } from "../services/Messages.ts"
import { MessageSending } from "../services/MessageSending.ts"
import { Orders } from "../services/Orders.ts"
import { Orgs } from "../services/Orgs.ts"
import { Profiles } from "../services/Profiles.ts"
import { PaymentEvents } from "../services/PaymentEvents.ts"
import { PaymentMethods } from "../services/PaymentMethods.ts"
import { PaymentSettlement } from "../services/PaymentSettlement.ts"
import { Products } from "../services/Products.ts"
import { SharedLimits } from "../services/SharedLimits.ts"
import { Tickets } from "../services/Tickets.ts"
import { Transactions } from "../services/Transactions.ts"
import { Wallet } from "../services/Wallet.ts"
import { Wishlist } from "../services/Wishlist.ts"

/** What we can do. */
export const Services = Layer.mergeAll(
  Accounts.layer,
  Addresses.layer,
  AddressLookup.layer,
  ApiKeys.layer,
  ChangeFeed.layer.pipe(Layer.provide([Changes.layer, ChangeHintsPostgres.layer])),
  Changes.layer,
  ChangesSettings.Sweeper,
  Conversations.layer,
  Dashboards.layer,
  Files.layer,
  FileSweeper.layer,
  FileUploads.layer,
  Idempotency.layer,
  Identities.layer,
  Messages.layer,
  MessageSending.layer.pipe(Layer.provide(Files.layer)),
  Orders.layer,
  Orgs.layer,
  Profiles.layer,
  PaymentEvents.layer.pipe(Layer.provide(PaymentSettlement.layer)),
  PaymentMethods.layer.pipe(Layer.provide([PaymentSettlement.layer, SharedLimits.layer])),
  Products.layer,
  SharedLimits.layer,
  Tickets.layer.pipe(Layer.provide([Files.layer, FileUploads.layer])),
  Transactions.layer,
  Wallet.layer,
  Wishlist.layer
)
