import { Context } from "effect"

/** How many codes a day each org may have sent by SMS, and to which countries: all of them when none is named. */
export const SmsBudget = Context.Reference<{
  readonly dailyLimit: number
  readonly countries: ReadonlySet<string>
}>("portico/services/SmsBudget", { defaultValue: () => ({ dailyLimit: 1000, countries: new Set() }) })
