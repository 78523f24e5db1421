/** One deliberate mistake, and the tests that have to notice it. */
export interface Defect {
  readonly name: string
  readonly file: string
  /** Stands in the file exactly once. */
  readonly find: string
  readonly replace: string
  /** A test file. */
  readonly test: string
  /** Which of its tests, where not all are needed: a pattern of their titles. */
  readonly only?: string
}

/**
 * What a defect breaks. Of the two locks, `statement` and `row security`, each has to be missed by a test that looks at
 * it alone: that the other one still holds is no answer.
 */
export type Kind = "statement" | "row security" | "caller" | "rule"

/** Tests of one file, without `test/` and `.test.ts`. */
export const by = (test: string, only?: string) => ({
  test: `test/${test}.test.ts`,
  ...(only !== undefined && { only })
})

/** The rows of the isolation matrix, with both locks and without row security, for these operations. */
export const matrix = (...operations: ReadonlyArray<string>) =>
  by("http/IsolationMatrix", operations.map((id) => `\\b${id.replace(".", "\\.")} finds`).join("|"))

/** The source with the mistake in it; undefined where there is no such place, or more than one. */
export const planted = ({ find, replace }: Defect, source: string): string | undefined =>
  source.split(find).length === 2 && find !== replace ? source.replace(find, () => replace) : undefined
