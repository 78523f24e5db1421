import { Effect } from "effect"
import { field, file, type Part } from "./Forms.ts"
import { nextNumber } from "./People.ts"
import { about, filtered, listOf, nothing, ofCustomer, type Recipe, send, twice, upload } from "./Recipe.ts"
import { accountRecipes } from "./RecipesOfAccount.ts"
import { serviceRecipes } from "./RecipesOfServices.ts"
import * as StripeStandIn from "./StripeStandIn.ts"
import { aPhone, type Actor } from "./World.ts"

const webhookSecret = "whsec_of_the_matrix"
/** Beside what the test app is configured with. */
export const environment = { STRIPE_WEBHOOK_SECRET: webhookSecret }

const usd = { amount: 1200, currency: "USD" }

const product = Effect.fnUntraced(function* ({ platform }: Actor) {
  const id = `product-${nextNumber()}`
  const body = { sku: `sku-${id}`, name: "Slide rule", price: usd, available: true }
  yield* send(platform, "PUT", `/platform/products/${id}`, { body })
  return id
})
const orderBody = ({ canary, customer }: Actor) => ({
  customerId: customer.customerId,
  number: `No. ${nextNumber()}`,
  status: "paid",
  total: usd,
  items: [{ id: "line-1", productId: "product-1", name: canary, quantity: 1, unitPrice: usd }],
  shippingAddress: { street1: canary, phone: aPhone() },
  billingAddress: { street1: canary, phone: aPhone() },
  shipments: [{ carrier: canary, trackingNumber: `tracking-${nextNumber()}` }]
})
const order = Effect.fnUntraced(function* (actor: Actor) {
  const id = `order-${nextNumber()}`
  yield* send(actor.platform, "PUT", `/platform/orders/${id}`, { body: orderBody(actor) })
  return id
})
const addressBody = ({ canary }: Actor) => ({
  name: canary,
  street1: canary,
  city: "London",
  zip: "SW1Y 4JH",
  country: "GB",
  phone: aPhone(),
  placeId: "a-place"
})
const orderNumber = Effect.fnUntraced(function* (actor: Actor) {
  const { number } = yield* send(actor.customer, "GET", `/client-data/orders/${yield* order(actor)}`)
  return number as string
})
const address = (actor: Actor) =>
  Effect.map(send(actor.customer, "POST", "/client-data/addresses", { body: addressBody(actor) }), ({ id }) => id)
const card = ({ customer }: Actor, paymentMethodId = "pm_card_visa") =>
  send(customer, "POST", "/client-data/payment-methods", { body: { paymentMethodId } }).pipe(
    Effect.map(({ id }) => id as string)
  )
/** One that is not the default. */
const secondCard = Effect.fnUntraced(function* (actor: Actor) {
  const cards = [yield* card(actor), yield* card(actor, "pm_card_amex")]
  const { data } = yield* send(actor.customer, "GET", "/client-data/payment-methods?ps=1")
  return cards.find((id) => id !== data[0].id)!
})
const openTicket = Effect.fnUntraced(function* (actor: Actor) {
  const body = { title: actor.canary, description: actor.canary, orderId: yield* order(actor) }
  const opened = yield* send(actor.customer, "POST", "/client-data/tickets", { body })
  return opened as { readonly id: string; readonly number: string }
})
const ticket = (actor: Actor) => Effect.map(openTicket(actor), ({ id }) => id)
const ticketNumber = (actor: Actor) => Effect.map(openTicket(actor), ({ number }) => number)
const conversation = ({ canary, customer }: Actor) =>
  send(customer, "POST", "/client-data/messages", { body: { subject: canary, text: canary } }).pipe(
    Effect.map((message) => message as { readonly id: string; readonly conversationId: string })
  )
const staff = ({ canary }: Actor) => ({ kind: "staff", id: "charles", name: canary })
const received = (actor: Actor) =>
  send(actor.platform, "POST", "/platform/messages", {
    body: { customerId: actor.customer.customerId, from: staff(actor), subject: actor.canary, text: actor.canary }
  }).pipe(Effect.map(({ id }) => id as string))
