import { HttpApi, OpenApi } from "effect/http-api"
import { AccountApi } from "./api/Account.ts"
import { AddressesApi } from "./api/Addresses.ts"
import { BenefitsApi, PlatformBenefitsApi } from "./api/Benefits.ts"
import { FileLinksApi, FilesApi } from "./api/Files.ts"
import { ConversationsApi, MessagesApi, PlatformConversationsApi, PlatformMessagesApi } from "./api/Messages.ts"
import { NotificationsApi, PlatformNotificationsApi, PushTokensApi } from "./api/Notifications.ts"
import { OrdersApi, PlatformOrdersApi } from "./api/Orders.ts"
import { PlatformOutboxApi } from "./api/Outbox.ts"
import { PaymentMethodsApi } from "./api/PaymentMethods.ts"
import { PlatformCustomersApi, ProfileApi } from "./api/Profile.ts"
import { PlatformReservationDefinitionsApi, PlatformReservationsApi, ReservationsApi } from "./api/Reservations.ts"
import { StripeEventsApi } from "./api/StripeEvents.ts"
import { PlatformTicketsApi, TicketsApi } from "./api/Tickets.ts"
import { PlatformTransactionsApi, TransactionsApi } from "./api/Transactions.ts"
import { PlatformProductsApi, WishlistApi } from "./api/Wishlist.ts"
import { VerificationApi } from "./api/Verification.ts"
import { Authentication, PlatformAuthentication } from "./Authentication.ts"
import { Bodies } from "./Bodies.ts"
import { document } from "./Document.ts"
import { IdempotencyKeys } from "./IdempotencyKeys.ts"
import { RateLimits } from "./RateLimits.ts"
import { Remembered } from "./Remembered.ts"
import { Uploads } from "./Uploads.ts"
import { Validation } from "./Validation.ts"

// The middleware added last runs first.
const clientData = HttpApi.make("portico")
  .add(ProfileApi, AddressesApi, OrdersApi, PaymentMethodsApi, WishlistApi, TransactionsApi, FilesApi)
  .add(TicketsApi, ConversationsApi, MessagesApi, VerificationApi, BenefitsApi)
  .add(ReservationsApi, NotificationsApi, PushTokensApi, AccountApi)
  .prefix("/client-data")
  .middleware(Remembered)
  .middleware(Validation)
  .middleware(IdempotencyKeys)
  .middleware(Uploads)
  .middleware(Bodies)
  .middleware(RateLimits)
  .middleware(Authentication)

const platform = HttpApi.make("portico")
  .add(PlatformCustomersApi, PlatformOrdersApi, PlatformProductsApi, PlatformTransactionsApi)
  .add(PlatformTicketsApi, PlatformConversationsApi, PlatformMessagesApi, PlatformOutboxApi, PlatformBenefitsApi)
  .add(PlatformReservationDefinitionsApi, PlatformReservationsApi, PlatformNotificationsApi)
  .prefix("/platform")
  .middleware(Validation)
  .middleware(IdempotencyKeys)
  .middleware(Bodies)
  .middleware(PlatformAuthentication)

const webhooks = HttpApi.make("portico").add(StripeEventsApi).middleware(Validation).middleware(Bodies)

const links = HttpApi.make("portico").add(FileLinksApi).middleware(Validation)

const all = HttpApi.make("portico").addHttpApi(clientData).addHttpApi(platform).addHttpApi(webhooks).addHttpApi(links)

export class Api extends all
  .annotate(HttpApi.PayloadParseOptions, { errors: "all", onExcessProperty: "error" })
  .annotate(HttpApi.QueryParseOptions, { errors: "all" })
  .annotate(HttpApi.SuccessParseOptions, { disableChecks: true })
  .annotateMerge(OpenApi.annotations({ transform: document(all) })) {}
