import type { Language } from "./Notice.ts"

export const spanish: Language = {
  orderStatus: {
    new: "nuevo",
    "awaiting-payment": "pendiente de pago",
    "paid-partial": "pagado en parte",
    paid: "pagado",
    confirmed: "confirmado",
    processing: "en preparación",
    "on-hold": "en espera",
    shipped: "enviado",
    "partially-shipped": "enviado en parte",
    delivered: "entregado",
    "partially-delivered": "entregado en parte",
    completed: "completado",
    failed: "fallido",
    returned: "devuelto",
    refunded: "reembolsado",
    cancelled: "cancelado"
  },
  ticketStatus: {
    new: "nueva",
    open: "abierta",
    pending: "pendiente de su respuesta",
    inprogress: "en curso",
    blocked: "en espera",
    done: "resuelta",
    canceled: "cancelada"
  },
  says: {
    orderPlaced: ({ number }) => [
      `Pedido ${number} recibido`,
      `Gracias por su pedido ${number}. Le informaremos de cómo avanza.`
    ],
    orderStatus: ({ number, status }, words) => [
      `Pedido ${number}: ${words.orderStatus(status)}`,
      `Nuevo estado de su pedido ${number}: ${words.orderStatus(status)}.`
    ],
    ticketReply: ({ author, number, title }) => [
      `Respuesta a la consulta ${number}`,
      `${author} ha respondido a su consulta «${title}».`
    ],
    ticketStatus: ({ number, status, title }, words) => [
      `Consulta ${number}: ${words.ticketStatus(status)}`,
      `Nuevo estado de su consulta «${title}»: ${words.ticketStatus(status)}.`
    ],
    message: ({ from, text }) => [`Mensaje de ${from}`, text],
    reservationConfirmed: (booking, words) => [
      "Su reserva está confirmada",
      `${booking.title}, ${words.when(booking)}.`
    ],
    reservationChanged: (booking, words) => [
      "Su reserva ha cambiado",
      `${booking.title}, ahora: ${words.when(booking)}.`
    ],
    reservationCancelled: (booking, words) => [
      "Su reserva está cancelada",
      `${booking.title}, ${words.when(booking)}, no tendrá lugar.`
    ],
    reservationReminder: (booking, words) => ["Se acerca su reserva", `${booking.title}, ${words.when(booking)}.`],
    benefitApproved: ({ name }) => [`${name}: aprobado`, `Ya puede disfrutar de «${name}».`],
    benefitRejected: ({ name, reason }) => [
      `${name}: no aprobado`,
      `Su solicitud de «${name}» no ha sido aprobada.${reason === null ? "" : ` ${reason}`}`
    ],
    benefitExpired: ({ name }) => [`${name}: caducado`, `«${name}» ha caducado.`],
    cardExpiring: ({ last4, month, year }) => [
      "Una tarjeta caduca pronto",
      `Su tarjeta terminada en ${last4} es válida hasta ${month}/${year}. Añada otra a tiempo, por favor.`
    ],
    exportReady: ({ path }) => ["Sus datos están listos", `Todo lo que hay en su cuenta, en un archivo: ${path}.`]
  },
  footer: "En su cuenta puede elegir sobre qué le escribimos."
}
