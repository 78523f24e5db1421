import { Schema } from "effect"
import { Address } from "../domain/Address.ts"
import { Money } from "../domain/Money.ts"
import { Notification } from "../domain/Notification.ts"
import { Order } from "../domain/Order.ts"
import { PaymentMethod } from "../domain/PaymentMethod.ts"
import { Profile } from "../domain/Profile.ts"
import { PushToken } from "../domain/PushToken.ts"
import { Transaction } from "../domain/Transaction.ts"
import { VerificationStatus } from "../domain/Verification.ts"
import { WishlistItem } from "../domain/WishlistItem.ts"
import { addressColumns } from "./Addresses.ts"
import { benefitColumns } from "./Benefits.ts"
import {
  as,
  named,
  attached,
  documented,
  withoutUrl,
  message,
  ticket,
  conversation,
  file,
  enrollment,
  benefit,
  decodeReservation,
  encodeReservation,
  type JsonRecord
} from "./ChangeRecords.ts"
import { conversationColumns } from "./Conversations.ts"
import { enrollmentColumnsNow } from "./EnrollmentRows.ts"
import { fileColumns } from "./Files.ts"
import { messageColumns } from "./MessageRows.ts"
import { notificationColumns } from "./Notifications.ts"
import { orderColumns } from "./Orders.ts"
import { paymentMethodColumns } from "./PaymentRecords.ts"
import { profileColumns } from "./Profiles.ts"
import { pushTokenColumns } from "./PushTokens.ts"
import { reservationColumns, shownToOwner } from "./ReservationRows.ts"
import { wholeTicketColumns } from "./TicketRows.ts"
import { transactionColumns } from "./Transactions.ts"
import { verificationColumns } from "./VerificationRows.ts"
import { wishlistColumns } from "./Wishlist.ts"

/** Records of one kind: where they stand in the account, and how they are read. */
export interface Section {
  /** What a change of one is called. */
  readonly type: string
  /** What they are called in the whole account. */
  readonly name: string
  /** The account has one of them, or none. */
  readonly single?: boolean
  /** What stands there for none of it. */
  readonly none?: Schema.Json
  readonly columns: string
  /** Joins included; ends in the conditions that hold for every row, if there are any. */
  readonly from: string
  /** The columns of the org, the customer, and the id that changes name a record by. */
  readonly org: string
  readonly customer: string
  readonly id: string
  /** As their own list sorts them. */
  readonly order: string
  /** A row, as JSON that Postgres has made, as the API shows it. */
  readonly shown: (row: unknown) => JsonRecord
  /** SQL for a line about a record, in the words of a portal. */
  readonly title: string
  /** What is said of one that is gone. */
  readonly gone: string
  /** No activity of its own: it changes along with something else. */
  readonly quiet?: true
}

const table = (name: string, order: string) => ({
  from: name,
  org: `${name}.org_id`,
  customer: `${name}.customer_id`,
  id: `${name}.id`,
  order
})

