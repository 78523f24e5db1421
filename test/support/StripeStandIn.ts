import { createHash, createHmac } from "node:crypto"
import { randomId } from "../../src/layers/LocalVault.ts"
import * as TestCards from "../../src/layers/TestCards.ts"
import { answering, type Asked, listen as listenTo, type Reply, StandIn } from "./StandIn.ts"

export const key = "sk_test_of_the_stand_in"

interface Method {
  readonly id: string
  readonly type: string
  readonly card: Record<string, unknown>
  readonly decline?: string
  customer: string | null
  used: boolean
}
interface Customer {
  readonly id: string
  readonly email: string | null
  readonly metadata: Readonly<Record<string, string>>
  default: string | null
}

class Refusal extends Error {
  readonly status: number
  readonly error: Readonly<Record<string, unknown>>
  constructor(status: number, error: Readonly<Record<string, unknown>>) {
    super()
    this.status = status
    this.error = error
  }
}
const refuse = (status: number, type: string, message: string, more: Readonly<Record<string, unknown>> = {}) => {
  throw new Refusal(status, { type, message, ...more })
}
const missing = (what: string, id: string, param: string) =>
  refuse(404, "invalid_request_error", `No such ${what}: '${id}'`, { code: "resource_missing", param })

/** Stripe's API as far as it is called: keys, idempotency, whose a card is, and what cannot be used twice. */
export class StripeStandIn extends StandIn {
  readonly customers = new Map<string, Customer>()
  readonly methods = new Map<string, Method>()
  private readonly replies = new Map<string, { readonly print: string; readonly reply: Reply }>()

  /** What Stripe Elements would have made in the browser; with the name of a test card, a card of its own. */
  mint(name = "visa", more: Partial<Method> = {}): Method {
    const found = TestCards.find(`pm_card_${name}`, new Date(Date.UTC(2026, 0)))
    if (found === undefined) return missing("PaymentMethod", `pm_card_${name}`, "payment_method")
    const declined = typeof found === "string"
    const { brand, expMonth, expYear, last4 } = declined
      ? { brand: "visa", last4: "0002", expMonth: 12, expYear: 2030 }
      : found
    const card = { brand, last4, exp_month: expMonth, exp_year: expYear, fingerprint: "a-fingerprint", cvc: undefined }
    const method = { id: randomId("pm_"), type: "card", card, customer: null, used: false, ...more }
    this.methods.set(method.id, declined ? { ...method, decline: found } : method)
    return this.methods.get(method.id)!
  }

  /** The cards of a customer, and which of them is the default. */
  of(customerId: string) {
    const held = [...this.methods.values()].filter(({ customer }) => customer === customerId)
    return { ids: held.map(({ id }) => id), default: this.customers.get(customerId)?.default ?? null }
  }

  protected reply(asked: Asked): Reply {
    const { headers, method, path } = asked
    if (headers.authorization !== `Bearer ${key}`) {
      return answering(401, { error: { type: "invalid_request_error", message: "Invalid API Key provided" } })
    }
    const name = method === "POST" ? headers["idempotency-key"] : undefined
    const print = createHash("sha256").update(`${path} ${asked.text}`).digest("hex")
    const before = this.replies.get(String(name))
    if (name !== undefined && before !== undefined) {
      if (before.print === print) return before.reply
      return answering(400, { error: { type: "idempotency_error", message: "Keys are for the same parameters only" } })
    }
    const reply = this.run(asked)
    if (name !== undefined) this.replies.set(String(name), { print, reply })
    return reply
  }

