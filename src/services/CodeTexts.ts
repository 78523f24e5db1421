interface Texts {
  readonly subject: string
  readonly code: string
  readonly valid: string
  readonly ignore: string
  readonly erasure: string
  readonly changedSubject: string
  /** `{to}` is the new address, masked. */
  readonly changed: string
  readonly changedAdvice: string
}

const english: Texts = {
  subject: "Your verification code",
  code: "Your verification code is {code}.",
  valid: "It is valid for 10 minutes. Nobody of ours will ever ask you for it.",
  ignore: "If you have not asked for it, you can ignore this message.",
  erasure:
    "With this code your account and all that is in it is erased. If you have not asked for that, contact us at once.",
  changedSubject: "Your email address was changed",
  changed: "The email address of your account is now {to}.",
  changedAdvice: "If this was not you, contact us at once."
}

const byLanguage: Readonly<Record<string, Texts>> = {
  en: english,
  de: {
    subject: "Ihr Bestätigungscode",
    code: "Ihr Bestätigungscode lautet {code}.",
    valid: "Er gilt 10 Minuten. Niemand von uns wird Sie je danach fragen.",
    ignore: "Wenn Sie ihn nicht angefordert haben, können Sie diese Nachricht ignorieren.",
    erasure:
      "Mit diesem Code werden Ihr Konto und alles darin gelöscht. Wenn Sie das nicht wünschen, melden Sie sich bitte sofort bei uns.",
    changedSubject: "Ihre E-Mail-Adresse wurde geändert",
    changed: "Die E-Mail-Adresse Ihres Kontos ist jetzt {to}.",
    changedAdvice: "Wenn Sie das nicht waren, melden Sie sich bitte sofort bei uns."
  },
  fr: {
    subject: "Votre code de vérification",
    code: "Votre code de vérification est {code}.",
    valid: "Il est valable 10 minutes. Aucun de nos collaborateurs ne vous le demandera jamais.",
    ignore: "Si vous ne l’avez pas demandé, vous pouvez ignorer ce message.",
    erasure:
      "Avec ce code, votre compte et tout son contenu seront effacés. Si vous ne l’avez pas demandé, contactez-nous immédiatement.",
    changedSubject: "Votre adresse e-mail a été modifiée",
    changed: "L’adresse e-mail de votre compte est désormais {to}.",
    changedAdvice: "Si ce n’était pas vous, contactez-nous immédiatement."
  },
  es: {
    subject: "Su código de verificación",
    code: "Su código de verificación es {code}.",
    valid: "Es válido durante 10 minutos. Nadie de nuestro equipo se lo pedirá nunca.",
    ignore: "Si no lo ha solicitado, puede ignorar este mensaje.",
    erasure:
      "Con este código se borrarán su cuenta y todo su contenido. Si no lo ha solicitado, póngase en contacto con nosotros de inmediato.",
    changedSubject: "Su dirección de correo electrónico ha cambiado",
    changed: "La dirección de correo electrónico de su cuenta es ahora {to}.",
    changedAdvice: "Si no ha sido usted, póngase en contacto con nosotros de inmediato."
  },
  pt: {
    subject: "O seu código de verificação",
    code: "O seu código de verificação é {code}.",
    valid: "É válido por 10 minutos. Ninguém da nossa equipa lho pedirá alguma vez.",
    ignore: "Se não o pediu, pode ignorar esta mensagem.",
    erasure:
      "Com este código, a sua conta e tudo o que nela está serão apagados. Se não o pediu, contacte-nos imediatamente.",
    changedSubject: "O seu endereço de e-mail foi alterado",
    changed: "O endereço de e-mail da sua conta é agora {to}.",
    changedAdvice: "Se não foi você, contacte-nos imediatamente."
  }
}

/** The language that we have words in: the profile's, or English. */
const spoken = (language: string | null): string => {
  const primary = (language ?? "").split("-")[0]!.toLowerCase()
  return primary in byLanguage ? primary : "en"
}

const escaped = (text: string) => text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)

const mailOf = (language: string, subject: string, ...paragraphs: ReadonlyArray<string>) => ({
  channel: "email" as const,
  language,
  subject,
  text: paragraphs.join("\n\n"),
  html: `<!doctype html><html lang="${language}"><body>${paragraphs
    .map((paragraph) => `<p>${escaped(paragraph).replace("{code}", "<strong>{code}</strong>")}</p>`)
    .join("")}</body></html>`
})

/** What a customer reads beside a code; `{code}` is filled in when it is sent. */
export const codeMail = (language: string | null) => {
  const { code, ignore, subject, valid } = byLanguage[spoken(language)]!
  return mailOf(spoken(language), subject, code, valid, ignore)
}

export const codeSms = (language: string | null) => {
  const { code, valid } = byLanguage[spoken(language)]!
  return { channel: "sms" as const, text: `${code} ${valid}` }
}

/** The same, for the code that erases the account: it says what it does. */
export const erasureMail = (language: string | null) => {
  const { code, erasure, subject, valid } = byLanguage[spoken(language)]!
  return mailOf(spoken(language), subject, code, erasure, valid)
}

export const erasureSms = (language: string | null) => {
  const { code, erasure } = byLanguage[spoken(language)]!
  return { channel: "sms" as const, text: `${code} ${erasure}` }
}

/** What the old address reads when there is a new one. */
export const changedMail = (language: string | null, to: string) => {
  const { changed, changedAdvice, changedSubject } = byLanguage[spoken(language)]!
  return mailOf(
    spoken(language),
    changedSubject,
    changed.replace("{to}", () => to),
    changedAdvice
  )
}
