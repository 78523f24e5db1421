import { Problem } from "./Problem.ts"

/** Says nothing of what was sent, and no more of where: card numbers belong nowhere here. */
export class CardNumberRefused extends Problem<CardNumberRefused>()("CardNumberRefused", {
  code: "card_number_refused",
  status: 400,
  title: "Card numbers are not taken here",
  detail:
    "The request holds what looks like a card number. Give the card to Stripe in the browser and send the id that comes back."
}) {}

// Digits in groups, as people write them: 4242 4242 4242 4242, 4242-4242-..., also with dots or other dashes.
const grouped = /\d+(?:[\s.\p{Pd}]{1,2}\d+)*/gu

/** Whether 12 to 19 digits in a row, whatever stands between groups of them, have a right check digit (ISO/IEC 7812-1). */
export const hasCardNumber = (text: string): boolean => {
  for (const [run] of text.normalize("NFKC").matchAll(grouped)) {
    const groups = run.split(/\D+/)
    for (let first = 0; first < groups.length; first++) {
      // A number may be followed by others, such as the month and year it is good for.
      for (let end = first, digits = ""; end < groups.length && digits.length <= 19; end++) {
        digits += groups[end]!
        if (digits.length >= 12 && digits.length <= 19 && !digits.startsWith("0") && isChecked(digits)) return true
      }
    }
  }
  return false
}

// Luhn's formula: every second digit from the right counts twice, and the sum ends in 0.
const isChecked = (digits: string): boolean => {
  let sum = 0
  for (let place = 0; place < digits.length; place++) {
    const digit = Number(digits[digits.length - 1 - place]) * (place % 2 === 0 ? 1 : 2)
    sum += digit > 9 ? digit - 9 : digit
  }
  return sum % 10 === 0
}

/** A body this long is none that is taken here; looking through all of it would only keep others waiting. */
const looked = 65_536

/** As `hasCardNumber`, but of a body that may be JSON, whose keys and strings may write digits as `\u0034`. */
export const bodyHasCardNumber = (body: string): boolean => {
  const text = body.slice(0, looked)
  if (hasCardNumber(text)) return true
  let found = false
  try {
    JSON.parse(text, (key, value) => {
      found ||= hasCardNumber(key) || (typeof value === "string" && hasCardNumber(value))
      return value
    })
  } catch {
    // Not JSON, so what there is to be seen has been seen.
  }
  return found
}
