import { liveStatuses } from "../domain/Reservation.ts"

const live = liveStatuses.map((status) => `'${status}'`).join()

/** Counts what has come to pass without anybody writing it down: what a reservation still allows, what is over. */
const passed = (counter: string) => {
  const mine = (table: string) =>
    `${table}.org_id = ${counter}.org_id AND ${table}.customer_id = ${counter}.customer_id`
  return `(
    SELECT count(*) FILTER (WHERE cancel_until < now()) || '-' || count(*) FILTER (WHERE starts_at <= now())
      || '-' || count(*) FILTER (WHERE ends_at <= now())
    FROM reservations WHERE ${mine("reservations")} AND status IN (${live})
  ) || '-' || (
    SELECT count(*) FROM enrollments WHERE ${mine("enrollments")} AND status = 'active' AND expires_at <= now()
  ) || '-' || (
    SELECT count(*) FROM verification_codes AS sent WHERE ${mine("sent")} AND sent_at > now() - interval '1 day'
  )`
}

/**
 * SQL for what an entity tag says about all that a customer can see: their log's state, and what time alone changes in
 * the answers that are tagged with it. The seal keeps the tags of two customers apart.
 */
export const tagOf = (counter: string): string => `left(${counter}.seal, 8) || '.' || ${counter}.last || '.' ||
  ${counter}.forgotten || '.' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMM') || '.' || ${passed(counter)}`

/** The tags of an If-None-Match header, twenty at most. */
export const tagsOf = (ifNoneMatch: string | undefined): ReadonlyArray<string> =>
  ifNoneMatch === undefined ? [] : [...ifNoneMatch.matchAll(/"([\w.-]{1,100})"/g)].slice(0, 20).map((tag) => tag[1]!)
