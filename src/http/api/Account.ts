import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Account } from "../../domain/Account.ts"
import { AccountExport, ExportId, ExportNotFound } from "../../domain/AccountExport.ts"
import { ChangeCursor, ChangesPage, ChangesQuery, CursorExpired } from "../../domain/Change.ts"
import { Dashboard } from "../../domain/Dashboard.ts"
import {
  Erasure,
  ErasureBlocked,
  ErasureCodeSent,
  ErasureNotFound,
  ErasureRequest,
  ErasureScheduled,
  NoVerifiedChannel
} from "../../domain/Erasure.ts"
import { IntegrationNotConfigured } from "../../domain/Integration.ts"
import { CodeExpired, InvalidCode, ResendTooSoon, TooManyAttempts } from "../../domain/Verification.ts"
import { CallsOut } from "../IdempotencyKeys.ts"
import { Guarded } from "../RateLimits.ts"
import { acceptedOf, writeHeaders } from "../Records.ts"

const etag = Schema.String.annotate({
  description: "Changes with whatever the customer can see",
  examples: ['"3f2a.42"']
})
const tagged = <S extends Schema.Top>(schema: S) => HttpApiSchema.WithHeaders(schema, { etag })

export class AccountApi extends HttpApiGroup.make("account")
  .add(
    HttpApiEndpoint.get("dashboard", "/dashboard", { success: tagged(Dashboard) }).annotateMerge(
      OpenApi.annotations({
        summary: "Read the landing page",
        description: "All of it as of one moment: each number is the `total` of the list behind it."
      })
    ),
    HttpApiEndpoint.get("all", "/all", { success: tagged(Account) }).annotateMerge(
      OpenApi.annotations({
        summary: "Read the whole account",
        description:
          "Everything in one snapshot, streamed, compressed for who accepts gzip. `/client-data/changes` goes on from its `cursor` and neither loses nor repeats anything. Signed urls are null."
      })
    ),
    HttpApiEndpoint.get("changes", "/changes", {
      query: ChangesQuery,
      success: ChangesPage,
      error: CursorExpired
    }).annotateMerge(
      OpenApi.annotations({
        summary: "List what has changed",
        description:
          "In order, whoever made the change. Each with its record as it is now: one that has changed several times comes several times, each time the same; one that is gone comes as `delete`. Whoever puts each record under its `type` and `id`, and takes out what is deleted, has the account as it is. 410 when the cursor is older than the log (30 days, unless the operator says otherwise)."
      })
    ),
    HttpApiEndpoint.get("events", "/events", {
      query: { since: Schema.optionalKey(ChangeCursor) },
      headers: { "last-event-id": Schema.optionalKey(ChangeCursor) },
      success: HttpApiSchema.StreamUint8Array({ contentType: "text/event-stream" }),
      error: CursorExpired
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Follow what changes",
        description:
          "Server-Sent Events: the `data` of each is a `Change`, its `id` a cursor. Goes on after `Last-Event-ID`, or `since`, on any replica; without either it begins now. Ends with the token it was opened with, and on a restart: connect again. Ten at once for each customer."
      })
    ),
    HttpApiEndpoint.post("export", "/account/export", {
      headers: writeHeaders,
      success: acceptedOf(AccountExport)
    })
      .annotateMerge(
        OpenApi.annotations({
          summary: "Have the whole account exported",
          description:
            "What `/client-data/all` tells, as a JSON file among the customer's own files; of files it holds what is known of them, not their content. A notification says when it is ready. While one is under way, this answers that one."
        })
      )
      .annotate(Guarded, { name: "account-exports", limit: 20, seconds: 86_400 }),
    HttpApiEndpoint.get("exported", "/account/exports/:exportId", {
      params: { exportId: ExportId },
      success: AccountExport,
      error: ExportNotFound
    }).annotate(OpenApi.Summary, "Read what has become of an export"),
    HttpApiEndpoint.get("erasure", "/account/erasure", { success: Erasure }).annotateMerge(
      OpenApi.annotations({
        summary: "Read whether the account is to be erased",
        description: "And what would stand in the way of it. Once it has begun, no token is accepted any more."
      })
    ),
    // A wrong guess has to stay counted though its answer is an error, so this does not run in the request's transaction.
    HttpApiEndpoint.post("erase", "/account/erasure", {
      headers: writeHeaders,
      payload: ErasureRequest,
      success: [ErasureCodeSent, Erasure.pipe(HttpApiSchema.status(202))],
      error: [
        ErasureScheduled,
        ErasureBlocked,
        NoVerifiedChannel,
        InvalidCode,
        CodeExpired,
        TooManyAttempts,
        ResendTooSoon,
        IntegrationNotConfigured
      ]
    })
      .annotateMerge(
        OpenApi.annotations({
          summary: "Have the account erased",
          description:
            "In two steps: without a code one is sent to the verified email address, or else to the verified phone number; with it the account is erased once the days of grace are over (14, unless the operator says otherwise). A live reservation, an open order or a wallet that is not empty stands in the way."
        })
      )
      .annotate(CallsOut, true)
      .annotate(Guarded, { name: "erasure", limit: 30, seconds: 3600 }),
    HttpApiEndpoint.delete("keep", "/account/erasure", {
      headers: writeHeaders,
      success: HttpApiSchema.NoContent,
      error: ErasureNotFound
    }).annotate(OpenApi.Summary, "Call the erasure off")
  )
  .annotateMerge(
    OpenApi.annotations({ title: "Account", description: "The account as a whole, and what changes in it." })
  ) {}
