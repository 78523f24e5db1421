import { randomId } from "../../src/layers/LocalVault.ts"
import { answering, type Asked, listen as listenTo, type Reply, StandIn } from "./StandIn.ts"

export const clientId = "the-app-of-the-stand-in"
export const clientSecret = "its-secret"

interface Setup {
  readonly id: string
  readonly customer: { readonly id: string }
  status: "PAYER_ACTION_REQUIRED" | "APPROVED" | "TOKENIZED"
}
interface Token {
  readonly id: string
  readonly customer: { readonly id: string }
}

const refusing = (status: number, name: string, issue: string) =>
  answering(status, { name, message: "No.", debug_id: randomId(""), details: [{ issue }] })
const missing = refusing(404, "RESOURCE_NOT_FOUND", "TOKEN_NOT_FOUND")

/** PayPal's vault as far as it is called: OAuth, approvals, whose an account is, PayPal-Request-Id. */
export class PayPalStandIn extends StandIn {
  readonly setups = new Map<string, Setup>()
  readonly tokens = new Map<string, Token>()
  private readonly bearers = new Set<string>()
  private readonly replies = new Map<string, Reply>()

  /** What the payer does on paypal.com. */
  approve(setupToken: string) {
    this.setups.get(setupToken)!.status = "APPROVED"
  }

  revokeBearers() {
    this.bearers.clear()
  }

  protected reply(asked: Asked): Reply {
    const { headers, method, path, text } = asked
    if (path === "/v1/oauth2/token") {
      const basic = `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString("base64")}`
      if (headers.authorization !== basic) return answering(401, { error: "invalid_client" })
      const token = randomId("A21.")
      this.bearers.add(token)
      return answering(200, { access_token: token, token_type: "Bearer", expires_in: 32400 })
    }
    if (!this.bearers.has(String(headers.authorization).slice(7))) return answering(401, { error: "invalid_token" })
    const name = String(headers["paypal-request-id"])
    const before = method === "POST" ? this.replies.get(name) : undefined
    if (before !== undefined) return before
    const reply = this.run(asked, text === "" ? undefined : JSON.parse(text))
    if (method === "POST") this.replies.set(name, reply)
    return reply
  }

  private run({ method, path, query }: Asked, body: any): Reply {
    const [, kind, id] = /^\/v3\/vault\/([\w-]+)(?:\/([^/]+))?$/.exec(path) ?? []
    switch (`${method} ${kind}${id === undefined ? "" : "/:id"}`) {
      case "POST setup-tokens":
        return this.begin(body)
      case "GET setup-tokens/:id":
        return this.setups.has(id!) ? answering(200, this.setups.get(id!)) : missing
      case "POST payment-tokens":
        return this.redeem(body.payment_source.token.id)
      case "GET payment-tokens":
        return this.page(query)
      case "GET payment-tokens/:id":
        return this.tokens.has(id!) ? answering(200, this.shown(this.tokens.get(id!)!)) : missing
      case "DELETE payment-tokens/:id":
        return this.tokens.delete(id!) ? answering(204) : missing
      default:
        return missing
    }
  }

  private begin(body: any): Reply {
    const { return_url } = body.payment_source.paypal.experience_context
    if (return_url === undefined) return refusing(400, "INVALID_REQUEST", "MISSING_REQUIRED_PARAMETER")
    const setup: Setup = {
      id: randomId("5C"),
      customer: { id: body.customer.id ?? randomId("customer_") },
      status: "PAYER_ACTION_REQUIRED"
    }
    this.setups.set(setup.id, setup)
    const links = [{ rel: "approve", href: `https://www.sandbox.paypal.com/agreements/approve?id=${setup.id}` }]
    return answering(201, { ...setup, links })
  }

  private redeem(setupToken: string): Reply {
    const setup = this.setups.get(setupToken)
    if (setup === undefined) return missing
    if (setup.status !== "APPROVED") {
      const issue = setup.status === "TOKENIZED" ? "SETUP_TOKEN_ALREADY_TOKENIZED" : "PAYER_ACTION_REQUIRED"
      return refusing(422, "UNPROCESSABLE_ENTITY", issue)
    }
    setup.status = "TOKENIZED"
    const token = { id: randomId("8k"), customer: setup.customer }
    this.tokens.set(token.id, token)
    return answering(201, this.shown(token))
  }

  private page(query: URLSearchParams): Reply {
    const size = Number(query.get("page_size"))
    if (size > 5) return refusing(400, "INVALID_REQUEST", "page_size")
    const all = [...this.tokens.values()].filter(({ customer }) => customer.id === query.get("customer_id"))
    const page = all.slice((Number(query.get("page")) - 1) * size).slice(0, size)
    return answering(200, {
      payment_tokens: page.map(this.shown),
      total_items: all.length,
      total_pages: Math.ceil(all.length / size)
    })
  }

  private shown(token: Token) {
    const paypal = { email_address: "payer@example.com", account_id: "an-account" }
    return { ...token, payment_source: { paypal } }
  }
}

/** A stand-in on the loopback, until the scope closes. */
export const listen = () => listenTo(new PayPalStandIn())