/** All that a customer can see, in the order in which the whole account tells it. */
export const sections: ReadonlyArray<Section> = [
  {
    type: "profile",
    name: "profile",
    single: true,
    ...table("customers", "customers.id"),
    customer: "customers.id",
    columns: profileColumns,
    shown: as(Profile),
    title: "'Profile changed'",
    gone: "Profile removed"
  },
  {
    type: "verification",
    name: "verification",
    single: true,
    ...table("customers", "customers.id"),
    customer: "customers.id",
    columns: verificationColumns,
    shown: as(VerificationStatus),
    title: "'Verification changed'",
    gone: "Verification removed",
    quiet: true
  },
  {
    type: "address",
    name: "addresses",
    ...table("addresses", "is_primary DESC, addresses.id DESC"),
    columns: addressColumns,
    shown: as(Address),
    title: "concat_ws(', ', street1, city)",
    gone: "Address removed"
  },
  {
    type: "paymentMethod",
    name: "paymentMethods",
    ...table("payment_methods", "is_default DESC, payment_methods.created_at DESC, payment_methods.id DESC"),
    columns: paymentMethodColumns,
    shown: as(PaymentMethod),
    title: "concat_ws(' ', coalesce(initcap(brand), 'PayPal'), coalesce(last4, email))",
    gone: "Payment method removed"
  },
  {
    type: "order",
    name: "orders",
    ...table("orders", "placed_at DESC, orders.id DESC"),
    columns: orderColumns,
    shown: as(Order),
    title: "'Order ' || number || ': ' || replace(status, '-', ' ')",
    gone: "Order removed"
  },
  {
    type: "ticket",
    name: "tickets",
    ...table("tickets", "tickets.created_at DESC, tickets.id DESC"),
    columns: wholeTicketColumns,
    shown: (row) => {
      const shown = attached(ticket(row))
      return { ...shown, comments: (shown["comments"] as ReadonlyArray<JsonRecord>).map(attached) }
    },
    title: "'Ticket ' || number || ': ' || title",
    gone: "Ticket removed"
  },
  {
    type: "conversation",
    name: "conversations",
    ...table("conversations", "last_message_at DESC, conversations.id DESC"),
    columns: conversationColumns,
    shown: (row) => {
      const shown = conversation(row)
      return { ...shown, lastMessage: attached(shown["lastMessage"] as JsonRecord) }
    },
    title: "coalesce(subject, 'Conversation')",
    gone: "Conversation removed",
    quiet: true
  },
  {
    type: "message",
    name: "messages",
    ...table("messages", "messages.created_at DESC, messages.id DESC"),
    columns: messageColumns,
    shown: (row) => attached(message(row)),
    title:
      "CASE from_kind WHEN 'customer' THEN 'Message sent' ELSE 'Message from ' || coalesce(from_name, from_kind) END",
    gone: "Message removed"
  },
  {
    type: "notification",
    name: "notifications",
    ...table("notifications", "notifications.created_at DESC, notifications.id DESC"),
    from: "(SELECT * FROM notifications WHERE in_app) AS notifications",
    columns: notificationColumns,
    shown: as(Notification),
    title: "title",
    gone: "Notification removed",
    quiet: true
  },
  {
    type: "pushToken",
    name: "pushTokens",
    ...table("push_tokens", "last_seen_at DESC, push_tokens.id DESC"),
    columns: pushTokenColumns,
    shown: as(PushToken),
    title: "'Device registered'",
    gone: "Device removed",
    quiet: true
  },
  {
    type: "wishlistItem",
    name: "wishlist",
    columns: wishlistColumns,
    from: "wishlist_items JOIN products ON products.org_id = wishlist_items.org_id AND products.id = product_id",
    org: "wishlist_items.org_id",
    customer: "wishlist_items.customer_id",
    id: "wishlist_items.product_id",
    order: "added_at DESC, product_id DESC",
    shown: as(WishlistItem),
    title: "name",
    gone: "Taken off the wishlist"
  },
  {
    type: "reservation",
    name: "reservations",
    ...table("reservations", "starts_at DESC, reservations.id DESC"),
    columns: `${reservationColumns}, now() AS now`,
    shown: (row) => {
      const { now, ...reservation } = decodeReservation(named(row))
      return encodeReservation(shownToOwner(reservation, now.getTime())) as JsonRecord
    },
    title: "title || ': ' || replace(status, '_', ' ')",
    gone: "Reservation removed"
  },
  {
    type: "file",
    name: "files",
    ...table("files", "files.created_at DESC, files.id DESC"),
    id: "files.path",
    columns: fileColumns,
    shown: (row) => ({ ...file(row), ...withoutUrl, urlExpiresAt: null }),
    title: "name",
    gone: "File deleted"
  },
  {
    type: "benefit",
    name: "benefits",
    ...table("benefits", "benefits.created_at DESC, benefits.id DESC"),
    from: `(
      SELECT benefits.*, customers.id AS customer_id FROM benefits JOIN customers ON customers.org_id = benefits.org_id
      WHERE active) AS benefits`,
    columns: `${benefitColumns}, (
      SELECT to_jsonb(newest) FROM (
        SELECT ${enrollmentColumnsNow} FROM enrollments
        WHERE enrollments.org_id = benefits.org_id AND enrollments.customer_id = benefits.customer_id
          AND benefit_id = benefits.id
        ORDER BY submitted_at DESC, number::bigint DESC LIMIT 1) AS newest) AS enrollment`,
    shown: (row) => {
      const { enrollment: newest } = row as { readonly enrollment: unknown }
      return { ...benefit(row), enrollment: newest === null ? null : documented(enrollment(newest)) }
    },
    title: "title",
    gone: "Benefit withdrawn",
    quiet: true
  },
  {
    type: "enrollment",
    name: "enrollments",
    ...table("enrollments", "submitted_at DESC, enrollments.id DESC"),
    columns: enrollmentColumnsNow,
    shown: (row) => documented(enrollment(row)),
    title: "'Enrollment ' || number || ': ' || replace(status, '_', ' ')",
    gone: "Enrollment removed"
  },
  {
    type: "transaction",
    name: "transactions",
    ...table("transactions", "transactions.created_at DESC, transactions.id DESC"),
    columns: transactionColumns,
    shown: as(Transaction),
    title: "initcap(type) || ': ' || status",
    gone: "Transaction removed"
  },
  {
    type: "wallet",
    name: "wallet",
    single: true,
    none: { balance: null },
    ...table("wallets", "wallets.customer_id"),
    id: "wallets.customer_id",
    columns: "jsonb_build_object('amount', balance, 'currency', currency) AS balance",
    shown: as(Schema.Struct({ balance: Money })),
    title: "'Wallet balance changed'",
    gone: "Wallet closed"
  }
]

/** Of the types that are an activity by themselves, as a Postgres array. */
export const activities = `'{${sections.flatMap(({ quiet, type }) => (quiet ? [] : [type])).join()}}'::text[]`

export const sectionOf = new Map(sections.map((section) => [section.type, section]))

/** SQL for the row, as JSON, of the record that an entry of the log is about; null when it is gone. */
export const rowOf = (entry: string): string =>
  `CASE ${entry}.type ${sections
    .map(
      ({ columns, customer, from, id, org, type }) => `WHEN '${type}' THEN (SELECT to_jsonb(shown) FROM (
        SELECT ${columns} FROM ${from}
        WHERE ${org} = ${entry}.org_id AND ${customer} = ${entry}.customer_id AND ${id} = ${entry}.id) AS shown)`
    )
    .join(" ")} END`

/** SQL for the line about the record that an entry of the log is about. */
export const titleOf = (entry: string): string =>
  `CASE ${entry}.type ${sections
    .map(
      ({ customer, from, gone, id, org, title, type }) => `WHEN '${type}' THEN coalesce((
        SELECT ${title} FROM ${from}
        WHERE ${org} = ${entry}.org_id AND ${customer} = ${entry}.customer_id AND ${id} = ${entry}.id), '${gone}')`
    )
    .join(" ")} END`
