import type { CustomerId } from "./Ids.ts"
import type { NotificationData, Topic } from "./Notification.ts"
import type { OrderStatus } from "./Order.ts"
import type { TicketStatus } from "./Ticket.ts"

interface Booking {
  /** What is booked, as the customer knows it. */
  readonly title: string
  readonly start: Date
  /** Of the place where it takes place. */
  readonly timezone: string
}

/** What the notices say, and of what. */
export interface Facts {
  readonly orderPlaced: { readonly number: string }
  readonly orderStatus: { readonly number: string; readonly status: (typeof OrderStatus)["Type"] }
  readonly ticketReply: { readonly number: string; readonly title: string; readonly author: string }
  readonly ticketStatus: { readonly number: string; readonly title: string; readonly status: TicketStatus }
  readonly message: { readonly from: string; readonly text: string }
  readonly reservationConfirmed: Booking
  readonly reservationChanged: Booking
  readonly reservationCancelled: Booking
  readonly reservationReminder: Booking
  readonly benefitApproved: { readonly name: string }
  readonly benefitRejected: { readonly name: string; readonly reason: string | null }
  readonly benefitExpired: { readonly name: string }
  readonly cardExpiring: { readonly last4: string; readonly month: number; readonly year: number }
  readonly exportReady: { readonly path: string }
}

export type Template = keyof Facts

/** Which of the preferences decides about a notice. */
export const topicOfTemplate: Readonly<Record<Template, Topic>> = {
  orderPlaced: "order",
  orderStatus: "order",
  ticketReply: "ticket",
  ticketStatus: "ticket",
  message: "message",
  reservationConfirmed: "reservation",
  reservationChanged: "reservation",
  reservationCancelled: "reservation",
  reservationReminder: "reservation",
  benefitApproved: "benefit",
  benefitRejected: "benefit",
  benefitExpired: "benefit",
  cardExpiring: "payment",
  exportReady: "other"
}

/** Something that has happened, and that one customer should hear of. */
export type Notice = {
  readonly [T in Template]: {
    readonly customerId: CustomerId
    readonly template: T
    readonly facts: Facts[T]
    /** What an app needs to show the thing itself. */
    readonly data: NotificationData
    /** A path of the portal. */
    readonly link: string
  }
}[Template]

/** A title and a sentence. */
export type Said = readonly [title: string, body: string]

/** All that is said in one language. */
export interface Language {
  readonly orderStatus: Readonly<Record<(typeof OrderStatus)["Type"], string>>
  readonly ticketStatus: Readonly<Record<TicketStatus, string>>
  readonly says: { readonly [T in Template]: (facts: Facts[T], words: Words) => Said }
  /** What stands below every mail. */
  readonly footer: string
}

/** How the language of the profile, regions included, writes what is no text. */
export interface Words {
  readonly when: (booking: Booking) => string
  readonly orderStatus: (status: (typeof OrderStatus)["Type"]) => string
  readonly ticketStatus: (status: TicketStatus) => string
}
