import { assert, describe, layer } from "@effect/vitest"
import { Effect, Exit, Stream } from "effect"
import { CustomerId } from "../../src/domain/Ids.ts"
import { OrderId } from "../../src/domain/Order.ts"
import {
  actionsIn,
  type NewTicket,
  type PlatformTicketsQuery,
  type TicketAnswer,
  type TicketChanges,
  TicketAction,
  type TicketsQuery,
  TicketStatus
} from "../../src/domain/Ticket.ts"
import type { OrgId } from "../../src/domain/Ids.ts"
import { CustomerSql } from "../../src/services/Database.ts"
import { Files } from "../../src/services/Files.ts"
import { FileUploads } from "../../src/services/FileUploads.ts"
import { TicketAnswers } from "../../src/services/TicketAnswers.ts"
import { Tickets } from "../../src/services/Tickets.ts"
import {
  as,
  asPlatform,
  type Customer,
  fingerprint,
  makeCustomer,
  makeOrg,
  people,
  placeOrder
} from "../support/People.ts"
import { guards } from "../support/TestServices.ts"
import * as TestServices from "../support/TestServices.ts"

const open = (customer: Customer, more: Partial<NewTicket> = {}) =>
  Tickets.use((tickets) => tickets.open({ title: "Stuck keys", description: "The 7 and the 8.", ...more })).pipe(
    as(customer)
  )
const get = (customer: Customer, numberOrId: string) =>
  Tickets.use((tickets) => tickets.get(numberOrId)).pipe(as(customer))
const list = (customer: Customer, query: TicketsQuery = {}) =>
  Tickets.use((tickets) => tickets.list(query)).pipe(as(customer))
const numbersOf = (customer: Customer, query: TicketsQuery = {}) =>
  Effect.map(list(customer, query), ({ data }) => data.map(({ number }) => number))
const change = (
  customer: Customer,
  ticketNumber: string,
  changes: Omit<TicketChanges, "ticketNumber">,
  ifMatch?: ReadonlyArray<number> | null
) => Tickets.use((tickets) => tickets.change({ ticketNumber, ...changes }, ifMatch)).pipe(as(customer))
const answer = (orgId: OrgId, numberOrId: string, answer: TicketAnswer, ifMatch?: ReadonlyArray<number> | null) =>
  TicketAnswers.use((tickets) => tickets.answer(numberOrId, answer, ifMatch)).pipe(asPlatform(orgId))
const listAll = (orgId: OrgId, query: PlatformTicketsQuery = {}) =>
  TicketAnswers.use((tickets) => tickets.list(query)).pipe(asPlatform(orgId))

const received = (...names: ReadonlyArray<string>) =>
  FileUploads.use((uploads) =>
    Effect.forEach(names, (name) => uploads.receive(name, Stream.make(new TextEncoder().encode(`This is ${name}.`))))
  )
/** Stores text files of the customer's. */
const store = (customer: Customer, ...names: ReadonlyArray<string>) =>
  FileUploads.use((uploads) => Effect.flatMap(received(...names), (files) => uploads.keep(files, ""))).pipe(
    as(customer)
  )

const all = <A, E, R>(effects: ReadonlyArray<Effect.Effect<A, E, R>>) =>
  Effect.all(effects, { concurrency: "unbounded" })

