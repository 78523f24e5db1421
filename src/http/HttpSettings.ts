import { Context } from "effect"

/** What the operator decides about the HTTP side. */
export class HttpSettings extends Context.Service<
  HttpSettings,
  {
    /** Requests a minute that one customer may make. */
    readonly rateLimit: number
    /** Requests that this process works on at once; more are refused until there are less. */
    readonly maxInFlight: number
    /** How many of them may be one customer's. */
    readonly maxInFlightPerCustomer: number
    /** Origins whose pages may call the API from a browser. */
    readonly corsOrigins: ReadonlyArray<string>
    /** Whether browsers should insist on TLS (RFC 6797): true where a proxy terminates it. */
    readonly strictTransport: boolean
    /** For how long, in milliseconds, a client may keep us waiting: with sending a body, and with taking its answer. */
    readonly patience: { readonly sending: number; readonly taking: number }
  }
>()("portico/http/HttpSettings") {}
