import { Problem } from "./Problem.ts"

/** What was asked for exists, but its state rules this out: nothing has changed. */
export class ActionNotAllowed extends Problem<ActionNotAllowed>()("ActionNotAllowed", {
  code: "action_not_allowed",
  status: 409,
  title: "Action not allowed",
  detail: "The record's state does not allow this."
}) {}
