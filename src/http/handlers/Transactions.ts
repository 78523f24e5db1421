import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Transactions } from "../../services/Transactions.ts"
import { Wallet } from "../../services/Wallet.ts"
import { Api } from "../Api.ts"
import { Created } from "../Records.ts"

export const TransactionsHandlers = HttpApiBuilder.group(
  Api,
  "transactions",
  Effect.fn(function* (handlers) {
    const transactions = yield* Transactions

    return handlers.handleAll({ list: ({ query }) => transactions.list(query) })
  })
)

export const PlatformTransactionsHandlers = HttpApiBuilder.group(
  Api,
  "platformTransactions",
  Effect.fn(function* (handlers) {
    const transactions = yield* Transactions
    const wallet = yield* Wallet

    return handlers.handleAll({
      push: ({ params, payload }) => transactions.push(params.transactionId, payload),
      pushWalletEntry: ({ payload }) =>
        Effect.map(wallet.push(payload), ({ added, entry }) =>
          added ? new Created(entry, `/platform/wallet-entries/${entry.id}`) : entry
        )
    })
  })
)
