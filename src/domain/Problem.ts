import { Effect, Schema } from "effect"
import { HttpApiError } from "effect/http-api"

type ProblemFields<Code extends string> = {
  readonly code: Schema.tag<Code>
  readonly detail: Schema.withConstructorDefault<Schema.String>
  readonly requestId: Schema.optionalKey<Schema.String>
}

/**
 * Declares a typed error that the wire shows as a problem document (RFC 9457).
 *
 * `code` is what clients branch on, `detail` a sentence fit for a person. `instance` and `requestId` belong to the
 * request, so `http` fills them in.
 */
export const Problem =
  <Self>() =>
  <
    const Tag extends string,
    const Code extends string,
    const Status extends number,
    F extends Schema.Struct.Fields = {}
  >(
    tag: Tag,
    declaration: { readonly code: Code; readonly status: Status; readonly title: string; readonly detail: string },
    fields?: F
  ) =>
    HttpApiError.Problem<unknown>()(
      tag,
      { type: `/problems/${declaration.code}`, status: declaration.status, title: declaration.title },
      {
        code: Schema.tag(declaration.code),
        detail: Schema.String.pipe(Schema.withConstructorDefault(Effect.succeed(declaration.detail))),
        requestId: Schema.optionalKey(Schema.String),
        ...fields
      }
    ) as unknown as HttpApiError.ProblemClass<Self, Tag, `/problems/${Code}`, Status, ProblemFields<Code> & F, {}>
