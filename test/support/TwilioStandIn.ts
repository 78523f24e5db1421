import { answering, type Asked, listen as listenTo, type Reply, StandIn } from "./StandIn.ts"

export const accountSid = `AC${"0a".repeat(16)}`
export const authToken = "the-token-of-the-stand-in"

/** As Twilio refuses: its sentence quotes the number. */
export const refusing = (status: number, code: number, to: string, headers: Readonly<Record<string, string>> = {}) =>
  answering(status, { code, message: `The 'To' number ${to} is not right.`, more_info: "", status }, headers)

/** Twilio's Messages API as far as it is called. */
export class TwilioStandIn extends StandIn {
  readonly messages: Array<Record<string, string>> = []

  protected reply({ headers, method, path, text }: Asked): Reply {
    const basic = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString("base64")}`
    if (headers.authorization !== basic) return answering(401, { code: 20003, message: "Authenticate", status: 401 })
    if (`${method} ${path}` !== `POST /2010-04-01/Accounts/${accountSid}/Messages.json`) {
      return answering(404, { code: 20404, message: `The requested resource ${path} was not found`, status: 404 })
    }
    const message = Object.fromEntries(new URLSearchParams(text))
    if (headers["content-type"]?.startsWith("application/x-www-form-urlencoded") !== true) return answering(415)
    this.messages.push(message)
    return answering(201, { sid: "SM1", status: "queued", to: message["To"] })
  }
}

/** A stand-in on the loopback, until the scope closes. */
export const listen = () => listenTo(new TwilioStandIn())
