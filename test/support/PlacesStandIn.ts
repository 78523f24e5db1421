import { Effect } from "effect"
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http"
import type { FoundPlace } from "../../src/domain/Place.ts"
import { gazetteer } from "../../src/layers/PlacesLocal.ts"
import * as Loopback from "./Loopback.ts"

export const key = "AIza-a-key-of-the-stand-ins"

interface Seen {
  readonly method: string
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly headers: IncomingHttpHeaders
  readonly body: any
}

/** What a call meets instead of an answer: handed the response, it does as it likes. */
type Mishap = (response: ServerResponse) => void

export const answering =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Mishap =>
  (response) =>
    void response
      .writeHead(status, { "content-type": "application/json; charset=UTF-8", ...headers })
      .end(typeof body === "string" ? body : JSON.stringify(body))

/** google.rpc.Status. */
export const refusal = (code: number, status: string, message: string, reason?: string) => ({
  error: {
    code,
    message,
    status,
    ...(reason !== undefined && {
      details: [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason, domain: "googleapis.com" }]
    })
  }
})

export const hanging: Mishap = () => {}
export const hangingUp: Mishap = (response) => response.socket?.resetAndDestroy()
export const stalling: Mishap = (response) => void response.writeHead(200, { "content-length": "100" }).write('{"id":')

/** Places API (New), as far as it is called: enforces key, field masks and the shape of tokens, and keeps the bill. */
export class PlacesStandIn {
  baseUrl = ""
  readonly seen: Array<Seen> = []
  readonly mishaps: Array<Mishap> = []
  /** Sessions that ended in a place, and requests that were billed one by one. */
  readonly bill = { sessions: 0, single: 0 }
  private readonly open = new Set<string>()
  private readonly spent = new Set<string>()

  readonly answer = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Array<Buffer> = []
    for await (const chunk of request) chunks.push(chunk)
    const url = new URL(request.url!, "http://stand.in")
    const query = Object.fromEntries(url.searchParams)
    const body = chunks.length === 0 ? undefined : JSON.parse(Buffer.concat(chunks).toString())
    this.seen.push({ method: request.method!, path: url.pathname, query, headers: request.headers, body })
    const mishap = this.mishaps.shift() ?? this.reply(this.seen.at(-1)!)
    mishap(response)
  }

  private reply({ body, headers, method, path, query }: Seen): Mishap {
    const invalid = (message: string, reason?: string) =>
      answering(400, refusal(400, "INVALID_ARGUMENT", message, reason))
    if (headers["x-goog-api-key"] !== key) {
      return invalid("API key not valid. Please pass a valid API key.", "API_KEY_INVALID")
    }
    const token: string | undefined = body?.sessionToken ?? query["sessionToken"]
    if (token !== undefined && !/^[A-Za-z0-9_-]{1,36}$/.test(token)) return invalid("Invalid session token.")
    if (headers["x-goog-fieldmask"] === undefined) return invalid("FieldMask is a required parameter.")
    if (method === "POST" && path === "/v1/places:autocomplete") return this.suggest(body, token)
    const id = /^\/v1\/places\/([^/]+)$/.exec(path)?.[1]
    if (method === "GET" && id !== undefined) return this.detail(id, headers["x-goog-fieldmask"] as string, token)
    return answering(404, refusal(404, "NOT_FOUND", "Not found"))
  }

  private suggest(body: any, token: string | undefined): Mishap {
    if (token === undefined || this.spent.has(token)) this.bill.single++
    else this.open.add(token)
    const words =
      String(body.input)
        .toLowerCase()
        .match(/\p{L}{3,}/gu) ?? []
    const regions: ReadonlyArray<string> = body.includedRegionCodes ?? []
    const hits = gazetteer.filter(
      ({ country, formatted }) =>
        words.every((word) => formatted.toLowerCase().includes(word)) &&
        (regions.length === 0 || regions.includes(country!.toLowerCase()))
    )
    return answering(200, hits.length === 0 ? {} : { suggestions: hits.slice(0, 5).map(suggestionOf) })
  }

  private detail(id: string, mask: string, token: string | undefined): Mishap {
    const place = gazetteer.find(({ placeId }) => placeId === id)
    if (id.startsWith("gone")) {
      return answering(
        404,
        refusal(404, "NOT_FOUND", "The Place ID is no longer valid. Please refresh cached Place IDs.")
      )
    }
    if (place === undefined) return answering(400, refusal(400, "INVALID_ARGUMENT", `Not a valid Place ID: ${id}`))
    if (token !== undefined && this.open.delete(token)) this.bill.sessions++
    else this.bill.single++
    if (token !== undefined) this.spent.add(token)
    const all = detailsOf(place)
    return answering(200, Object.fromEntries(mask.split(",").map((field) => [field, all[field as keyof typeof all]])))
  }
}

const suggestionOf = ({ city, country, lines, placeId, state }: FoundPlace) => {
  const mainText = lines.join(", ")
  const secondaryText = [city, state, country].filter((part) => part !== null).join(", ")
  return {
    placePrediction: {
      placeId,
      text: { text: `${mainText}, ${secondaryText}` },
      structuredFormat: { mainText: { text: mainText }, secondaryText: { text: secondaryText } }
    }
  }
}

const detailsOf = (place: FoundPlace) => {
  const component = (type: string, text: string | null) =>
    text === null ? [] : [{ longText: text, shortText: text, types: [type] }]
  return {
    id: place.placeId,
    formattedAddress: place.formatted,
    location: { latitude: place.latitude, longitude: place.longitude },
    postalAddress: {
      regionCode: place.country,
      addressLines: place.lines,
      ...(place.zip !== null && { postalCode: place.zip }),
      ...(place.state !== null && { administrativeArea: place.state }),
      ...(place.city !== null && { locality: place.city })
    },
    addressComponents: [
      ...component("street_number", place.houseNumber),
      ...component("route", place.street),
      ...component("subpremise", place.unit)
    ]
  }
}

/** A stand-in on the loopback, until the scope closes. */
export const listen = Effect.gen(function* () {
  const site = new PlacesStandIn()
  site.baseUrl = Loopback.urlOf(yield* Loopback.serve(site.answer))
  return site
})
