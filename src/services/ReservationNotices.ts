import type { Notice } from "../domain/Notice.ts"
import type { PlatformReservation } from "../domain/Reservation.ts"

type About = Pick<
  PlatformReservation,
  "customerId" | "id" | "number" | "service" | "start" | "status" | "timezone" | "title"
>

/** What its customer is told of a reservation, by the name that their calendar has for it. */
export const noticeOf = (
  template: `reservation${"Confirmed" | "Changed" | "Cancelled" | "Reminder"}`,
  { customerId, id, number, service, start, status, timezone, title }: About
): Notice => ({
  customerId,
  template,
  facts: { title: `${title}: ${service}`, start, timezone },
  data: { reservationId: id, number, status },
  link: `/reservations/${number}`
})
