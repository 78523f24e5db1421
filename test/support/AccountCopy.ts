import { sections } from "../../src/services/ChangeSections.ts"

type Json = Readonly<Record<string, unknown>>
interface Told {
  readonly type: string
  readonly op: "upsert" | "delete"
  readonly id: string
  readonly record: Json | null
}

const keyOf: Readonly<Record<string, string>> = { wishlistItem: "productId", file: "path" }

/** What a client keeps of an account: all of it once, and from then on what has changed. */
export const copyOf = (all: Json, customerId: string) => {
  const records = new Map<string, Json>()
  for (const { name, single, type } of sections) {
    const there = all[name] as Json | ReadonlyArray<Json>
    if (single === true) {
      const wallet = there as { readonly balance?: unknown }
      if (wallet.balance !== null) records.set(`${type} ${customerId}`, there as Json)
    } else {
      for (const record of there as ReadonlyArray<Json>) {
        records.set(`${type} ${String(record[keyOf[type] ?? "id"])}`, record)
      }
    }
  }
  return {
    apply: ({ id, op, record, type }: Told) => {
      if (op === "delete") records.delete(`${type} ${id}`)
      else records.set(`${type} ${id}`, record!)
    },
    records: () => Object.fromEntries([...records].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}
