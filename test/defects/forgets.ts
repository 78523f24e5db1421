import { type Defect, matrix } from "./Defect.ts"

export const mine = "AND customer_id = ${customerId}"
export const owned = `org_id = \${orgId} ${mine}`
export const listed = "[sql`org_id = ${orgId}`, sql`customer_id = ${customerId}`]"

const what = {
  customer: [`${mine} `, ` ${mine}`, ", sql`customer_id = ${customerId}`"],
  org: ["org_id = ${orgId} AND "]
}

/** A statement that forgets whose row it is about, and would be right as long as row security holds. */
const forgetful =
  (whom: keyof typeof what) =>
  (noun: string, file: string, find: string, seenBy: string | Pick<Defect, "test" | "only">): Defect => ({
    name: `${noun}: the ${whom} is dropped from the WHERE`,
    file: `src/services/${file}.ts`,
    find,
    replace: find.replace(what[whom].find((text) => find.includes(text)) ?? "", ""),
    ...(typeof seenBy === "string" ? matrix(seenBy) : seenBy)
  })

export const forgets = forgetful("customer")
export const forgetsOrg = forgetful("org")
