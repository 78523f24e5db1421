import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { CustomerNotFound } from "../../domain/Customer.ts"
import {
  Transaction,
  TransactionId,
  TransactionPush,
  TransactionsPage,
  TransactionsQuery
} from "../../domain/Transaction.ts"
import { InsufficientFunds, WalletCurrencyMismatch, WalletEntry, WalletEntryPush } from "../../domain/Wallet.ts"
import { createdOf, writeHeaders } from "../Records.ts"
import { FollowsAccount } from "../Remembered.ts"

export class TransactionsApi extends HttpApiGroup.make("transactions")
  .add(
    HttpApiEndpoint.get("list", "/", { query: TransactionsQuery, success: TransactionsPage })
      .annotate(OpenApi.Summary, "List the transactions")
      .annotate(FollowsAccount, true)
  )
  .prefix("/transactions")
  .annotateMerge(OpenApi.annotations({ title: "Transactions", description: "What was paid and paid back." })) {}

export class PlatformTransactionsApi extends HttpApiGroup.make("platformTransactions")
  .add(
    HttpApiEndpoint.put("push", "/transactions/:transactionId", {
      params: { transactionId: TransactionId },
      headers: writeHeaders,
      payload: TransactionPush,
      success: Transaction,
      error: CustomerNotFound
    }).annotate(OpenApi.Summary, "Push a transaction"),
    HttpApiEndpoint.post("pushWalletEntry", "/wallet-entries", {
      headers: writeHeaders,
      payload: WalletEntryPush,
      success: [createdOf(WalletEntry), WalletEntry],
      error: [CustomerNotFound, InsufficientFunds, WalletCurrencyMismatch]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Push a wallet entry",
        description:
          "201 for a new entry; 200 with the entry that is there when the customer has one of this `reference`."
      })
    )
  )
  .annotateMerge(
    OpenApi.annotations({ title: "Platform: transactions", description: "How payments and wallet entries get in." })
  ) {}
