import type { Language } from "./Notice.ts"

export const portuguese: Language = {
  orderStatus: {
    new: "nova",
    "awaiting-payment": "aguardando pagamento",
    "paid-partial": "paga em parte",
    paid: "paga",
    confirmed: "confirmada",
    processing: "em preparação",
    "on-hold": "em espera",
    shipped: "enviada",
    "partially-shipped": "enviada em parte",
    delivered: "entregue",
    "partially-delivered": "entregue em parte",
    completed: "concluída",
    failed: "falhada",
    returned: "devolvida",
    refunded: "reembolsada",
    cancelled: "cancelada"
  },
  ticketStatus: {
    new: "novo",
    open: "aberto",
    pending: "à espera da sua resposta",
    inprogress: "em andamento",
    blocked: "em espera",
    done: "resolvido",
    canceled: "cancelado"
  },
  says: {
    orderPlaced: ({ number }) => [
      `Encomenda ${number} recebida`,
      `Obrigado pela sua encomenda ${number}. Vamos informá-lo do andamento.`
    ],
    orderStatus: ({ number, status }, words) => [
      `Encomenda ${number}: ${words.orderStatus(status)}`,
      `Novo estado da sua encomenda ${number}: ${words.orderStatus(status)}.`
    ],
    ticketReply: ({ author, number, title }) => [
      `Resposta ao pedido ${number}`,
      `${author} respondeu ao seu pedido “${title}”.`
    ],
    ticketStatus: ({ number, status, title }, words) => [
      `Pedido ${number}: ${words.ticketStatus(status)}`,
      `Novo estado do seu pedido “${title}”: ${words.ticketStatus(status)}.`
    ],
    message: ({ from, text }) => [`Mensagem de ${from}`, text],
    reservationConfirmed: (booking, words) => [
      "A sua reserva está confirmada",
      `${booking.title}, ${words.when(booking)}.`
    ],
    reservationChanged: (booking, words) => ["A sua reserva mudou", `${booking.title}, agora: ${words.when(booking)}.`],
    reservationCancelled: (booking, words) => [
      "A sua reserva foi cancelada",
      `${booking.title}, ${words.when(booking)}, não se realizará.`
    ],
    reservationReminder: (booking, words) => ["A sua reserva aproxima-se", `${booking.title}, ${words.when(booking)}.`],
    benefitApproved: ({ name }) => [`${name}: aprovado`, `Já pode usufruir de “${name}”.`],
    benefitRejected: ({ name, reason }) => [
      `${name}: não aprovado`,
      `O seu pedido de “${name}” não foi aprovado.${reason === null ? "" : ` ${reason}`}`
    ],
    benefitExpired: ({ name }) => [`${name}: expirado`, `“${name}” expirou.`],
    cardExpiring: ({ last4, month, year }) => [
      "Um cartão está prestes a expirar",
      `O seu cartão terminado em ${last4} é válido até ${month}/${year}. Adicione outro a tempo, por favor.`
    ],
    exportReady: ({ path }) => ["Os seus dados estão prontos", `Tudo o que está na sua conta, num ficheiro: ${path}.`]
  },
  footer: "Na sua conta pode escolher sobre o que lhe escrevemos."
}
