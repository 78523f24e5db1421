import type { Language } from "./Notice.ts"

export const german: Language = {
  orderStatus: {
    new: "neu",
    "awaiting-payment": "wartet auf Zahlung",
    "paid-partial": "teilweise bezahlt",
    paid: "bezahlt",
    confirmed: "bestätigt",
    processing: "in Bearbeitung",
    "on-hold": "angehalten",
    shipped: "versandt",
    "partially-shipped": "teilweise versandt",
    delivered: "zugestellt",
    "partially-delivered": "teilweise zugestellt",
    completed: "abgeschlossen",
    failed: "fehlgeschlagen",
    returned: "zurückgesandt",
    refunded: "erstattet",
    cancelled: "storniert"
  },
  ticketStatus: {
    new: "neu",
    open: "offen",
    pending: "wartet auf Sie",
    inprogress: "in Bearbeitung",
    blocked: "angehalten",
    done: "erledigt",
    canceled: "abgebrochen"
  },
  says: {
    orderPlaced: ({ number }) => [
      `Bestellung ${number} ist eingegangen`,
      `Danke für Ihre Bestellung ${number}. Wir sagen Ihnen, wie es weitergeht.`
    ],
    orderStatus: ({ number, status }, words) => [
      `Bestellung ${number}: ${words.orderStatus(status)}`,
      `Ihre Bestellung ${number} ist jetzt: ${words.orderStatus(status)}.`
    ],
    ticketReply: ({ author, number, title }) => [
      `Antwort auf Ticket ${number}`,
      `${author} hat auf Ihr Ticket „${title}“ geantwortet.`
    ],
    ticketStatus: ({ number, status, title }, words) => [
      `Ticket ${number}: ${words.ticketStatus(status)}`,
      `Ihr Ticket „${title}“ ist jetzt: ${words.ticketStatus(status)}.`
    ],
    message: ({ from, text }) => [`Nachricht von ${from}`, text],
    reservationConfirmed: (booking, words) => [
      "Ihre Reservierung ist bestätigt",
      `${booking.title}, ${words.when(booking)}.`
    ],
    reservationChanged: (booking, words) => [
      "Ihre Reservierung hat sich geändert",
      `${booking.title}, jetzt: ${words.when(booking)}.`
    ],
    reservationCancelled: (booking, words) => [
      "Ihre Reservierung ist storniert",
      `${booking.title}, ${words.when(booking)}, findet nicht statt.`
    ],
    reservationReminder: (booking, words) => [
      "Ihre Reservierung steht bevor",
      `${booking.title}, ${words.when(booking)}.`
    ],
    benefitApproved: ({ name }) => [`${name}: genehmigt`, `Sie können „${name}“ ab jetzt nutzen.`],
    benefitRejected: ({ name, reason }) => [
      `${name}: nicht genehmigt`,
      `Ihr Antrag auf „${name}“ wurde nicht genehmigt.${reason === null ? "" : ` ${reason}`}`
    ],
    benefitExpired: ({ name }) => [`${name}: abgelaufen`, `„${name}“ ist abgelaufen.`],
    cardExpiring: ({ last4, month, year }) => [
      "Eine Karte läuft bald ab",
      `Ihre Karte mit den Endziffern ${last4} gilt bis ${month}/${year}. Bitte fügen Sie rechtzeitig eine neue hinzu.`
    ],
    exportReady: ({ path }) => ["Ihre Daten liegen bereit", `Alles aus Ihrem Konto, als Datei: ${path}.`]
  },
  footer: "In Ihrem Konto können Sie wählen, worüber wir Ihnen schreiben."
}
