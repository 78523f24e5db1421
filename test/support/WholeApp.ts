import { ConfigProvider, Layer } from "effect"
import * as CardVaultLocal from "../../src/layers/CardVaultLocal.ts"
import * as PayPalVaultLocal from "../../src/layers/PayPalVaultLocal.ts"
import * as StripeEventsSigned from "../../src/layers/StripeEventsSigned.ts"
import { PaymentEvents } from "../../src/services/PaymentEvents.ts"
import { PaymentMethods } from "../../src/services/PaymentMethods.ts"
import { PaymentSettlement } from "../../src/services/PaymentSettlement.ts"
import { SharedLimits } from "../../src/services/SharedLimits.ts"
import * as TestApp from "./App.ts"
import { environment } from "./Recipes.ts"
import * as TestDatabase from "./TestDatabase.ts"

const signedEvents = PaymentEvents.layer.pipe(
  Layer.provideMerge(PaymentMethods.layer),
  Layer.provideMerge(PaymentSettlement.layer),
  Layer.provide(
    Layer.mergeAll(CardVaultLocal.layer, PayPalVaultLocal.layer, StripeEventsSigned.layer, SharedLimits.layer)
  ),
  Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: environment }))),
  Layer.fresh
)

/** The application with everything that can be asked of it answering, Stripe's signed events included. */
export const layerOn = (database: typeof TestDatabase.layer) =>
  TestApp.layerWith(
    {},
    signedEvents as never as Layer.Layer<PaymentEvents | PaymentMethods | PaymentSettlement>,
    database
  )

export const layer = layerOn(TestDatabase.layer)
