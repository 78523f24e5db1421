import type { Language } from "./Notice.ts"

export const english: Language = {
  orderStatus: {
    new: "new",
    "awaiting-payment": "awaiting payment",
    "paid-partial": "paid in part",
    paid: "paid",
    confirmed: "confirmed",
    processing: "being prepared",
    "on-hold": "on hold",
    shipped: "shipped",
    "partially-shipped": "shipped in part",
    delivered: "delivered",
    "partially-delivered": "delivered in part",
    completed: "completed",
    failed: "failed",
    returned: "returned",
    refunded: "refunded",
    cancelled: "cancelled"
  },
  ticketStatus: {
    new: "new",
    open: "open",
    pending: "waiting for you",
    inprogress: "in progress",
    blocked: "on hold",
    done: "done",
    canceled: "canceled"
  },
  says: {
    orderPlaced: ({ number }) => [
      `Order ${number} received`,
      `Thank you for your order ${number}. We will tell you how it goes on.`
    ],
    orderStatus: ({ number, status }, words) => [
      `Order ${number}: ${words.orderStatus(status)}`,
      `Your order ${number} is now: ${words.orderStatus(status)}.`
    ],
    ticketReply: ({ author, number, title }) => [
      `An answer to ticket ${number}`,
      `${author} has answered your ticket “${title}”.`
    ],
    ticketStatus: ({ number, status, title }, words) => [
      `Ticket ${number}: ${words.ticketStatus(status)}`,
      `Your ticket “${title}” is now: ${words.ticketStatus(status)}.`
    ],
    message: ({ from, text }) => [`A message from ${from}`, text],
    reservationConfirmed: (booking, words) => [
      "Your reservation is confirmed",
      `${booking.title}, ${words.when(booking)}.`
    ],
    reservationChanged: (booking, words) => [
      "Your reservation has changed",
      `${booking.title} is now on ${words.when(booking)}.`
    ],
    reservationCancelled: (booking, words) => [
      "Your reservation is cancelled",
      `${booking.title}, ${words.when(booking)}, will not take place.`
    ],
    reservationReminder: (booking, words) => [
      "Your reservation is coming up",
      `${booking.title}, ${words.when(booking)}.`
    ],
    benefitApproved: ({ name }) => [`${name}: approved`, `You may use “${name}” from now on.`],
    benefitRejected: ({ name, reason }) => [
      `${name}: not approved`,
      `Your application for “${name}” was not approved.${reason === null ? "" : ` ${reason}`}`
    ],
    benefitExpired: ({ name }) => [`${name}: expired`, `“${name}” has expired.`],
    cardExpiring: ({ last4, month, year }) => [
      "A card is about to expire",
      `Your card that ends in ${last4} is good until ${month}/${year}. Please add a new one in time.`
    ],
    exportReady: ({ path }) => ["Your data is ready", `Everything in your account, as a file: ${path}.`]
  },
  footer: "You can choose in your account what we write to you about."
}
