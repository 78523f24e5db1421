import { BenefitId, type BenefitPush } from "../../src/domain/Benefit.ts"
import type { OrgId } from "../../src/domain/Ids.ts"
import { Benefits } from "../../src/services/Benefits.ts"
import { asPlatform } from "./People.ts"

/** A programme as the platform pushes it: somebody has to approve, and it takes ten percent off. */
export const aBenefit: BenefitPush = {
  name: "Ten percent",
  title: "Ten percent for everybody",
  requiresApproval: true,
  perks: { discountType: "percentage", discount: 10, freeShipping: false }
}

/** Pushes a programme of the org's. */
export const push = (orgId: OrgId, id: string, more: Partial<BenefitPush> = {}) =>
  Benefits.use((benefits) => benefits.push(BenefitId.make(id), { ...aBenefit, ...more })).pipe(asPlatform(orgId))
