import { Effect, Layer, Redacted } from "effect"
import type { HttpClient } from "effect/http"
import type { Config } from "effect"
import type { SqlClient } from "effect/sql"
import type { CardVault } from "../services/CardVault.ts"
import type { PayPalVault } from "../services/PayPalVault.ts"
import { Codes } from "../services/Codes.ts"
import { SmsBudget } from "../services/SmsBudget.ts"
import { FileLinks } from "../services/FileLinks.ts"
import type { Places } from "../services/Places.ts"
import type { Storage } from "../services/Storage.ts"
import * as CardVaultLocal from "./CardVaultLocal.ts"
import * as CardVaultOff from "./CardVaultOff.ts"
import * as CardVaultStripe from "./CardVaultStripe.ts"
import * as CodesSettings from "./CodesSettings.ts"
import * as MailOff from "./MailOff.ts"
import * as PayPalSettings from "./PayPalSettings.ts"
import * as PayPalVaultLocal from "./PayPalVaultLocal.ts"
import * as PayPalVaultOff from "./PayPalVaultOff.ts"
import * as PayPalVaultV3 from "./PayPalVaultV3.ts"
import * as PlacesGoogle from "./PlacesGoogle.ts"
import * as PlacesLocal from "./PlacesLocal.ts"
import * as PlacesOff from "./PlacesOff.ts"
import * as PlacesSettings from "./PlacesSettings.ts"
import * as PushOff from "./PushOff.ts"
import * as SmsOff from "./SmsOff.ts"
import * as StorageDisk from "./StorageDisk.ts"
import * as StorageOff from "./StorageOff.ts"
import * as StorageS3 from "./StorageS3.ts"
import * as StorageSettings from "./StorageSettings.ts"
import * as StripeEventsOff from "./StripeEventsOff.ts"
import * as StripeEventsSigned from "./StripeEventsSigned.ts"
import * as StripeSettings from "./StripeSettings.ts"

export const places = Layer.unwrap(
  Effect.gen(function* (): Effect.fn.Return<Layer.Layer<Places, never, HttpClient.HttpClient>, Config.ConfigError> {
    const chosen = yield* PlacesSettings.choose
    if (chosen._tag !== "Live") return chosen._tag === "Local" ? PlacesLocal.layer : PlacesOff.layer
    const { GOOGLE_PLACES_API_KEY: apiKey } = chosen.credentials
    const baseUrl = yield* PlacesSettings.baseUrl
    return PlacesGoogle.layer({ apiKey, baseUrl: baseUrl.origin, dailyLimit: yield* PlacesSettings.dailyLimit })
  })
)

const cardVault = Layer.unwrap(
  Effect.gen(function* (): Effect.fn.Return<Layer.Layer<CardVault, never, SqlClient.SqlClient>, Config.ConfigError> {
    const chosen = yield* StripeSettings.choose
    if (chosen._tag !== "Live") return chosen._tag === "Local" ? CardVaultLocal.layer : CardVaultOff.layer
    const { STRIPE_SECRET_KEY: secretKey } = chosen.credentials
    return CardVaultStripe.layer({ secretKey, baseUrl: yield* StripeSettings.baseUrl })
  })
)

const payPalVault = Layer.unwrap(
  Effect.gen(function* (): Effect.fn.Return<
    Layer.Layer<PayPalVault, Config.ConfigError, SqlClient.SqlClient | HttpClient.HttpClient>,
    Config.ConfigError
  > {
    const chosen = yield* PayPalSettings.choose
    if (chosen._tag !== "Live") return chosen._tag === "Local" ? PayPalVaultLocal.layer : PayPalVaultOff.layer
    const { PAYPAL_CLIENT_ID: clientId, PAYPAL_CLIENT_SECRET: clientSecret } = chosen.credentials
    const baseUrl = yield* PayPalSettings.baseUrl
    return PayPalVaultV3.layer({ clientId, clientSecret, baseUrl, returnUrl: yield* PayPalSettings.returnUrl })
  })
)

const storage = Layer.unwrap(
  Effect.gen(function* (): Effect.fn.Return<Layer.Layer<Storage | FileLinks>, Config.ConfigError> {
    const { links, storage } = yield* StorageSettings.settings
    const layer =
      storage._tag === "S3"
        ? StorageS3.layer(storage)
        : storage._tag === "Disk"
          ? StorageDisk.layer(storage.folder)
          : StorageOff.layer
    return Layer.merge(layer, FileLinks.layerWith(links))
  })
)

const codes = Layer.unwrap(Effect.map(CodesSettings.secret, Codes.layerWith))

const smsBudget = Layer.effect(
  SmsBudget,
  Effect.gen(function* () {
    return { dailyLimit: yield* CodesSettings.smsDailyLimit, countries: yield* CodesSettings.smsCountries }
  })
)

const channelsOff = Layer.mergeAll(MailOff.layer, SmsOff.layer, PushOff.layer)

/** What others do for us, each by whom the configuration says. */
export const Providers = Layer.mergeAll(
  places,
  cardVault,
  payPalVault,
  storage,
  StripeEventsSigned.layer,
  codes,
  smsBudget,
  channelsOff
)

/** Nobody does anything: for the command line, which asks for nothing of theirs. */
export const ProvidersOff = Layer.mergeAll(
  PlacesOff.layer,
  CardVaultOff.layer,
  PayPalVaultOff.layer,
  StorageOff.layer,
  FileLinks.layerWith({ secret: Redacted.make(""), publicUrl: "" }),
  StripeEventsOff.layer,
  Codes.layerWith(Redacted.make("")),
  channelsOff
)

/** Stand-ins of our own, as local mode has them where nothing is configured. */
export const ProvidersLocal = Layer.mergeAll(
  PlacesLocal.layer,
  CardVaultLocal.layer,
  PayPalVaultLocal.layer,
  StripeEventsSigned.layer,
  codes,
  channelsOff
)
