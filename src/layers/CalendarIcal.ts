import { Layer } from "effect"
import ical, { ICalEventStatus } from "ical-generator"
import { Calendar } from "../services/Calendar.ts"

const statuses = {
  tentative: ICalEventStatus.TENTATIVE,
  confirmed: ICalEventStatus.CONFIRMED,
  cancelled: ICalEventStatus.CANCELLED
}

export const layer = Layer.succeed(Calendar, {
  file: ({ changedAt, description, location, status, title, uid, ...event }) => {
    const calendar = ical({ prodId: { company: "Portico", product: "Reservations", language: "EN" } })
    calendar.createEvent({
      ...event,
      id: uid,
      stamp: changedAt,
      lastModified: changedAt,
      summary: plain(title),
      location: location && plain(location),
      description: description && plain(description),
      status: statuses[status]
    })
    return `${calendar.toString()}\r\n`
  }
})

// RFC 5545 has no control characters in text but tabs and the line breaks that it escapes itself.
const plain = (text: string) => text.replace(/\r\n?/g, "\n").replace(/[\u0000-\u0008\u000b-\u001f\u007f]/g, "")
