import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { HttpApiScalar } from "effect/http-api"
import { Api } from "./Api.ts"

// The page holds its script and styles; it talks to this server and to nobody else.
const policy = [
  "default-src 'none'",
  "script-src 'unsafe-inline'",
  "style-src 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'"
].join("; ")

const guarded = HttpRouter.middleware((answer) =>
  Effect.map(answer, HttpServerResponse.setHeader("content-security-policy", policy))
)

// Without what would send the reader, or the document, to hosts of Scalar's.
const scalar = {
  withDefaultFonts: false,
  showDeveloperTools: "never",
  hideClientButton: true,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  authentication: { preferredSecurityScheme: "bearer" }
}

/** `/docs`, the API to read and to try out. */
export const Docs = Layer.merge(
  HttpApiScalar.layer(Api, { path: "/docs", scalar }).pipe(Layer.provide(guarded.layer)),
  HttpRouter.add("GET", "/", Effect.succeed(HttpServerResponse.redirect("/docs")))
)
