import type { Language } from "./Notice.ts"

export const french: Language = {
  orderStatus: {
    new: "nouvelle",
    "awaiting-payment": "en attente de paiement",
    "paid-partial": "payée en partie",
    paid: "payée",
    confirmed: "confirmée",
    processing: "en préparation",
    "on-hold": "en attente",
    shipped: "expédiée",
    "partially-shipped": "expédiée en partie",
    delivered: "livrée",
    "partially-delivered": "livrée en partie",
    completed: "terminée",
    failed: "échouée",
    returned: "retournée",
    refunded: "remboursée",
    cancelled: "annulée"
  },
  ticketStatus: {
    new: "nouveau",
    open: "ouvert",
    pending: "en attente de votre réponse",
    inprogress: "en cours",
    blocked: "en attente",
    done: "résolu",
    canceled: "annulé"
  },
  says: {
    orderPlaced: ({ number }) => [
      `Commande ${number} reçue`,
      `Merci pour votre commande ${number}. Nous vous tiendrons au courant.`
    ],
    orderStatus: ({ number, status }, words) => [
      `Commande ${number} : ${words.orderStatus(status)}`,
      `Nouvel état de votre commande ${number} : ${words.orderStatus(status)}.`
    ],
    ticketReply: ({ author, number, title }) => [
      `Réponse à la demande ${number}`,
      `${author} a répondu à votre demande « ${title} ».`
    ],
    ticketStatus: ({ number, status, title }, words) => [
      `Demande ${number} : ${words.ticketStatus(status)}`,
      `Nouvel état de votre demande « ${title} » : ${words.ticketStatus(status)}.`
    ],
    message: ({ from, text }) => [`Message de ${from}`, text],
    reservationConfirmed: (booking, words) => [
      "Votre réservation est confirmée",
      `${booking.title}, ${words.when(booking)}.`
    ],
    reservationChanged: (booking, words) => [
      "Votre réservation a changé",
      `${booking.title}, désormais : ${words.when(booking)}.`
    ],
    reservationCancelled: (booking, words) => [
      "Votre réservation est annulée",
      `${booking.title}, ${words.when(booking)}, n’aura pas lieu.`
    ],
    reservationReminder: (booking, words) => [
      "Votre réservation approche",
      `${booking.title}, ${words.when(booking)}.`
    ],
    benefitApproved: ({ name }) => [`${name} : accepté`, `Vous pouvez dès maintenant profiter de « ${name} ».`],
    benefitRejected: ({ name, reason }) => [
      `${name} : refusé`,
      `Votre demande pour « ${name} » n’a pas été acceptée.${reason === null ? "" : ` ${reason}`}`
    ],
    benefitExpired: ({ name }) => [`${name} : expiré`, `« ${name} » a expiré.`],
    cardExpiring: ({ last4, month, year }) => [
      "Une carte expire bientôt",
      `Votre carte se terminant par ${last4} est valable jusqu’au ${month}/${year}. Pensez à en ajouter une autre à temps.`
    ],
    exportReady: ({ path }) => [
      "Vos données sont prêtes",
      `Tout le contenu de votre compte, dans un fichier : ${path}.`
    ]
  },
  footer: "Vous pouvez choisir dans votre compte les sujets dont nous vous informons."
}