  private run({ method, path, query, text }: Asked): Reply {
    const form = new URLSearchParams(text)
    const at = /^\/v1\/(\w+)(?:\/([^/]+))?(?:\/(\w+))?$/.exec(path) ?? []
    const route = `${method} ${[at[1], at[2] && ":id", at[3]].filter(Boolean).join("/")}`
    try {
      switch (route) {
        case "POST customers":
          return answering(200, this.makeCustomer(form))
        case "GET customers/:id":
          return answering(200, shown(this.customer(at[2]!, "id")))
        case "POST customers/:id":
          return answering(200, this.updateCustomer(this.customer(at[2]!, "id"), form))
        case "DELETE customers/:id": {
          const { id } = this.customer(at[2]!, "id")
          for (const held of this.of(id).ids) this.detach(this.method(held))
          this.customers.delete(id)
          return answering(200, { id, object: "customer", deleted: true })
        }
        case "GET customers/:id/payment_methods":
          return answering(200, this.page(this.of(this.customer(at[2]!, "customer").id).ids, query))
        case "GET payment_methods/:id":
          return answering(200, this.method(at[2]!))
        case "POST payment_methods/:id/attach":
          return answering(200, this.attach(this.method(at[2]!), form.get("customer")!))
        case "POST payment_methods/:id/detach":
          return answering(200, this.detach(this.method(at[2]!)))
        case "POST setup_intents": {
          const id = randomId("seti_")
          return answering(200, {
            id,
            customer: this.customer(form.get("customer")!, "customer").id,
            client_secret: `${id}_secret_x`
          })
        }
        default:
          return refuse(404, "invalid_request_error", `Unrecognized request URL (${route})`)
      }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      return answering(error.status, { error: error.error }, { "request-id": randomId("req_") })
    }
  }

  private customer(id: string, param: string): Customer {
    return this.customers.get(id) ?? missing("customer", id, param)
  }

  private method(id: string): Method {
    const test = /^pm_card_(\w+)$/.exec(id)?.[1]
    return test === undefined
      ? (this.methods.get(id) ?? missing("PaymentMethod", id, "payment_method"))
      : this.mint(test)
  }

  private makeCustomer(form: URLSearchParams) {
    const metadata = { org_id: form.get("metadata[org_id]")!, customer_id: form.get("metadata[customer_id]")! }
    const customer: Customer = { id: randomId("cus_"), email: form.get("email"), metadata, default: null }
    this.customers.set(customer.id, customer)
    return shown(customer)
  }

  private updateCustomer(customer: Customer, form: URLSearchParams) {
    const param = "invoice_settings[default_payment_method]"
    const id = form.get(param)
    if (id !== null && id !== "" && this.methods.get(id)?.customer !== customer.id) missing("PaymentMethod", id, param)
    if (id !== null) customer.default = id === "" ? null : id
    return shown(customer)
  }

  private attach(method: Method, customerId: string) {
    const { id } = this.customer(customerId, "customer")
    if (method.customer !== null && method.customer !== id) {
      refuse(400, "invalid_request_error", "The payment method you provided has already been attached to a customer.")
    }
    if (method.used)
      refuse(400, "invalid_request_error", "This PaymentMethod was previously used and may not be used again.")
    if (method.decline !== undefined) refuse(402, "card_error", method.decline, { code: "card_declined" })
    method.customer = id
    return method
  }

  private detach(method: Method) {
    if (method.customer === null) {
      refuse(400, "invalid_request_error", "The payment method you provided is not attached to a customer.")
    }
    const customer = this.customers.get(method.customer!)
    if (customer?.default === method.id) customer.default = null
    method.customer = null
    method.used = true
    return method
  }

  private page(ids: ReadonlyArray<string>, query: URLSearchParams) {
    const from = ids.indexOf(query.get("starting_after") ?? "") + 1
    const data = ids.slice(from, from + Number(query.get("limit"))).map((id) => this.methods.get(id))
    return { object: "list", data, has_more: from + data.length < ids.length, url: "/v1/customers" }
  }
}

const shown = ({ default: id, ...customer }: Customer) => ({
  object: "customer",
  ...customer,
  invoice_settings: { default_payment_method: id }
})

/** A stand-in on the loopback, until the scope closes. */
export const listen = () => listenTo(new StripeStandIn())

/** What Stripe sends, and with which header: https://docs.stripe.com/webhooks#verify-manually */
export const signed = (event: object, secret: string, at = Math.floor(Date.now() / 1000)) => {
  const body = JSON.stringify(event)
  const v1 = createHmac("sha256", secret).update(`${at}.${body}`).digest("hex")
  return {
    body,
    headers: { "stripe-signature": `t=${at},v1=${v1}`, "content-type": "application/json; charset=utf-8" }
  }
}
