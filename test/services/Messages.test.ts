import { assert, describe, layer } from "@effect/vitest"
import { Effect, Exit, Stream } from "effect"
import type { ConversationsQuery } from "../../src/domain/Conversation.ts"
import { CustomerId, type OrgId } from "../../src/domain/Ids.ts"
import type { MessagePush, MessagesQuery, NewMessage } from "../../src/domain/Message.ts"
import { Conversations } from "../../src/services/Conversations.ts"
import { CustomerSql } from "../../src/services/Database.ts"
import { Files } from "../../src/services/Files.ts"
import { FileUploads } from "../../src/services/FileUploads.ts"
import { Messages } from "../../src/services/Messages.ts"
import { MessageSending } from "../../src/services/MessageSending.ts"
import { as, asPlatform, type Customer, erase, fingerprint, people } from "../support/People.ts"
import { randomFrom } from "../support/Random.ts"
import { guards } from "../support/TestServices.ts"
import * as TestServices from "../support/TestServices.ts"

const charles = { kind: "staff", id: "charles", name: "Charles" } as const

const sending = (customer: Customer, message: Partial<NewMessage> = {}) =>
  MessageSending.use(({ send }) => send({ text: "Hello", ...message })).pipe(as(customer))
const send = (customer: Customer, message: Partial<NewMessage> = {}) =>
  Effect.map(sending(customer, message), (outcome) => outcome.message)
const push = (customer: Customer, message: Partial<MessagePush> = {}) =>
  MessageSending.use(({ push }) =>
    push({ customerId: customer.customerId, from: charles, text: "Good morning", ...message })
  ).pipe(asPlatform(customer.orgId))
const list = (customer: Customer, query: MessagesQuery = {}) =>
  Messages.use((messages) => messages.list(query)).pipe(as(customer))
const sequencesOf = (customer: Customer, query: MessagesQuery) =>
  Effect.map(list(customer, query), ({ data }) => data.map(({ sequence }) => sequence))
const get = (customer: Customer, id: string) => Messages.use((messages) => messages.get(id)).pipe(as(customer))
const mark = (customer: Customer, id: string, status: "read" | "archived" | "unread") =>
  Messages.use((messages) => messages.mark(id, status)).pipe(as(customer))
const receive = (orgId: OrgId, id: string, status: "delivered" | "read") =>
  Messages.use((messages) => messages.receive(id, status)).pipe(asPlatform(orgId))
const conversations = (customer: Customer, query: ConversationsQuery = {}) =>
  Conversations.use((all) => all.list(query)).pipe(as(customer))
const conversation = (customer: Customer) => Effect.map(conversations(customer), ({ data }) => data[0]!)
const close = (orgId: OrgId, id: string) =>
  Conversations.use(({ change }) => change(id, { status: "closed" })).pipe(asPlatform(orgId))
const store = (customer: Customer, ...names: ReadonlyArray<string>) =>
  FileUploads.use((uploads) =>
    Effect.flatMap(
      Effect.forEach(names, (name) => uploads.receive(name, Stream.make(new TextEncoder().encode(`This is ${name}.`)))),
      (files) => uploads.keep(files, "")
    )
  ).pipe(as(customer))

/** What the list itself says is unread. */
const unreadIn = (customer: Customer, conversationId: string) =>
  Effect.map(
    list(customer, { conversationId, ps: 200 }),
    ({ data }) => data.filter(({ from, readAt }) => from.kind !== "customer" && readAt === null).length
  )

const all = <A, E, R>(effects: ReadonlyArray<Effect.Effect<A, E, R>>) =>
  Effect.all(effects, { concurrency: "unbounded" })
const sequenceOf = <E, R>(written: Effect.Effect<{ readonly sequence: number }, E, R>) =>
  Effect.orDie(Effect.map(written, ({ sequence }) => sequence))
const justMark = (...marking: Parameters<typeof mark>): Effect.Effect<number, never, Messages | MessageSending> =>
  sequenceOf(mark(...marking))
const upTo = (last: number) => Array.from({ length: last }, (_, n) => n + 1)

