import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { IntegrationNotConfigured } from "../../domain/Integration.ts"
import { OutboxPage, OutboxQuery } from "../../domain/OutboxMessage.ts"

export class PlatformOutboxApi extends HttpApiGroup.make("platformOutbox")
  .add(
    HttpApiEndpoint.get("list", "/", {
      query: OutboxQuery,
      success: OutboxPage,
      error: IntegrationNotConfigured
    }).annotateMerge(
      OpenApi.annotations({
        summary: "List what local mode sent",
        description:
          "Mail, text messages and push that a stand-in took, codes included; the last thousand of an org. In production nothing is kept, so that it answers `integration_not_configured`."
      })
    )
  )
  .prefix("/outbox")
  .annotateMerge(OpenApi.annotations({ title: "Platform: outbox", description: "Messages of local mode." })) {}
