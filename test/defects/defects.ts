import { accounts } from "./accounts.ts"
import { answers } from "./answers.ts"
import { callers } from "./callers.ts"
import { customers } from "./customers.ts"
import type { Defect, Kind } from "./Defect.ts"
import { orgs } from "./orgs.ts"
import { policies } from "./policies.ts"
import { rules } from "./rules.ts"

const all = (kind: Kind, ...lists: ReadonlyArray<ReadonlyArray<Defect>>) =>
  lists.flat().map((defect) => ({ ...defect, kind }))

export const defects: ReadonlyArray<Defect & { readonly kind: Kind }> = [
  ...all("statement", customers, accounts, orgs),
  ...all("row security", policies),
  ...all("caller", callers),
  ...all("rule", rules, answers)
]