layer(TestServices.layer, { excludeTestServices: true })((it) => {
  describe("A first message", () => {
    it.effect("opens a conversation with the staff, of one message", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        const { message, sent } = yield* sending(ada, { subject: "My order", clientMessageId: "c-1" })
        const { data, total } = yield* conversations(ada)

        const { conversationId, createdAt, id, ...rest } = message
        assert.isTrue(sent)
        assert.deepStrictEqual(rest, {
          sequence: 1,
          from: { kind: "customer", name: "Ada" },
          text: "Hello",
          attachments: [],
          clientMessageId: "c-1",
          status: "sent",
          readAt: null
        })
        assert.deepStrictEqual(
          [total, data],
          [
            1,
            [
              {
                id: conversationId,
                subject: "My order",
                status: "open",
                parties: [
                  { kind: "customer", id: "ada", name: "Ada" },
                  { kind: "staff", id: null, name: null }
                ],
                lastMessage: message,
                unreadCount: 0,
                updatedAt: createdAt
              }
            ]
          ]
        )
        assert.deepStrictEqual(yield* get(ada, id), message)
      })
    )

    it.effect("may be to an expert, whose place is taken by whoever of them answers", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const named = yield* send(ada, { to: { kind: "expert", id: "babbage" } })
        const any = yield* send(ada, { to: { kind: "expert" } })
        const partiesIn = (id: string) =>
          Effect.map(conversations(ada), ({ data }) =>
            data.find((conversation) => conversation.id === id)!.parties.slice(1)
          )
        assert.deepStrictEqual(yield* partiesIn(named.conversationId), [{ kind: "expert", id: "babbage", name: null }])

        const babbage = { kind: "expert", id: "babbage", name: "Mr Babbage" } as const
        for (const { conversationId } of [named, any]) {
          yield* push(ada, { conversationId, from: babbage })
          yield* push(ada, { conversationId, from: charles })
          yield* push(ada, { conversationId, from: { ...babbage, name: "Charles Babbage" } })
        }

        const expected = [{ ...babbage, name: "Charles Babbage" }, charles]
        assert.deepStrictEqual(
          [yield* partiesIn(named.conversationId), yield* partiesIn(any.conversationId)],
          [expected, expected]
        )
      })
    )

    it.effect("may come from the staff, and is unread", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        const { customerId, ...pushed } = yield* push(ada, { subject: "Your order" })
        const { lastMessage, parties, subject, unreadCount } = yield* conversation(ada)

        assert.strictEqual(customerId, ada.customerId)
        assert.deepStrictEqual(pushed.from, { kind: "staff", name: "Charles" })
        assert.deepStrictEqual([pushed.status, pushed.readAt, pushed.clientMessageId], ["delivered", null, null])
        assert.deepStrictEqual([lastMessage, subject, unreadCount], [pushed, "Your order", 1])
        assert.deepStrictEqual(parties.slice(1), [charles])
      })
    )

    it.effect("is not taken for a customer who does not exist, is erased or is of another org", () =>
      Effect.gen(function* () {
        const { ada, eve, mallory } = yield* people
        const { conversationId } = yield* send(eve)
        yield* erase(eve)
        const before = yield* fingerprint

        const refused = yield* Effect.forEach(["nobody", eve.customerId, mallory.customerId], (id) =>
          Effect.flip(push(ada, { customerId: CustomerId.make(id) }))
        )
        const late = yield* Effect.flip(push(eve, { conversationId }))

        assert.deepStrictEqual([...new Set([...refused, late].map(({ code }) => code))], ["customer_not_found"])
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )
  })

  describe("A message", () => {
    it.effect("takes files of the customer's own, which then cannot be deleted", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        yield* store(ada, "a.txt", "b.txt")

        const message = yield* send(ada, { attachments: ["b.txt", "a.txt"] })
        const { lastMessage } = yield* conversation(ada)
        const error = yield* Effect.flip(Files.use((files) => files.remove("a.txt")).pipe(as(ada)))

        for (const { attachments } of [message, lastMessage, yield* get(ada, message.id)]) {
          assert.deepStrictEqual(
            attachments.map(({ url, ...file }) => [file, /^https?:/.test(url)]),
            ["b.txt", "a.txt"].map((name) => [{ path: name, name, size: 14, contentType: "text/plain" }, true])
          )
        }
        assert.deepStrictEqual(error.code, "action_not_allowed")
      })
    )

    it.effect("into a closed conversation opens it again, whoever writes", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        const { conversationId } = yield* send(ada)

        const closed = yield* close(acme, conversationId)
        const seen = yield* conversation(ada)
        yield* send(ada, { conversationId })
        const byAda = yield* conversation(ada)
        yield* close(acme, conversationId)
        yield* push(ada, { conversationId })
        const byStaff = yield* conversation(ada)

        assert.deepStrictEqual(
          [closed, seen, byAda, byStaff].map(({ status }) => status),
          ["closed", "closed", "open", "open"]
        )
        assert.deepStrictEqual([closed.customerId, byStaff.lastMessage.sequence], [ada.customerId, 3])
      })
    )

    it.effect("with a clientMessageId is written once, whatever it says later and wherever", () =>
      Effect.gen(function* () {
        const { ada, eve, namesake } = yield* people
        const first = yield* sending(ada, { clientMessageId: "c-1" })
        const before = yield* fingerprint

        const again = yield* sending(ada, { clientMessageId: "c-1", text: "Something else" })
        const elsewhere = yield* sending(ada, { clientMessageId: "c-1", conversationId: "none" })
        assert.deepStrictEqual(yield* fingerprint, before)
        const others = yield* Effect.forEach([eve, namesake], (other) => sending(other, { clientMessageId: "c-1" }))

        assert.deepStrictEqual(
          [again, elsewhere],
          [
            { ...first, sent: false },
            { ...first, sent: false }
          ]
        )
        assert.deepStrictEqual(
          others.map(({ sent }) => sent),
          [true, true]
        )
      })
    )

    it.effect("with a clientMessageId is written once by fifty at a time, into a new conversation or an old one", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        const opening = yield* all(upTo(50).map(() => sending(ada, { clientMessageId: "open" })))
        const { conversationId } = opening[0]!.message
        const inside = yield* all(upTo(50).map(() => sending(ada, { clientMessageId: "in", conversationId })))
        const between = yield* send(ada, { conversationId })
        const either = yield* all(
          upTo(50).map((n) => sending(ada, { clientMessageId: "either", ...(n % 2 === 0 && { conversationId }) }))
        )

        for (const outcomes of [opening, inside, either]) {
          assert.strictEqual(outcomes.filter(({ sent }) => sent).length, 1)
          assert.strictEqual(new Set(outcomes.map(({ message }) => message.id)).size, 1)
        }
        assert.strictEqual(between.sequence, 3)
        const inEither = either[0]!.message.conversationId
        assert.strictEqual((yield* conversations(ada)).total, inEither === conversationId ? 1 : 2)
      })
    )

    it.effect("with somebody else's file, or none, is not written, and opens nothing", () =>
      Effect.gen(function* () {
        const { ada, eve, namesake } = yield* people
        yield* store(eve, "eves.txt")
        yield* store(namesake, "theirs.txt")
        const { conversationId } = yield* send(ada)
        const before = yield* fingerprint

        const refused = yield* Effect.forEach(["eves.txt", "theirs.txt", "missing.txt"], (path) =>
          Effect.all([
            Effect.flip(send(ada, { attachments: [path] })),
            Effect.flip(send(ada, { attachments: [path], conversationId, clientMessageId: "c-1" }))
          ])
        )

        assert.deepStrictEqual([...new Set(refused.flat().map(({ code }) => code))], ["file_not_found"])
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )
  })

  describe("Sequences", () => {
    it.effect("have no hole when fifty write at once, and later messages have no earlier time", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { conversationId } = yield* send(ada)

        const written = yield* all(
          upTo(50).map((n) =>
            n % 2 === 0 ? sequenceOf(send(ada, { conversationId })) : sequenceOf(push(ada, { conversationId }))
          )
        )
        const { data } = yield* list(ada, { conversationId, st: "asc", ps: 200 })

        assert.deepStrictEqual(
          written.sort((a, b) => a - b),
          upTo(51).slice(1)
        )
        assert.deepStrictEqual(
          data.map(({ sequence }) => sequence),
          upTo(51)
        )
        const times = data.map(({ createdAt }) => createdAt.getTime())
        assert.deepStrictEqual(
          times,
          [...times].sort((a, b) => a - b)
        )
        const { lastMessage, updatedAt } = yield* conversation(ada)
        assert.deepStrictEqual([lastMessage.sequence, updatedAt.getTime()], [51, times.at(-1)])
      })
    )

    it.effect("have no hole where a message failed or was there already", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { conversationId } = yield* send(ada, { clientMessageId: "c-1" })

        yield* all(
          upTo(40).map((n) =>
            Effect.ignore(
              n % 4 === 0
                ? send(ada, { conversationId, attachments: ["missing.txt"] })
                : send(ada, { conversationId, clientMessageId: `c-${n % 8}` })
            )
          )
        )

        const sequences = yield* sequencesOf(ada, { conversationId, st: "asc" })
        assert.deepStrictEqual(sequences, upTo(6))
      })
    )

    it.effect("bound a list from before or after, the nearest first", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { conversationId } = yield* send(ada)
        for (const _ of upTo(6)) yield* push(ada, { conversationId })
        const at = (query: MessagesQuery) => sequencesOf(ada, { conversationId, ...query })

        assert.deepStrictEqual(yield* at({}), [7, 6, 5, 4, 3, 2, 1])
        assert.deepStrictEqual(yield* at({ before: 5, ps: 2 }), [4, 3])
        assert.deepStrictEqual(yield* at({ after: 3, ps: 2 }), [4, 5])
        assert.deepStrictEqual(yield* at({ after: 0, ps: 200 }), upTo(7))
        assert.deepStrictEqual(yield* at({ after: 3, st: "desc" }), [7, 6, 5, 4])
        assert.deepStrictEqual(yield* at({ after: 2, before: 5 }), [4, 3])
        assert.deepStrictEqual([yield* at({ after: 7 }), yield* at({ before: 1 })], [[], []])
        assert.deepStrictEqual(yield* at({ p: 2, ps: 3 }), [4, 3, 2])

        const first = yield* list(ada, { conversationId, after: 1, ps: 4 })
        const rest = yield* list(ada, { conversationId, after: 1, ps: 4, cursor: first.nextCursor! })
        assert.deepStrictEqual(
          [first.total, ...[...first.data, ...rest.data].map(({ sequence }) => sequence)],
          [6, ...upTo(7).slice(1)]
        )
      })
    )
  })

  describe("Lists", () => {
    it.effect("of conversations have that of the newest message first, which closing one does not change", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        const pause = Effect.sleep("3 millis")
        const first = yield* send(ada, { subject: "b" })
        yield* pause
        const second = yield* send(ada, { subject: "a" })
        yield* pause
        yield* push(ada, { conversationId: first.conversationId })
        yield* pause
        yield* close(acme, second.conversationId)
        const ids = (query: ConversationsQuery = {}) =>
          Effect.map(conversations(ada, query), ({ data }) => data.map(({ id }) => id))

        const [one, two] = [first.conversationId, second.conversationId]
        assert.deepStrictEqual(yield* ids(), [one, two])
        assert.deepStrictEqual(yield* ids({ s: "lastMessageAt", st: "asc" }), [two, one])
        assert.deepStrictEqual(yield* ids({ s: "subject", st: "asc" }), [two, one])
        assert.deepStrictEqual(yield* ids({ s: "status" }), [one, two])
        assert.deepStrictEqual(yield* ids({ s: "updatedAt" }), [two, one])
        assert.deepStrictEqual(yield* ids({ s: "id", st: "asc" }), [one, two])
        const page = yield* conversations(ada, { ps: 1 })
        const next = yield* conversations(ada, { ps: 1, cursor: page.nextCursor! })
        assert.deepStrictEqual(
          [...page.data, ...next.data].map(({ id }) => id),
          [one, two]
        )
      })
    )

    it.effect("of messages hold those of all conversations, or of one", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const first = yield* send(ada)
        yield* Effect.sleep("3 millis")
        const second = yield* send(ada)

        const whole = yield* list(ada)
        const one = yield* list(ada, { conversationId: first.conversationId })

        assert.deepStrictEqual([whole.data, one.data], [[second, first], [first]])
      })
    )

    it.effect("of the staff hold those of all customers of the org, or of one", () =>
      Effect.gen(function* () {
        const { acme, ada, eve, mallory, other } = yield* people
        const adas = yield* send(ada)
        const eves = yield* send(eve)
        yield* send(mallory)
        const threads = (query: { readonly customerId?: CustomerId }) =>
          Conversations.use((all) => all.listAll(query)).pipe(asPlatform(acme))
        const letters = (query: { readonly customerId?: CustomerId; readonly conversationId?: string }) =>
          Messages.use((messages) => messages.listAll(query)).pipe(asPlatform(acme))

        const of = (rows: ReadonlyArray<{ readonly id: string; readonly customerId: string }>) =>
          rows.map(({ customerId, id }) => `${customerId} ${id}`)
        const thread = ({ conversationId }: typeof adas, who: string) => `${who} ${conversationId}`

        assert.sameMembers(of((yield* threads({})).data), [thread(adas, "ada"), thread(eves, "eve")])
        assert.deepStrictEqual(of((yield* threads({ customerId: eve.customerId })).data), [thread(eves, "eve")])
        assert.deepStrictEqual((yield* threads({ customerId: mallory.customerId })).data, [])
        assert.sameMembers(of((yield* letters({})).data), [`ada ${adas.id}`, `eve ${eves.id}`])
        assert.deepStrictEqual(of((yield* letters({ customerId: eve.customerId })).data), [`eve ${eves.id}`])
        assert.deepStrictEqual(of((yield* letters({ conversationId: adas.conversationId })).data), [`ada ${adas.id}`])
        const mixed = { conversationId: adas.conversationId, customerId: eve.customerId }
        assert.strictEqual((yield* Effect.flip(letters(mixed))).code, "conversation_not_found")
        const foreign = Messages.use((messages) => messages.listAll({ conversationId: adas.conversationId }))
        assert.strictEqual((yield* Effect.flip(foreign.pipe(asPlatform(other)))).code, "conversation_not_found")
      })
    )
  })

  describe("The status of a message", () => {
    it.effect("to the customer is read, archived and unread as the customer says, and repeats change nothing", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { customerId: _, ...pushed } = yield* push(ada)
        const { id } = pushed

        const read = yield* mark(ada, id, "read")
        const again = yield* mark(ada, id, "read")
        const archived = yield* mark(ada, id, "archived")
        const unread = yield* mark(ada, id, "unread")
        const unreadAgain = yield* mark(ada, id, "unread")
        const straight = yield* mark(ada, id, "archived")

        assert.instanceOf(read.readAt, Date)
        assert.deepStrictEqual(read, { ...pushed, status: "read", readAt: read.readAt })
        assert.deepStrictEqual([again, archived], [read, { ...read, status: "archived" }])
        assert.deepStrictEqual([unread, unreadAgain], [pushed, pushed])
        assert.deepStrictEqual([straight.status, straight.readAt === null], ["archived", false])
        assert.deepStrictEqual(yield* get(ada, id), straight)
      })
    )

    it.effect("from the customer is not the customer's to change", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { id } = yield* send(ada)
        const before = yield* fingerprint

        const refused = yield* Effect.forEach(["read", "archived", "unread"] as const, (status) =>
          Effect.flip(mark(ada, id, status))
        )

        assert.deepStrictEqual(
          refused.map(({ code, status }) => [code, status]),
          Array.from({ length: 3 }, () => ["action_not_allowed", 409])
        )
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )

    it.effect("from the customer is delivered and read as the staff say, and read once they answer", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        const first = yield* send(ada)
        const { conversationId } = first
        const elsewhere = yield* send(ada)

        const delivered = yield* receive(acme, first.id, "delivered")
        const read = yield* receive(acme, first.id, "read")
        const late = yield* receive(acme, first.id, "delivered")
        const second = yield* send(ada, { conversationId })
        const answer = yield* push(ada, { conversationId })
        const refused = yield* Effect.flip(receive(acme, answer.id, "read"))
        const missing = yield* Effect.flip(receive(acme, "none", "read"))

        assert.deepStrictEqual([delivered.status, delivered.readAt, read.status], ["delivered", null, "read"])
        assert.deepStrictEqual(late, read)
        assert.deepInclude(yield* get(ada, second.id), { status: "read", readAt: answer.createdAt })
        assert.deepInclude(yield* get(ada, first.id), { status: "read", readAt: read.readAt })
        assert.strictEqual((yield* get(ada, elsewhere.id)).status, "sent")
        assert.deepStrictEqual([refused.code, missing.code], ["action_not_allowed", "message_not_found"])
      })
    )

    it.effect("counts: however many flip at once, unreadCount is what the list says", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { conversationId } = yield* push(ada)
        for (const _ of upTo(9)) yield* push(ada, { conversationId })
        const { data } = yield* list(ada, { conversationId })
        const random = randomFrom(20261123)
        const words = ["read", "archived", "unread"] as const

        for (const _ of upTo(3)) {
          yield* all([
            ...upTo(60).map(() => justMark(ada, data[random(data.length)]!.id, words[random(3)]!)),
            ...upTo(5).map(() => sequenceOf(push(ada, { conversationId }))),
            ...upTo(5).map(() => sequenceOf(send(ada, { conversationId })))
          ])
          assert.strictEqual((yield* conversation(ada)).unreadCount, yield* unreadIn(ada, conversationId))
        }

        const every = yield* list(ada, { conversationId, ps: 200 })
        yield* all(every.data.filter(({ from }) => from.kind === "staff").map(({ id }) => mark(ada, id, "read")))
        assert.strictEqual((yield* conversation(ada)).unreadCount, 0)
      })
    )

    it.effect("and author cannot be forged by a customer's own statements", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { conversationId, id } = yield* send(ada)
        const forge = (kind: string) =>
          CustomerSql.use(
            (sql) => sql`
              INSERT INTO messages
                (org_id, id, customer_id, conversation_id, sequence, from_kind, from_id, text, status, created_at)
              VALUES (${ada.orgId}, ${kind}, ${ada.customerId}, ${conversationId}, 2, ${kind}, 'x', 'You win', 'sent', now())`
          ).pipe(as(ada), Effect.exit)
        const readOwn = CustomerSql.use(
          (sql) => sql`
            UPDATE messages SET status = 'read', read_at = now()
            WHERE org_id = ${ada.orgId} AND customer_id = ${ada.customerId} AND id = ${id} RETURNING id`
        ).pipe(as(ada))

        assert.deepStrictEqual([Exit.isSuccess(yield* forge("staff")), yield* readOwn], [false, []])
        assert.isTrue(Exit.isSuccess(yield* forge("customer")))
      })
    )
  })

  for (const [guard, set] of guards) {
    it.effect(`A stranger, kept out by ${guard}, finds nothing of a conversation and gets nothing into it`, () =>
      Effect.gen(function* () {
        const { acme, ada, eve, grace, mallory, namesake, other } = yield* people
        yield* store(ada, "secret.txt")
        const own = yield* send(ada, { attachments: ["secret.txt"] })
        const { conversationId } = own
        const toAda = yield* push(ada, { conversationId })
        yield* set
        const before = yield* fingerprint
        const noConversation = yield* Effect.flip(list(eve, { conversationId: "none" }))
        const noMessage = yield* Effect.flip(get(eve, "none"))

        for (const stranger of [eve, grace, mallory, namesake]) {
          const tried = yield* Effect.all([
            Effect.flip(list(stranger, { conversationId })),
            Effect.flip(list(stranger, { conversationId, after: 0 })),
            Effect.flip(send(stranger, { conversationId })),
            Effect.flip(push(stranger, { conversationId })),
            Effect.flip(push({ ...stranger, orgId: acme, customerId: eve.customerId }, { conversationId }))
          ])
          for (const error of tried) assert.deepStrictEqual(error, noConversation)
          for (const { id } of [own, toAda]) {
            for (const refused of [get(stranger, id), mark(stranger, id, "read"), mark(stranger, id, "unread")]) {
              assert.deepStrictEqual(yield* Effect.flip(refused), noMessage)
            }
          }
          assert.deepStrictEqual([(yield* list(stranger)).total, (yield* conversations(stranger)).total], [0, 0])
          const attached = yield* Effect.flip(send(stranger, { attachments: ["secret.txt"] }))
          assert.strictEqual(attached.code, "file_not_found")
        }
        for (const { id } of [own, toAda]) {
          assert.deepStrictEqual(yield* Effect.flip(receive(other, id, "read")), noMessage)
          const found = Messages.use(({ find }) => find(id)).pipe(asPlatform(other))
          assert.deepStrictEqual(yield* Effect.flip(found), noMessage)
        }
        assert.deepStrictEqual(yield* Effect.flip(close(other, conversationId)), noConversation)
        assert.deepStrictEqual(yield* fingerprint, before)
        assert.deepStrictEqual(
          [noConversation.code, noConversation.status, noMessage.code, noMessage.status],
          ["conversation_not_found", 404, "message_not_found", 404]
        )
      }).pipe(Effect.scoped)
    )
  }
})