layer(TestServices.layer, { excludeTestServices: true })((it) => {
  describe("A new ticket", () => {
    it.effect("has a number, is new, of medium priority, and can be read by number and by id", () =>
      Effect.gen(function* () {
        const { ada } = yield* people

        const ticket = yield* open(ada)

        const { createdAt, id, updatedAt, ...rest } = ticket
        assert.deepStrictEqual(rest, {
          number: "1001",
          title: "Stuck keys",
          description: "The 7 and the 8.",
          status: "new",
          priority: "medium",
          orderId: null,
          attachments: [],
          comments: [],
          availableActions: ["edit", "comment", "cancel"],
          version: 1
        })
        assert.deepStrictEqual(updatedAt, createdAt)
        assert.deepStrictEqual([yield* get(ada, "1001"), yield* get(ada, id)], [ticket, ticket])
      })
    )

    it.effect("may be about an order of the customer's own, and of nobody else's", () =>
      Effect.gen(function* () {
        const { ada, eve, namesake } = yield* people
        const order = yield* placeOrder(ada)
        const foreign = yield* Effect.forEach([eve, namesake], (customer) => placeOrder(customer))

        const ticket = yield* open(ada, { orderId: order.id, priority: "urgent" })
        const before = yield* fingerprint
        const refused = yield* Effect.forEach(
          [...foreign.map(({ id }) => id), OrderId.make("never-placed")],
          (orderId) => Effect.flip(open(ada, { orderId }))
        )

        assert.deepStrictEqual([ticket.orderId, ticket.priority], [order.id, "urgent"])
        assert.deepStrictEqual([...new Set(refused.map((error) => error.code))], ["order_not_found"])
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )

    it.effect("takes files of the customer's own, in their order, each with a link to it", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        yield* store(ada, "a.txt", "b.txt")

        const { attachments, number } = yield* open(ada, { attachments: ["b.txt", "a.txt"] })
        const { data } = yield* list(ada)

        assert.deepStrictEqual(
          attachments.map(({ url, ...file }) => [file, /^https?:/.test(url)]),
          ["b.txt", "a.txt"].map((name) => [{ path: name, name, size: 14, contentType: "text/plain" }, true])
        )
        assert.deepStrictEqual(
          data.map((ticket) => [ticket.number, ticket.attachments.map(({ path }) => path), "comments" in ticket]),
          [[number, ["b.txt", "a.txt"], false]]
        )
      })
    )

    it.effect("keeps its files from being deleted", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        yield* store(ada, "a.txt", "b.txt", "c.txt")
        const { number } = yield* open(ada, { attachments: ["a.txt"] })
        yield* change(ada, number, { comment: { text: "And this.", attachments: ["b.txt"] } })

        const tried = yield* Effect.forEach(["a.txt", "b.txt", "c.txt"], (path) =>
          Effect.exit(Files.use((files) => files.remove(path)).pipe(as(ada)))
        )

        assert.deepStrictEqual(tried.map(Exit.isSuccess), [false, false, true])
        const error = yield* Effect.flip(Files.use((files) => files.remove("a.txt")).pipe(as(ada)))
        assert.deepStrictEqual([error.code, error.status], ["action_not_allowed", 409])
      })
    )

    it.effect("is not made with a file of somebody else, or none at all, whose owner keeps it", () =>
      Effect.gen(function* () {
        const { ada, eve, namesake } = yield* people
        yield* store(eve, "eves.txt")
        yield* store(namesake, "theirs.txt")
        yield* store(ada, "own.txt")
        const { number } = yield* open(ada)
        const before = yield* fingerprint

        const refused = yield* Effect.forEach(["eves.txt", "theirs.txt", "missing.txt", "../eve/eves.txt"], (path) =>
          Effect.all([
            Effect.flip(open(ada, { attachments: ["own.txt", path] })),
            Effect.flip(change(ada, number, { title: "Changed", comment: { text: "See", attachments: [path] } }))
          ])
        )

        assert.deepStrictEqual([...new Set(refused.flat().map((error) => error.code))], ["file_not_found"])
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )

    it.effect("with files that came along has all of them, and they are the customer's from then on", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        yield* store(ada, "own.txt")

        const { attachments } = yield* Effect.flatMap(received("one.txt", "two.txt"), (files) =>
          Tickets.use((tickets) =>
            tickets.openWith({ title: "Broken", description: "See there.", attachments: ["own.txt"] }, files)
          )
        ).pipe(as(ada))
        const { data } = yield* Files.use((files) => files.list({ st: "asc", s: "path" })).pipe(as(ada))

        assert.deepStrictEqual(
          attachments.map(({ path }) => path),
          ["own.txt", "tickets/one.txt", "tickets/two.txt"]
        )
        assert.deepStrictEqual(
          data.map(({ path }) => path),
          ["own.txt", "tickets/one.txt", "tickets/two.txt"]
        )
      })
    )

    it.effect("with files that came along is all or nothing", () =>
      Effect.gen(function* () {
        const { ada, eve } = yield* people
        const foreign = yield* placeOrder(eve)
        yield* open(ada)
        const files = yield* received("one.txt").pipe(as(ada))
        const before = yield* fingerprint

        const refused = yield* Effect.forEach([{ orderId: foreign.id }, { attachments: ["missing.txt"] }], (more) =>
          Tickets.use((tickets) =>
            tickets.openWith({ title: "Broken", description: "See there.", ...more }, files)
          ).pipe(as(ada), Effect.flip)
        )

        assert.deepStrictEqual(
          refused.map(({ code }) => code),
          ["order_not_found", "file_not_found"]
        )
        assert.deepStrictEqual(yield* fingerprint, before)
      })
    )
  })

  describe("Ticket numbers", () => {
    it.effect("are unique within an org, without a gap, when 500 tickets are opened at once in three", () =>
      Effect.gen(function* () {
        const orgs = yield* Effect.forEach(["acme", "other", "third"], (name) => makeOrg(name))
        const customers = yield* Effect.forEach(orgs, (orgId) =>
          Effect.forEach(["ada", "eve"], (id) => makeCustomer(orgId, id))
        )

        const opened = yield* all(
          Array.from({ length: 500 }, (_, n) => {
            const customer = customers[n % 3]![n % 2]!
            return Effect.map(open(customer), ({ number }) => ({ orgId: customer.orgId, number }))
          })
        )

        for (const [index, count] of [167, 167, 166].entries()) {
          const numbers = opened.filter(({ orgId }) => orgId === orgs[index]).map(({ number }) => Number(number))
          assert.deepStrictEqual(
            numbers.sort((a, b) => a - b),
            Array.from({ length: count }, (_, n) => 1001 + n)
          )
        }
      })
    )

    it.effect("tell nothing of other orgs", () =>
      Effect.gen(function* () {
        const { ada, mallory } = yield* people
        for (let n = 0; n < 3; n++) yield* open(ada)

        assert.strictEqual((yield* open(mallory)).number, "1001")
      })
    )
  })

  describe("A list of tickets", () => {
    it.effect("filters by status and priority, one or several", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        for (const priority of ["low", "urgent", "high"] as const) yield* open(ada, { priority })
        yield* answer(acme, "1002", { status: "pending" })

        assert.deepStrictEqual(yield* numbersOf(ada, { status: ["pending"] }), ["1002"])
        assert.deepStrictEqual(yield* numbersOf(ada, { status: ["new", "pending"], priority: ["low", "urgent"] }), [
          "1002",
          "1001"
        ])
        assert.strictEqual((yield* list(ada, { priority: ["medium"] })).total, 0)
      })
    )

    it.effect("sorts by each of its fields, priorities by urgency, and its cursors walk all of it", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        for (const [title, priority] of [
          ["b", "high"],
          ["c", "low"],
          ["a", "urgent"],
          ["d", "medium"]
        ] as const) {
          yield* open(ada, { title, priority })
        }
        // Later than the rest by the milliseconds that instants are kept in.
        yield* Effect.sleep("3 millis")
        yield* answer(acme, "1003", { status: "blocked" })

        const sorted = yield* Effect.forEach(
          ["id", "number", "title", "status", "priority", "version", "createdAt", "updatedAt"] as const,
          (s) =>
            Effect.gen(function* () {
              const whole = yield* numbersOf(ada, { s, st: "asc" })
              const walked: Array<string> = []
              let cursor: string | null = null
              do {
                const page: Effect.Success<ReturnType<typeof list>> = yield* list(
                  ada,
                  cursor === null ? { s, st: "asc", ps: 1 } : { ps: 1, cursor }
                )
                walked.push(...page.data.map(({ number }) => number))
                cursor = page.nextCursor
              } while (cursor !== null)
              assert.deepStrictEqual(walked, whole, s)
              return whole.join()
            })
        )

        const asOpened = "1001,1002,1003,1004"
        const changedLast = "1001,1002,1004,1003"
        assert.deepStrictEqual(sorted, [
          asOpened,
          asOpened,
          "1003,1001,1002,1004",
          "1003,1001,1002,1004",
          "1002,1004,1001,1003",
          changedLast,
          asOpened,
          changedLast
        ])
        assert.deepStrictEqual(yield* numbersOf(ada), ["1004", "1003", "1002", "1001"])
      })
    )
  })

  describe("A change of a ticket", () => {
    it.effect("leaves alone what it does not name, and counts a version only when something changes", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const ticket = yield* open(ada)

        const titled = yield* change(ada, "1001", { title: "Two stuck keys" })
        const same = yield* change(ada, ticket.id, { title: "Two stuck keys" })
        const nothing = yield* change(ada, "1001", {})
        const more = yield* change(ada, "1001", { description: "And the 9.", priority: "high" })

        assert.deepStrictEqual(titled, { ...ticket, title: "Two stuck keys", version: 2, updatedAt: titled.updatedAt })
        assert.deepStrictEqual([same, nothing], [titled, titled])
        assert.deepStrictEqual(
          [more.title, more.description, more.priority, more.status, more.version],
          ["Two stuck keys", "And the 9.", "high", "new", 3]
        )
      })
    )

    it.effect("adds comments one after the other, under the customer's name of that day", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        yield* store(ada, "photo.txt")
        yield* open(ada)

        yield* all(
          Array.from({ length: 20 }, (_, n) =>
            change(ada, "1001", {
              comment: { text: `Comment ${n}`, ...(n === 7 && { attachments: ["photo.txt", "photo.txt"] }) }
            })
          )
        )
        const { comments, status, version } = yield* get(ada, "1001")

        assert.deepStrictEqual([comments.length, version, status], [20, 21, "new"])
        assert.strictEqual(new Set(comments.map(({ id }) => id)).size, 20)
        assert.sameMembers(
          comments.map(({ text }) => text),
          Array.from({ length: 20 }, (_, n) => `Comment ${n}`)
        )
        for (const { attachments, author, createdAt, text } of comments) {
          assert.deepStrictEqual(author, { kind: "customer", name: "Ada" })
          assert.instanceOf(createdAt, Date)
          assert.deepStrictEqual(
            attachments.map(({ path }) => path),
            text === "Comment 7" ? ["photo.txt"] : []
          )
        }
      })
    )

    it.effect("of an old version is refused, and of many at once with one version only one wins", () =>
      Effect.gen(function* () {
        const { ada, eve } = yield* people
        yield* open(ada)

        const tried = yield* all(
          Array.from({ length: 20 }, (_, n) => Effect.exit(change(ada, "1001", { title: `Title ${n}` }, [1])))
        )
        const late = yield* Effect.flip(change(ada, "1001", { status: "done" }, [1]))
        const any = yield* change(ada, "1001", { title: "Any" }, null)
        const foreign = yield* Effect.flip(change(eve, "1001", { title: "Any" }, [1]))

        assert.strictEqual(tried.filter(Exit.isSuccess).length, 1)
        assert.deepStrictEqual([late.code, any.version, foreign.code], ["version_mismatch", 3, "ticket_not_found"])
      })
    )

    it.effect("does what the moves allow from each status, and otherwise nothing", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        const asked: Record<TicketAction, Omit<TicketChanges, "ticketNumber">> = {
          edit: { title: "Edited" },
          comment: { comment: { text: "Said" } },
          cancel: { status: "canceled" },
          complete: { status: "done" },
          reopen: { status: "open" }
        }
        // As the contract words it, apart from the table in the code.
        const contract = (status: TicketStatus, action: TicketAction): TicketStatus | undefined => {
          const undone = status !== "done" && status !== "canceled"
          if (action === "cancel") return undone ? "canceled" : undefined
          if (action === "complete") return ["pending", "blocked", "inprogress"].includes(status) ? "done" : undefined
          if (action === "reopen") return status === "done" ? "open" : undefined
          if (status === "canceled") return undefined
          return action === "comment" && status === "done" ? "open" : status
        }
        const alone = TicketAction.literals.map((action) => [action] as const)
        const pairs = TicketAction.literals.flatMap((first) =>
          (["edit", "comment"] as const).flatMap((second) => (first === second ? [] : [[first, second] as const]))
        )

        for (const status of TicketStatus.literals) {
          for (const actions of [...alone, ...pairs]) {
            const { number } = yield* open(ada)
            const before = yield* answer(acme, number, { status })
            const outcomes = actions.map((action) => contract(status, action))
            const changes = Object.assign({}, ...actions.map((action) => asked[action]))

            const exit = yield* Effect.exit(change(ada, number, changes))
            const after = yield* get(ada, number)

            const name = `${actions.join(" and ")} of ${status}`
            if (outcomes.includes(undefined)) {
              assert.isTrue(Exit.isFailure(exit), name)
              const { customerId: _, ...same } = before
              assert.deepStrictEqual(after, same, name)
            } else {
              assert.isTrue(Exit.isSuccess(exit), name)
              const moved = outcomes.find((outcome) => outcome !== status) ?? status
              assert.deepStrictEqual([after.status, after.version], [moved, before.version + 1], name)
              assert.strictEqual(after.comments.length, actions.some((action) => action === "comment") ? 1 : 0, name)
            }
            assert.deepStrictEqual(
              before.availableActions,
              TicketAction.literals.filter((action) => contract(status, action) !== undefined)
            )
          }
        }
      })
    )

    it.effect("that is not allowed says what is", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        yield* open(ada)

        const early = yield* Effect.flip(change(ada, "1001", { status: "done" }))
        yield* change(ada, "1001", { status: "canceled" })
        const late = yield* Effect.flip(change(ada, "1001", { comment: { text: "Wait!" } }))

        assert.deepStrictEqual([early.code, early.status, late.code], ["action_not_allowed", 409, "action_not_allowed"])
        assert.strictEqual(early.detail, "The ticket is new, which allows: edit, comment, cancel.")
        assert.strictEqual(late.detail, "The ticket is canceled, which allows: nothing more.")
      })
    )

    it.effect("is made once of many at once that exclude each other", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* open(ada)
        yield* answer(acme, "1001", { status: "pending" })

        const tried = yield* all(
          Array.from({ length: 20 }, (_, n) =>
            Effect.exit(change(ada, "1001", { status: n % 2 === 0 ? "canceled" : "done" }))
          )
        )
        const { status, version } = yield* get(ada, "1001")

        assert.strictEqual(tried.filter(Exit.isSuccess).length, 1)
        assert.include(["canceled", "done"], status)
        assert.strictEqual(version, 3)
      })
    )
  })

  describe("The staff", () => {
    it.effect("answer under their name and move a ticket anywhere, which the customer sees", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        const { id } = yield* open(ada)

        const answered = yield* answer(acme, "1001", {
          status: "pending",
          priority: "high",
          reply: { text: "Have you tried the lever?", author: "Charles" }
        })
        const seen = yield* get(ada, "1001")
        const replied = yield* answer(acme, id, { reply: { text: "Twice?", author: "Charles" } })
        const back = yield* answer(acme, id, { status: "new" })

        const { customerId, ...same } = answered
        assert.deepStrictEqual([customerId, same], [ada.customerId, seen])
        assert.deepStrictEqual(
          seen.comments.map(({ author, text }) => [author, text]),
          [[{ kind: "staff", name: "Charles" }, "Have you tried the lever?"]]
        )
        assert.deepStrictEqual(
          [seen.status, seen.priority, seen.availableActions],
          ["pending", "high", actionsIn("pending")]
        )
        assert.deepStrictEqual([replied.status, replied.comments.length, back.status], ["pending", 2, "new"])
      })
    )

    it.effect("change only the version that they name", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* open(ada)
        yield* answer(acme, "1001", { status: "open" }, [1])

        const late = yield* Effect.flip(answer(acme, "1001", { status: "done" }, [1]))
        const missing = yield* Effect.flip(answer(acme, "1999", { status: "done" }, [1]))

        assert.deepStrictEqual([late.code, missing.code], ["version_mismatch", "ticket_not_found"])
      })
    )

    it.effect("see the tickets of all customers of their org, and can ask for one customer's", () =>
      Effect.gen(function* () {
        const { acme, ada, eve, mallory } = yield* people
        yield* open(ada, { priority: "low" })
        yield* open(eve)
        yield* open(mallory)
        yield* answer(acme, "1002", { status: "blocked" })

        const whole = yield* listAll(acme)
        const adas = yield* listAll(acme, { customerId: ada.customerId })
        const blocked = yield* listAll(acme, { status: ["blocked"], priority: ["medium", "low"] })
        const theirs = yield* listAll(acme, { customerId: mallory.customerId })
        const paged = yield* listAll(acme, { ps: 1, count: false })

        const shown = ({ data }: typeof whole) => data.map(({ customerId, number }) => [number, customerId])
        assert.deepStrictEqual(shown(whole), [
          ["1002", eve.customerId],
          ["1001", ada.customerId]
        ])
        assert.deepStrictEqual([shown(adas), shown(blocked)], [[["1001", "ada"]], [["1002", "eve"]]])
        assert.deepStrictEqual([shown(theirs), whole.total, "total" in paged, paged.hasNext], [[], 2, false, true])
        assert.isFalse(whole.data.some((ticket) => "comments" in ticket))
        assert.strictEqual(
          (yield* TicketAnswers.use(({ find }) => find("1002")).pipe(asPlatform(acme))).customerId,
          "eve"
        )
      })
    )

    it.effect("see links to what the customer attached", () =>
      Effect.gen(function* () {
        const { acme, ada } = yield* people
        yield* store(ada, "a.txt")
        yield* open(ada, { attachments: ["a.txt"] })

        const { data } = yield* listAll(acme)
        const { attachments } = yield* TicketAnswers.use(({ find }) => find("1001")).pipe(asPlatform(acme))

        assert.deepStrictEqual(
          [...data[0]!.attachments, ...attachments].map(({ path, url }) => [path, /^https?:/.test(url)]),
          [
            ["a.txt", true],
            ["a.txt", true]
          ]
        )
      })
    )

    it.effect("are the only ones who speak for the staff", () =>
      Effect.gen(function* () {
        const { ada } = yield* people
        const { id } = yield* open(ada)
        const say = (kind: string) =>
          CustomerSql.use(
            (sql) => sql`
              INSERT INTO ticket_comments (org_id, customer_id, ticket_id, sequence, id, author_kind, text)
              VALUES (${ada.orgId}, ${ada.customerId}, ${id}, 1, ${kind}, ${kind}, 'You get your money back.')`
          ).pipe(as(ada), Effect.exit)

        assert.deepStrictEqual(
          [Exit.isSuccess(yield* say("staff")), Exit.isSuccess(yield* say("customer"))],
          [false, true]
        )
      })
    )
  })

  for (const [guard, set] of guards) {
    describe(`A stranger, kept out by ${guard},`, () => {
      it.effect("finds no ticket of somebody else's, by number or id, to read or to change", () =>
        Effect.gen(function* () {
          const { ada, eve, grace, mallory, namesake, other } = yield* people
          const ticket = yield* open(ada)
          yield* set
          const before = yield* fingerprint
          const missing = yield* Effect.flip(get(eve, "1999"))

          for (const reference of [ticket.id, ticket.number]) {
            for (const stranger of [eve, grace, mallory, namesake]) {
              assert.deepStrictEqual(yield* Effect.flip(get(stranger, reference)), missing)
              for (const changes of [
                { title: "Mine" },
                { comment: { text: "Hello" } },
                { status: "canceled" },
                {}
              ] as const) {
                assert.deepStrictEqual(yield* Effect.flip(change(stranger, reference, changes)), missing)
              }
            }
            const foreign = [answer(other, reference, { status: "done" }), answer(other, reference, {})]
            for (const tried of foreign) assert.deepStrictEqual(yield* Effect.flip(tried), missing)
            const found = TicketAnswers.use(({ find }) => find(reference)).pipe(asPlatform(other))
            assert.deepStrictEqual(yield* Effect.flip(found), missing)
          }
          const lists = yield* Effect.forEach([eve, grace, mallory, namesake], (stranger) => list(stranger))
          assert.deepStrictEqual(
            [...lists, yield* listAll(other), yield* listAll(other, { customerId: CustomerId.make("ada") })].map(
              ({ data, total }) => [data.length, total]
            ),
            Array.from({ length: 6 }, () => [0, 0])
          )
          assert.deepStrictEqual(yield* fingerprint, before)
          assert.deepStrictEqual([missing.code, missing.status], ["ticket_not_found", 404])
        }).pipe(Effect.scoped)
      )

      it.effect("cannot bring somebody else's order or file into a ticket", () =>
        Effect.gen(function* () {
          const { ada, eve, mallory, namesake } = yield* people
          const order = yield* placeOrder(ada)
          yield* store(ada, "secret.txt")
          for (const stranger of [eve, mallory, namesake]) yield* open(stranger)
          yield* set
          const before = yield* fingerprint

          for (const stranger of [eve, mallory, namesake]) {
            const { number } = (yield* list(stranger)).data[0]!
            const tried = yield* Effect.all([
              Effect.flip(open(stranger, { orderId: order.id })),
              Effect.flip(open(stranger, { attachments: ["secret.txt"] })),
              Effect.flip(change(stranger, number, { comment: { text: "See", attachments: ["secret.txt"] } }))
            ])
            assert.deepStrictEqual(
              tried.map(({ code }) => code),
              ["order_not_found", "file_not_found", "file_not_found"]
            )
          }
          assert.deepStrictEqual(yield* fingerprint, before)
          assert.strictEqual(
            (yield* open(ada, { attachments: ["secret.txt"], orderId: order.id })).attachments.length,
            1
          )
        }).pipe(Effect.scoped)
      )
    })
  }
})
