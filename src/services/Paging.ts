import { Effect, Schema } from "effect"
import { Base64Url } from "effect/encoding"
import type { SqlClient, SqlError, Statement } from "effect/sql"
import { InvalidRequest } from "../domain/InvalidRequest.ts"
import type { ListQuery, Page, SortType } from "../domain/Page.ts"

const Position = Schema.fromJsonString(
  Schema.Tuple([Schema.String, Schema.Literals(["asc", "desc"]), Schema.String, Schema.String])
)
const encodePosition = Schema.encodeSync(Position)
const decodePosition = Schema.decodeUnknownOption(Position)

const casts: Record<SortType, string> = { text: "text", instant: "timestamptz", integer: "bigint" }

// An instant arrives as a `Date`: Postgres would take longer to write one out than to find the row.
const positionOf: Record<SortType, string> = { text: "text", instant: "timestamptz", integer: "text" }

const isText = (value: string) => /^[^\u0000\uD800-\uDFFF]{0,1000}$/u.test(value)

// Whatever a cursor says is about to be cast by Postgres, so it has to be what Postgres wrote.
const isWritten: Record<SortType, (value: string) => boolean> = {
  text: isText,
  instant: (value) => {
    const at = new Date(value)
    return !value.startsWith("0000") && !Number.isNaN(at.getTime()) && at.toISOString() === value
  },
  integer: (value) => /^-?\d{1,16}$/.test(value)
}

const refused = new InvalidRequest({
  errors: [{ pointer: "/query/cursor", message: "Expected the nextCursor of an earlier answer with the same sort" }]
})

/**
 * Reads one page of a list in one statement, its exact total included.
 *
 * A cursor holds the sort value and id of the last row seen, so rows added meanwhile neither shift nor repeat one.
 */
export const paginate = Effect.fnUntraced(function* <Field extends string, S extends Schema.Top>(options: {
  readonly sql: SqlClient.SqlClient
  readonly query: ListQuery<Field>
  /** Columns with their table's name in front: a bare name could also mean a column of the answer. */
  /** Columns carry their table's name: Postgres would take a bare one for an output column of the same name. */
  readonly sorts: Readonly<Record<Field, { readonly type: SortType; readonly column: `${string}.${string}` }>>
  readonly byDefault: NoInfer<Field>
  readonly item: S
  /** Instead of decoding each row as `item`. */
  readonly read?: (row: never) => S["Type"]
  readonly columns: Statement.Fragment
  /** Table and filters, the customer first. */
  readonly from: Statement.Fragment
}): Effect.fn.Return<Page<S["Type"]>, InvalidRequest | SqlError.SqlError | Schema.SchemaError, S["DecodingServices"]> {
  const { query, sql } = options
  const position = query.cursor === undefined ? undefined : yield* readCursor(query.cursor, options.sorts, query)
  const field = position?.field ?? query.s ?? options.byDefault
  const direction = position?.direction ?? query.st ?? "desc"
  const { column, type } = options.sorts[field]
  const pageSize = query.ps ?? 50
  const page = position === undefined ? (query.p ?? 1) : undefined

  const order = sql.literal(direction === "desc" ? "DESC" : "ASC")
  const after =
    position === undefined
      ? sql.literal("")
      : sql`AND (${sql.literal(column)}, id) ${sql.literal(direction === "desc" ? "<" : ">")} (${position.value}::text::${sql.literal(casts[type])}, ${position.id})`
  const total = query.count === false ? sql.literal("NULL::int") : sql`(SELECT count(*)::int FROM ${options.from})`

  const rows = yield* sql<Row>`
    SELECT ${total} AS list_total, page.*
    FROM (SELECT 1) AS one LEFT JOIN (
      SELECT ${options.columns}, ${sql.literal(`${column}::${positionOf[type]}`)} AS list_position
      FROM ${options.from} ${after}
      ORDER BY ${sql.literal(column)} ${order}, id ${order}
      LIMIT ${pageSize + 1} OFFSET ${page === undefined ? 0 : (page - 1) * pageSize}
    ) AS page ON true`

  const found = rows[0]!.id === null ? [] : rows
  const shown = found.slice(0, pageSize)
  const last = shown.at(-1)
  const hasNext = found.length > pageSize
  const count = rows[0]!.listTotal
  return {
    data: options.read === undefined ? yield* decoderOf(options.item)(shown) : shown.map(options.read as never),
    ...(count === null ? {} : { total: count, totalPages: Math.ceil(count / pageSize) }),
    hasNext,
    ...(page === undefined ? {} : { page }),
    pageSize,
    nextCursor:
      hasNext && last !== undefined
        ? Base64Url.encode(encodePosition([field, direction, textOf(last.listPosition), last.id!]))
        : null
  }
})

/**
 * A schema that is made anew is compiled anew, so there is one for each item. What is in a row has passed its checks on
 * the way in; to pass them again would take longer than the query.
 */
const decoderOf = <S extends Schema.Top>(item: S): DecoderOf<S> => {
  const known = decoders.get(item) as DecoderOf<S> | undefined
  if (known !== undefined) return known
  const decoder = Schema.decodeUnknownEffect(Schema.Array(item), { disableChecks: true })
  decoders.set(item, decoder)
  return decoder
}
const decoders = new WeakMap<Schema.Top, unknown>()
type DecoderOf<S extends Schema.Top> = (
  rows: unknown
) => Effect.Effect<ReadonlyArray<S["Type"]>, Schema.SchemaError, S["DecodingServices"]>

type Row = { readonly id: string | null; readonly listTotal: number | null; readonly listPosition: string | Date }

const textOf = (position: string | Date) => (typeof position === "string" ? position : position.toISOString())

const readCursor = <Field extends string>(
  cursor: string,
  sorts: Readonly<Record<Field, { readonly type: SortType }>>,
  query: ListQuery<Field>
) =>
  Effect.suspend(() => {
    const text = Base64Url.decodeString(cursor)
    const position = text._tag === "Success" ? decodePosition(text.success) : undefined
    if (position?._tag !== "Some") return Effect.fail(refused)
    const [name, direction, value, id] = position.value
    if (!Object.hasOwn(sorts, name)) return Effect.fail(refused)
    const field = name as Field
    if ((query.s ?? field) !== field || (query.st ?? direction) !== direction) return Effect.fail(refused)
    if (!isWritten[sorts[field].type](value) || !isText(id)) return Effect.fail(refused)
    return Effect.succeed({ field, direction, value, id })
  })
