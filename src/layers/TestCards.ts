import type { Card } from "../services/CardVault.ts"

// https://docs.stripe.com/testing: the ids that stand for cards in Stripe's test mode, and the last digits of these.
const cards: Readonly<Record<string, readonly [brand: string, last4: string]>> = {
  visa: ["visa", "4242"],
  visa_debit: ["visa", "5556"],
  mastercard: ["mastercard", "4444"],
  mastercard_debit: ["mastercard", "8210"],
  mastercard_prepaid: ["mastercard", "5100"],
  amex: ["amex", "0005"],
  discover: ["discover", "1117"],
  diners: ["diners", "0004"],
  jcb: ["jcb", "0505"],
  unionpay: ["unionpay", "0005"],
  us: ["visa", "4242"],
  gb: ["visa", "0000"],
  de: ["visa", "0016"],
  fr: ["visa", "0003"],
  // Taken, and declined or questioned only when it is charged.
  chargeCustomerFail: ["visa", "0341"],
  authenticationRequired: ["visa", "3184"],
  threeDSecure2Required: ["visa", "3220"]
}

const declines: Readonly<Record<string, string>> = {
  "": "Your card was declined.",
  InsufficientFunds: "Your card has insufficient funds.",
  LostCard: "Your card was declined.",
  StolenCard: "Your card was declined.",
  Fraudulent: "Your card was declined.",
  VelocityLimitExceeded:
    "Your card was declined for making repeated attempts too frequently or exceeding its amount limit.",
  ExpiredCard: "Your card has expired.",
  IncorrectCvc: "Your card's security code is incorrect.",
  ProcessingError: "An error occurred while processing your card. Try again in a little bit."
}

/** What a test id stands for: a card, the sentence it is declined with, or nothing. */
export const find = (id: string, now: Date): Omit<Card, "id"> | string | undefined => {
  const name = /^pm_card_(\w+)$/.exec(id)?.[1]
  if (name === undefined) return undefined
  const decline = /^(?:visa_)?chargeDeclined([A-Z]\w*)?$/.exec(name)
  if (decline !== null) return declines[decline[1] ?? ""]
  const card = Object.hasOwn(cards, name) ? cards[name] : undefined
  return card && { brand: card[0], last4: card[1], expMonth: 12, expYear: now.getUTCFullYear() + 4 }
}
