import { Schema } from "effect"

/** What a sort field holds: decides how a cursor's value is checked and compared. */
export type SortType = "text" | "instant" | "integer"

/** The query of every list: `p`, `ps`, `s`, `st`, `cursor`, `count`. Unknown sort fields and values out of range are 400. */
export const listQuery = <const Field extends string>(
  sorts: Readonly<Record<Field, SortType>>,
  byDefault: NoInfer<Field>
) => ({
  p: Schema.optionalKey(
    Schema.Int.annotate({ description: "Page, from 1", default: 1 }).check(
      Schema.isBetween({ minimum: 1, maximum: 1_000_000 })
    )
  ),
  ps: Schema.optionalKey(
    Schema.Int.annotate({ description: "Page size", default: 50 }).check(Schema.isBetween({ minimum: 1, maximum: 200 }))
  ),
  s: Schema.optionalKey(
    Schema.Literals(Object.keys(sorts) as [Field, ...Array<Field>]).annotate({
      description: "Sort field; ties break by id",
      default: byDefault as never
    })
  ),
  st: Schema.optionalKey(
    Schema.Literals(["asc", "desc"]).annotate({ description: "Sort direction", default: "desc" as const })
  ),
  cursor: Schema.optionalKey(
    Schema.String.annotate({
      description: "`nextCursor` of the page before, instead of `p`: skips and repeats nothing while rows are added"
    }).check(Schema.isPattern(/^[A-Za-z0-9_-]{1,2048}$/u, { message: "Expected the nextCursor of an earlier answer" }))
  ),
  count: Schema.optionalKey(
    Schema.Boolean.annotate({
      description: "false leaves out `total` and `totalPages`, which is faster",
      default: true
    })
  )
})

export type ListQuery<Field extends string> = {
  readonly p?: number
  readonly ps?: number
  readonly s?: Field
  readonly st?: "asc" | "desc"
  readonly cursor?: string
  readonly count?: boolean
}

/** A list's answer. `total` is exact; it and `totalPages` are absent under `count=false`, `page` under `cursor`. */
export const pageOf = <S extends Schema.Top>(identifier: string, item: S) =>
  Schema.Struct({
    data: Schema.Array(item),
    total: Schema.optionalKey(Schema.Int),
    hasNext: Schema.Boolean,
    page: Schema.optionalKey(Schema.Int),
    pageSize: Schema.Int,
    totalPages: Schema.optionalKey(Schema.Int),
    nextCursor: Schema.NullOr(Schema.String).annotate({ description: "null on the last page" })
  }).annotate({ identifier })

export type Page<A> = {
  readonly data: ReadonlyArray<A>
  readonly total?: number
  readonly hasNext: boolean
  readonly page?: number
  readonly pageSize: number
  readonly totalPages?: number
  readonly nextCursor: string | null
}
