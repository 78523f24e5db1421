import { Duration, Effect, Exit, Layer, Option, Redacted, Schedule, Schema } from "effect"
import { FetchHttpClient, Headers, HttpClient, HttpClientRequest, HttpClientResponse } from "effect/http"
import { CircuitBreaker } from "effect/persistence"
import { ProviderError, ProviderUnavailable } from "../domain/Integration.ts"
import { type FoundPlace, type PlaceId, PlaceNotFound } from "../domain/Place.ts"
import { Places } from "../services/Places.ts"
import * as Wire from "./PlacesGoogleWire.ts"

export interface Options {
  readonly apiKey: Redacted.Redacted
  readonly baseUrl: string
  readonly dailyLimit: number
  /** For all attempts of one look-up together. */
  readonly deadline?: Duration.Input
  /** How long nobody is sent there after five failures in a row. */
  readonly rest?: Duration.Input
}

type Failure = PlaceNotFound | ProviderError | ProviderUnavailable

const isUnavailable = (error: Failure): error is ProviderUnavailable => error._tag === "ProviderUnavailable"

/** Trying again at once may help: no answer, or one that says that it was not about this request. */
const passing = new ProviderUnavailable({ retryAfter: 5 })

/**
 * Places API (New): developers.google.com/maps/documentation/places/web-service/place-autocomplete and /place-details.
 *
 * Both calls only read, so what fails in passing is tried again, within the deadline. The field masks ask for nothing
 * that is billed above the tier of "Essentials".
 */
export const layer = ({ apiKey, baseUrl, dailyLimit, deadline = "3 seconds", rest = "15 seconds" }: Options) =>
  Layer.effect(
    Places,
    Effect.gen(function* () {
      const client = (yield* HttpClient.HttpClient).pipe(
        HttpClient.mapRequest((request) =>
          request.pipe(
            HttpClientRequest.prependUrl(baseUrl),
            HttpClientRequest.setHeader("x-goog-api-key", Redacted.value(apiKey))
          )
        )
      )
      const breaker = yield* CircuitBreaker.make({
        tripPolicy: CircuitBreaker.consecutive(5),
        openDuration: rest,
        maxOpenDuration: "1 minute"
      })

      const call = <A, I>(
        answer: Schema.Codec<A, I>,
        request: HttpClientRequest.HttpClientRequest,
        failureOf: (refusal: Wire.Refusal) => Failure
      ): Effect.Effect<A, Failure> =>
        client.execute(request).pipe(
          Effect.mapError((): Failure => passing),
          Effect.flatMap((response) =>
            response.status === 200 ? bodyOf(answer, response) : Effect.flatMap(refusalOf(response), fail(failureOf))
          ),
          Effect.retry({
            while: (error) => error === passing,
            times: 2,
            schedule: Schedule.jittered(Schedule.exponential("80 millis"))
          }),
          Effect.timeoutOrElse({ duration: deadline, orElse: () => Effect.fail(passing) }),
          Effect.tapError((error) =>
            error === passing ? Effect.logWarning("Google Places does not answer") : Effect.void
          ),
          (attempts) => breaker.execute(attempts, { key: "google", classify: outcomeOf }),
          Effect.catchTag("CircuitBreakerError", ({ reason }) =>
            Effect.fail(
              new ProviderUnavailable({
                retryAfter: reason._tag === "CircuitOpen" ? Math.ceil(Duration.toSeconds(reason.retryAfter)) || 1 : 1
              })
            )
          ),
          // Nothing leaves our network but what the request needs, and the key stays out of traces.
          Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
          Effect.provideService(HttpClient.TracerPropagationEnabled, false),
          Effect.updateService(Headers.CurrentRedactedNames, (names) => [...names, "x-goog-api-key"])
        )

      const predict: Places["Service"]["predict"] = Effect.fn("Places.predict")(
        function* (typed) {
          const request = HttpClientRequest.post("/v1/places:autocomplete").pipe(
            HttpClientRequest.setHeader("x-goog-fieldmask", Wire.suggestionFields),
            HttpClientRequest.bodyJsonUnsafe({
              input: typed.input,
              sessionToken: typed.session,
              ...(typed.language !== undefined && { languageCode: typed.language }),
              ...(typed.country !== undefined && { includedRegionCodes: [typed.country.toLowerCase()] })
            })
          )
          const found = yield* call(Wire.Suggestions, request, Wire.failureOf)
          return Wire.predictionsOf(found)
        },
        Effect.catchTag("PlaceNotFound", () => Effect.succeed([]))
      )

      const find = Effect.fn("Places.find")(function* (
        placeId: PlaceId,
        { language, session }: { readonly session?: string; readonly language?: string }
      ): Effect.fn.Return<FoundPlace, Failure> {
        const request = HttpClientRequest.get(`/v1/places/${placeId}`, {
          urlParams: { sessionToken: session, languageCode: language }
        }).pipe(HttpClientRequest.setHeader("x-goog-fieldmask", Wire.placeFields))
        const place = yield* call(Wire.Place, request, (refusal) =>
          Wire.isUnknownPlace(refusal) ? new PlaceNotFound() : Wire.failureOf(refusal)
        )
        return Wire.foundOf(place)
      })

      return Places.of({ dailyLimit, predict, find })
    })
  ).pipe(Layer.provide(CircuitBreaker.layerStoreMemory()))

const bodyOf = <A, I>(answer: Schema.Codec<A, I>, response: HttpClientResponse.HttpClientResponse) =>
  HttpClientResponse.schemaBodyJson(answer)(response).pipe(
    Effect.catchTag("HttpClientError", ({ reason }) => Effect.fail(reason._tag === "DecodeError" ? garbled : passing)),
    Effect.catchTag("SchemaError", () => Effect.fail(garbled)),
    Effect.tapError((error) =>
      error === garbled ? Effect.logError("Google Places answers in no known form") : Effect.void
    )
  )
const garbled = new ProviderError()

const refusalOf = (response: HttpClientResponse.HttpClientResponse): Effect.Effect<Wire.Refusal> =>
  HttpClientResponse.schemaBodyJson(Wire.Status)(response).pipe(
    Effect.option,
    Effect.map((body) => ({
      status: response.status,
      retryAfter: response.headers["retry-after"],
      ...Option.getOrUndefined(body)?.error
    }))
  )

/** What is wrong between us and Google is for the operator to see; the customer is told that it is not about them. */
const fail =
  (failureOf: (refusal: Wire.Refusal) => Failure) =>
  (refusal: Wire.Refusal): Effect.Effect<never, Failure> => {
    const error = refusal.status >= 500 ? passing : failureOf(refusal)
    if (error._tag === "PlaceNotFound") return Effect.fail(error)
    return Effect.logError("Google Places refuses").pipe(
      Effect.annotateLogs({ status: refusal.status, reason: Wire.reasonOf(refusal) ?? "none given" }),
      Effect.andThen(Effect.fail(error))
    )
  }

const outcomeOf = (exit: Exit.Exit<unknown, Failure>): CircuitBreaker.Outcome => {
  if (Exit.isSuccess(exit)) return CircuitBreaker.success
  const error = Option.getOrUndefined(Exit.findErrorOption(exit))
  if (error === undefined || error._tag === "ProviderError") return CircuitBreaker.ignored
  if (!isUnavailable(error)) return CircuitBreaker.success
  return error === passing
    ? CircuitBreaker.failure()
    : CircuitBreaker.failure({ retryAfter: Duration.seconds(error.retryAfter) })
}
