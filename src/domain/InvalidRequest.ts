import { Schema } from "effect"
import { Problem } from "./Problem.ts"

/** The request does not decode: nothing was read or changed. */
export class InvalidRequest extends Problem<InvalidRequest>()(
  "InvalidRequest",
  {
    code: "invalid_request",
    status: 400,
    title: "Invalid request",
    detail: "The request is not valid; see errors for what and where."
  },
  {
    errors: Schema.Array(
      Schema.Struct({
        pointer: Schema.String.annotate({ examples: ["/body/phone"] }),
        message: Schema.String
      })
    )
  }
) {}
