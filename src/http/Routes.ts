import { ByteSize, Layer } from "effect"
import { HttpIncomingMessage } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import { Api } from "./Api.ts"
import { Authentication, PlatformAuthentication } from "./Authentication.ts"
import { Bodies } from "./Bodies.ts"
import { CardNumbers } from "./CardNumbers.ts"
import { Docs } from "./Docs.ts"
import { Edge } from "./Edge.ts"
import { AccountHandlers } from "./handlers/Account.ts"
import { AddressesHandlers } from "./handlers/Addresses.ts"
import { BenefitsHandlers, PlatformBenefitsHandlers } from "./handlers/Benefits.ts"
import { FileLinksHandlers, FilesHandlers } from "./handlers/Files.ts"
import {
  ConversationsHandlers,
  MessagesHandlers,
  PlatformConversationsHandlers,
  PlatformMessagesHandlers
} from "./handlers/Messages.ts"
import { NotificationsHandlers, PlatformNotificationsHandlers, PushTokensHandlers } from "./handlers/Notifications.ts"
import { OrdersHandlers, PlatformOrdersHandlers } from "./handlers/Orders.ts"
import { PlatformOutboxHandlers } from "./handlers/Outbox.ts"
import { PaymentMethodsHandlers } from "./handlers/PaymentMethods.ts"
import { PlatformCustomersHandlers, ProfileHandlers } from "./handlers/Profile.ts"
import {
  PlatformReservationDefinitionsHandlers,
  PlatformReservationsHandlers,
  ReservationsHandlers
} from "./handlers/Reservations.ts"
import { StripeEventsHandlers } from "./handlers/StripeEvents.ts"
import { PlatformTicketsHandlers, TicketsHandlers } from "./handlers/Tickets.ts"
import { PlatformTransactionsHandlers, TransactionsHandlers } from "./handlers/Transactions.ts"
import { PlatformProductsHandlers, WishlistHandlers } from "./handlers/Wishlist.ts"
import { VerificationHandlers } from "./handlers/Verification.ts"
import { Health } from "./Health.ts"
import { IdempotencyKeys } from "./IdempotencyKeys.ts"
import { RateLimits } from "./RateLimits.ts"
import { Remembered } from "./Remembered.ts"
import { Uploads } from "./Uploads.ts"
import { Validation } from "./Validation.ts"

/** What endpoints have their requests pass through. */
export const Middleware = Layer.mergeAll(
  Authentication.layer,
  PlatformAuthentication.layer,
  RateLimits.layer,
  Remembered.layer,
  Bodies.layer,
  CardNumbers.layer,
  IdempotencyKeys.layer,
  Uploads.layer,
  Validation.layer
)

/** Everything that answers: the API, its document, and what operators ask. */
export const Routes = Layer.mergeAll(
  HttpApiBuilder.layer(Api, { openapiPath: "/openapi.json" }).pipe(
    Layer.provide([
      AccountHandlers,
      ProfileHandlers,
      PlatformCustomersHandlers,
      AddressesHandlers,
      FilesHandlers,
      FileLinksHandlers,
      OrdersHandlers,
      PlatformOrdersHandlers,
      WishlistHandlers,
      PlatformProductsHandlers,
      PaymentMethodsHandlers,
      StripeEventsHandlers,
      TransactionsHandlers,
      PlatformTransactionsHandlers,
      TicketsHandlers,
      PlatformTicketsHandlers,
      ConversationsHandlers,
      PlatformConversationsHandlers,
      MessagesHandlers,
      PlatformMessagesHandlers,
      PlatformOutboxHandlers,
      VerificationHandlers,
      BenefitsHandlers,
      PlatformBenefitsHandlers,
      ReservationsHandlers,
      PlatformReservationDefinitionsHandlers,
      PlatformReservationsHandlers,
      NotificationsHandlers,
      PushTokensHandlers,
      PlatformNotificationsHandlers
    ])
  ),
  Docs,
  Health,
  Edge
).pipe(Layer.provide(Middleware), Layer.provide(Layer.succeed(HttpIncomingMessage.MaxBodySize, ByteSize.mebibytes(1))))
