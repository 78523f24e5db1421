import { Layer } from "effect"
import * as ChangeHintsPostgres from "./ChangeHintsPostgres.ts"
import * as ChangesSettings from "./ChangesSettings.ts"
import * as ErasureSettings from "./ErasureSettings.ts"
import { AccountExports } from "../services/AccountExports.ts"
import { Accounts } from "../services/Accounts.ts"
import { AccountTags } from "../services/AccountTags.ts"
import { Addresses } from "../services/Addresses.ts"
import { AddressLookup } from "../services/AddressLookup.ts"
import { ApiKeys } from "../services/ApiKeys.ts"
import { Benefits } from "../services/Benefits.ts"
import { Broadcasts } from "../services/Broadcasts.ts"
import { CardNotices } from "../services/CardNotices.ts"
import { Conversations } from "../services/Conversations.ts"
import { Deliveries } from "../services/Deliveries.ts"
import { DeliveryQueue } from "../services/DeliveryQueue.ts"
import { EnrollmentDecisions } from "../services/EnrollmentDecisions.ts"
import { EnrollmentExpiry } from "../services/EnrollmentExpiry.ts"
import { Enrollments } from "../services/Enrollments.ts"
import { ChangeFeed } from "../services/ChangeFeed.ts"
import { Changes } from "../services/Changes.ts"
import { Dashboards } from "../services/Dashboards.ts"
import { ErasureRuns } from "../services/ErasureRuns.ts"
import { Files } from "../services/Files.ts"
import { FileSweeper } from "../services/FileSweeper.ts"
import { FileUploads } from "../services/FileUploads.ts"
import { Idempotency } from "../services/Idempotency.ts"
import { Identities } from "../services/Identities.ts"
import { Messages } from "../services/Messages.ts"
import { MessageSending } from "../services/MessageSending.ts"
import { Notices } from "../services/Notices.ts"
import { Notifications } from "../services/Notifications.ts"
import { Orders } from "../services/Orders.ts"
import { Orgs } from "../services/Orgs.ts"
import { Outbox } from "../services/Outbox.ts"
import { Preferences } from "../services/Preferences.ts"
import { Profiles } from "../services/Profiles.ts"
import { PaymentEvents } from "../services/PaymentEvents.ts"
import { PaymentMethods } from "../services/PaymentMethods.ts"
import { PaymentSettlement } from "../services/PaymentSettlement.ts"
import { Pricing } from "../services/Pricing.ts"
import { Products } from "../services/Products.ts"
import { ReservationBooking } from "../services/ReservationBooking.ts"
import { ReservationDefinitions } from "../services/ReservationDefinitions.ts"
import { ReservationReminders } from "../services/ReservationReminders.ts"
import { Reservations } from "../services/Reservations.ts"
import { PushTargets } from "../services/PushTargets.ts"
import { PushTokens } from "../services/PushTokens.ts"
import { SharedLimits } from "../services/SharedLimits.ts"
import { TicketAnswers } from "../services/TicketAnswers.ts"
import { Tickets } from "../services/Tickets.ts"
import { Transactions } from "../services/Transactions.ts"
import { Verification } from "../services/Verification.ts"
import { Wallet } from "../services/Wallet.ts"
import { Wishlist } from "../services/Wishlist.ts"

/** What we can do. */
export const Services = Layer.mergeAll(
  Accounts.layer,
  AccountExports.layer.pipe(Layer.provide([Accounts.layer, FileUploads.layer])),
  Addresses.layer,
  AddressLookup.layer,
  ApiKeys.layer,
  Benefits.layer,
  Broadcasts.layer,
  CardNotices.layer,
  Conversations.layer,
  EnrollmentDecisions.layer,
  EnrollmentExpiry.layer,
  Enrollments.layer.pipe(Layer.provide(Files.layer)),
  ChangeFeed.layer.pipe(Layer.provide([Changes.layer, ChangeHintsPostgres.layer])),
  Changes.layer,
  ChangesSettings.Sweeper,
  Dashboards.layer,
  ErasureRuns.layer,
  ErasureSettings.layer.pipe(Layer.provide(SharedLimits.layer)),
  Files.layer,
  FileSweeper.layer,
  FileUploads.layer,
  Idempotency.layer,
  Identities.layer,
  Messages.layer,
  MessageSending.layer.pipe(Layer.provide(Files.layer)),
  Notifications.layer,
  Orders.layer,
  Orgs.layer,
  Outbox.layer,
  Preferences.layer,
  Profiles.layer,
  PaymentEvents.layer.pipe(Layer.provide(PaymentSettlement.layer)),
  PaymentMethods.layer.pipe(Layer.provide([PaymentSettlement.layer, SharedLimits.layer])),
  Pricing.layer,
  Products.layer,
  ReservationBooking.layer,
  ReservationDefinitions.layer,
  ReservationReminders.layer,
  Reservations.layer,
  PushTargets.layer,
  PushTokens.layer,
  SharedLimits.layer,
  TicketAnswers.layer,
  Tickets.layer.pipe(Layer.provide([Files.layer, FileUploads.layer])),
  Transactions.layer,
  Verification.layer.pipe(Layer.provide(SharedLimits.layer)),
  Wallet.layer,
  Wishlist.layer
).pipe(
  Layer.provideMerge(AccountTags.layer),
  Layer.provideMerge(Notices.layer),
  Layer.provideMerge(Deliveries.layer),
  Layer.provide(DeliveryQueue.layer)
)
