/**
 * SQL for what an entity tag says about all that a customer can see: their log's state, and what time alone changes in
 * the answers that are tagged with it. The seal keeps the tags of two customers apart.
 */
export const tagOf = (counter: string): string => `left(${counter}.seal, 8) || '.' || ${counter}.last || '.' ||
  ${counter}.forgotten || '.' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')`

/** The tags of an If-None-Match header, as a Postgres array literal. */
export const tagsLiteral = (ifNoneMatch: string | undefined): string =>
  `{${[...(ifNoneMatch ?? "").matchAll(/"([\w.-]{1,100})"/g)]
    .slice(0, 20)
    .map((tag) => tag[1])
    .join()}}`