const transactionBody = ({ canary, customer }: Actor) => ({
  customerId: customer.customerId,
  type: "payment",
  status: "paid",
  amount: usd,
  method: { type: "card", label: canary },
  description: canary,
  orderId: "order-1",
  reference: `reference-${nextNumber()}`
})
const transaction = (actor: Actor) =>
  send(actor.platform, "PUT", `/platform/transactions/transaction-${nextNumber()}`, { body: transactionBody(actor) })

const fields = (parts: Readonly<Record<string, string>>): ReadonlyArray<Part> =>
  Object.entries(parts).map(([name, content]) => field(name, content))

/** By operation id. An operation of the document that is not in here fails the suite. */
export const recipes: Readonly<Record<string, Recipe | ReadonlyArray<Recipe>>> = {
  ...accountRecipes,
  ...serviceRecipes,
  "profile.get": { make: nothing },
  "profile.change": {
    make: ({ canary }) => Effect.sync(() => ({ body: { name: canary, phone: aPhone() } })),
    own: ["body.phone"]
  },

  "addresses.list": listOf(address),
  "addresses.upsert": {
    make: (actor) => Effect.map(address(actor), (id) => ({ body: { id, ...addressBody(actor) } })),
    own: ["body.phone", "body.placeId"]
  },
  "addresses.autocomplete": {
    make: () => Effect.sync(() => ({ body: { input: "221b baker", sessionToken: `session-${nextNumber()}` } })),
    own: ["body.sessionToken"]
  },
  "addresses.place": {
    make: () =>
      Effect.sync(() => ({
        path: { placeId: "gb-london-221b-baker-street" },
        query: { sessionToken: `session-${nextNumber()}` }
      })),
    own: ["path.placeId", "query.sessionToken"]
  },
  "addresses.get": about("addressId", address),
  "addresses.remove": about("addressId", address),

  "orders.list": listOf(order),
  "orders.get": [about("orderId", order), about("orderId", orderNumber)],

  "paymentMethods.list": { make: (actor) => Effect.as(secondCard(actor), {}) },
  "paymentMethods.add": [
    {
      make: (actor) => Effect.map(card(actor), (paymentMethodId) => ({ body: { paymentMethodId } })),
      told: { "body.paymentMethodId": 409 }
    },
    {
      make: ({ customer }) =>
        send(customer, "POST", "/client-data/payment-methods/setup", { body: { type: "paypal" } }).pipe(
          Effect.map(({ setupToken }) => ({ body: { type: "paypal", setupToken } }))
        ),
      told: { "body.setupToken": 409 }
    }
  ],
  "paymentMethods.setup": { make: () => Effect.succeed({ body: { type: "card" } }) },
  "paymentMethods.remove": about("paymentMethodId", card),
  "paymentMethods.setDefault": [about("paymentMethodId", card), about("paymentMethodId", secondCard)],

  "wishlist.list": listOf((actor) =>
    Effect.flatMap(product(actor), (id) => send(actor.customer, "POST", `/client-data/wishlist/${id}`))
  ),
  "wishlist.add": { ...about("productId", product), shared: ["path.productId"] },
  "wishlist.remove": { ...about("productId", product), shared: ["path.productId"], answers: { "path.productId": 204 } },

  "transactions.list": listOf(transaction),

  "files.list": {
    make: (actor) => {
      const folder = `folder-${nextNumber()}`
      return Effect.as(
        twice(() => upload(actor, field("folder", folder))),
        { query: { prefix: `${folder}/` } }
      )
    },
    answers: { "query.prefix": 200 }
  },
  "files.upload": {
    make: ({ canary }) => Effect.sync(() => ({ form: [file(`file-${nextNumber()}.txt`, canary)] }))
  },
  "files.download": about("path", (actor) => Effect.map(upload(actor), ({ path }) => path)),
  "files.remove": about("path", (actor) => Effect.map(upload(actor), ({ path }) => path)),
  "fileLinks.download": {
    make: (actor) => Effect.map(upload(actor), ({ url }) => ({ path: { link: url.split("/").at(-1)! } })),
    forged: ({ path: { link = "" } = {} }) => {
      const [claims = "", seal = ""] = link.split(".")
      const sealed = (instead: string) => ({ path: { link: instead } })
      const text = Buffer.from(claims, "base64url").toString("utf8")
      const edited = Buffer.from(text.replace(/\d(?=\]$)/, (digit) => String((Number(digit) + 1) % 10)))
      const elsewhere = Buffer.from(text.replace("acme", "emca"))
      return [
        sealed(`${claims}.${seal.replace(/^./, (first) => (first === "A" ? "B" : "A"))}`),
        sealed(`${edited.toString("base64url")}.${seal}`),
        sealed(`${elsewhere.toString("base64url")}.${seal}`)
      ]
    }
  },

  "tickets.list": listOf(ticket),
  "tickets.open": {
    make: Effect.fnUntraced(function* (actor: Actor) {
      const { path } = yield* upload(actor)
      const orderId = yield* order(actor)
      return { body: { title: actor.canary, description: actor.canary, orderId, attachments: [path] } }
    })
  },
  "tickets.change": {
    make: Effect.fnUntraced(function* (actor: Actor) {
      const { path } = yield* upload(actor)
      const comment = { text: actor.canary, attachments: [path] }
      return { body: { ticketNumber: yield* ticket(actor), comment } }
    })
  },
  "tickets.get": [
    about("ticketNumber", ticket),
    // Each org has its own 1001.
    { ...about("ticketNumber", ticketNumber), local: ["path.ticketNumber"] }
  ],
  "tickets.openWith": {
    make: Effect.fnUntraced(function* (actor: Actor) {
      const { path } = yield* upload(actor)
      const texts = { title: actor.canary, description: actor.canary, orderId: yield* order(actor) }
      return { form: [...fields({ ...texts, attachments: JSON.stringify([path]) }), file("a.txt", "A file.", "files")] }
    })
  },

  "conversations.list": listOf(conversation),
  "messages.list": {
    make: (actor) =>
      Effect.gen(function* () {
        const { conversationId } = yield* conversation(actor)
        const body = { conversationId, text: actor.canary }
        yield* send(actor.customer, "POST", "/client-data/messages", { body })
        return { query: { conversationId } }
      })
  },
  "messages.get": about("messageId", received),
  "messages.send": [
    {
      make: Effect.fnUntraced(function* (actor: Actor) {
        const { path } = yield* upload(actor)
        const { conversationId } = yield* conversation(actor)
        const clientMessageId = `message-${nextNumber()}`
        return { body: { conversationId, text: actor.canary, attachments: [path], clientMessageId } }
      }),
      own: ["body.clientMessageId"]
    },
    {
      make: ({ canary }) =>
        Effect.sync(() => ({ body: { to: { kind: "expert", id: `expert-${nextNumber()}` }, text: canary } })),
      own: ["body.to.id"]
    }
  ],
  "messages.mark": {
    make: (actor) => Effect.map(received(actor), (messageId) => ({ path: { messageId, status: "read" } }))
  },

  "platformCustomers.get": about("customerId", ({ customer }) => Effect.succeed(customer.customerId)),
  "platformCustomers.push": {
    make: () =>
      Effect.sync(() => ({
        path: { customerId: `customer-${nextNumber()}` },
        body: { email: `a${nextNumber()}@example.com`, phone: aPhone(), userId: `user-${nextNumber()}` }
      })),
    own: ["path.customerId", "body.email", "body.phone", "body.userId"]
  },
  "platformOrders.push": {
    make: (actor) => Effect.sync(() => ({ path: { orderId: `order-${nextNumber()}` }, body: orderBody(actor) })),
    own: [
      "path.orderId",
      "body.number",
      "body.items[].id",
      "body.items[].productId",
      "body.shipments[].trackingNumber",
      "body.shippingAddress.phone",
      "body.billingAddress.phone"
    ]
  },
  "platformProducts.push": {
    make: () =>
      Effect.sync(() => ({
        path: { productId: `product-${nextNumber()}` },
        body: { sku: `sku-${nextNumber()}`, name: "Slide rule", price: usd, available: true }
      })),
    own: ["path.productId"]
  },
  "platformTransactions.push": {
    make: (actor) =>
      Effect.sync(() => ({
        path: { transactionId: `transaction-${nextNumber()}` },
        body: transactionBody(actor)
      })),
    own: ["path.transactionId", "body.orderId", "body.reference"]
  },
  "platformTransactions.pushWalletEntry": {
    make: ({ canary, customer: { customerId } }) =>
      Effect.sync(() => ({
        body: { customerId, amount: usd, reference: `reference-${nextNumber()}`, description: canary }
      })),
    own: ["body.reference"]
  },
  "platformTickets.list": {
    make: (actor) =>
      Effect.as(
        twice(() => ticket(actor)),
        ofCustomer(actor)
      ),
    ...filtered
  },
  "platformTickets.get": about("ticketNumber", ticket),
  "platformTickets.answer": {
    make: (actor) =>
      Effect.map(ticket(actor), (ticketNumber) => ({
        path: { ticketNumber },
        body: { reply: { text: actor.canary, author: actor.canary } }
      }))
  },
  "platformConversations.list": {
    make: (actor) =>
      Effect.as(
        twice(() => conversation(actor)),
        ofCustomer(actor)
      ),
    ...filtered
  },
  "platformConversations.change": {
    make: (actor) =>
      Effect.map(conversation(actor), ({ conversationId }) => ({
        path: { conversationId },
        body: { status: "closed" }
      }))
  },
  "platformMessages.list": [
    {
      make: (actor) =>
        Effect.gen(function* () {
          const { conversationId } = yield* conversation(actor)
          const { customerId } = actor.customer
          const body = { customerId, conversationId, from: staff(actor), text: actor.canary }
          yield* send(actor.platform, "POST", "/platform/messages", { body })
          return { query: { conversationId, customerId } }
        })
    },
    {
      make: (actor) =>
        Effect.as(
          twice(() => conversation(actor)),
          ofCustomer(actor)
        ),
      ...filtered
    }
  ],
  "platformMessages.get": about("messageId", (actor) => Effect.map(conversation(actor), ({ id }) => id)),
  "platformMessages.push": {
    make: (actor) =>
      Effect.map(conversation(actor), ({ conversationId }) => ({
        body: { customerId: actor.customer.customerId, conversationId, from: staff(actor), text: actor.canary }
      })),
    own: ["body.from.id"]
  },
  "platformMessages.receive": {
    make: (actor) => Effect.map(conversation(actor), ({ id }) => ({ path: { messageId: id, status: "read" } }))
  },

  "stripeEvents.receive": {
    make: ({ customer: { orgId } }) =>
      Effect.sync(() => {
        const created = Math.floor(Date.now() / 1000)
        const object = { id: "pm_of_nobody", object: "payment_method" }
        const event = {
          id: `evt_${nextNumber()}`,
          object: "event",
          type: "payment_method.detached",
          created,
          data: { object }
        }
        const { headers } = StripeStandIn.signed(event, webhookSecret, created)
        return { path: { orgId }, headers, body: event }
      }),
    own: ["path.orgId"],
    forged: (request) => {
      const { "stripe-signature": signature = "", ...headers } = request.headers ?? {}
      return [
        { ...request, headers },
        { ...request, headers: { ...headers, "stripe-signature": signature.replace(/v1=./, "v1=g") } },
        { ...request, body: { ...request.body, id: "evt_another" } }
      ]
    }
  }
}

export const recipesOf = (operationId: string): ReadonlyArray<Recipe> => [recipes[operationId] ?? []].flat()
