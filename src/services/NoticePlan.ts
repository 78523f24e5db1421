import type { CustomerId } from "../domain/Ids.ts"
import { type Channel, type NotificationData, topicOf } from "../domain/Notification.ts"
import { choiceFor, type Chosen } from "../domain/NotificationPreferences.ts"
import { type QuietHours, quietUntil } from "../domain/QuietHours.ts"
import type { NewDelivery } from "./Deliveries.ts"
import { addressIn, mailOf } from "./NoticeMail.ts"

/** What one notification says, whichever way it goes. */
export interface Content {
  readonly type: string
  readonly title: string
  readonly body: string
  readonly data: NotificationData
  readonly link: string | null
  /** Those alone; null: whichever the customer's preferences allow. */
  readonly channels: ReadonlyArray<Channel> | null
}

/** Whom it is for, and how they can be reached. */
export interface Recipient {
  readonly customerId: CustomerId
  readonly email: string | null
  readonly phone: string | null
  readonly phoneVerified: boolean
  readonly language: string | null
  readonly timezone: string | null
  readonly types: Chosen
  readonly quietHours: QuietHours | null
  readonly pushTokenIds: ReadonlyArray<string>
}

export interface Plan {
  readonly inApp: boolean
  /** Channels that it does not take, and why. */
  readonly withheld: Readonly<Partial<Record<Channel, "preferences" | "no_device" | "no_address">>>
  readonly deliveries: ReadonlyArray<NewDelivery>
}

/**
 * Which ways a notification takes to one customer: those that are asked for, as far as their preferences allow.
 *
 * Quiet hours hold back what makes a noise, mails included, and nothing that concerns security. Text messages go to
 * verified numbers only: anybody can put a number that costs money into their profile.
 */
export const planFor = (recipient: Recipient, notificationId: string, content: Content, now: number): Plan => {
  const topic = topicOf(content.type)
  const { customerId, email, language, phone, phoneVerified, pushTokenIds, quietHours, timezone } = recipient
  const allowed = choiceFor(topic, recipient.types)
  const asked = content.channels ?? channels.filter((channel) => allowed[channel])
  const withheld: { -readonly [C in keyof Plan["withheld"]]: Plan["withheld"][C] } = {}
  const messages: Array<NewDelivery["message"]> = []
  const { body, link, title } = content

  for (const channel of asked) {
    if (!allowed[channel]) withheld[channel] = "preferences"
    else if (channel === "push") {
      if (pushTokenIds.length === 0) withheld.push = "no_device"
      const data = pushData(content, notificationId)
      for (const pushTokenId of pushTokenIds) {
        messages.push({ channel, pushTokenId, title: cut(title, 100), body: cut(body, 240), link: short(link), data })
      }
    } else if (channel === "email") {
      if (email === null) withheld.email = "no_address"
      else messages.push({ channel, to: email, language: language ?? "en", ...mailOf(content, language) })
    } else if (channel === "sms") {
      const address = addressIn(link)
      const text = cut(`${title}\n${body}`, 300) + (address === undefined ? "" : `\n${address}`)
      if (phone === null || !phoneVerified) withheld.sms = "no_address"
      else messages.push({ channel, to: phone, text })
    }
  }

  const notBefore = topic === "security" || quietHours === null ? undefined : quietUntil(quietHours, timezone, now)
  return {
    inApp: allowed.inApp && asked.includes("inApp"),
    withheld,
    deliveries: messages.map((message) => ({
      customerId,
      notificationId,
      message,
      ...(notBefore === undefined ? {} : { notBefore })
    }))
  }
}

const channels: ReadonlyArray<Channel> = ["inApp", "push", "email", "sms"]

const cut = (text: string, most: number) => {
  const characters = [...text]
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`
}

// A push message has 4 KB in all: the app finds a longer link in the notification itself.
const short = (link: string | null) => (link !== null && link.length <= 500 ? link : null)

// Names that Firebase and Apple keep for themselves.
const reserved = /^(?:from|message_type|aps|collapse_key|google\..*|gcm\..*)$/

const pushData = ({ data, type }: Content, notificationId: string): Readonly<Record<string, string>> => ({
  ...Object.fromEntries(
    Object.entries(data).flatMap(([key, value]) => (value === null || reserved.test(key) ? [] : [[key, String(value)]]))
  ),
  notificationId,
  type
})
