import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { CustomerNotFound } from "../../domain/Customer.ts"
import { Order, OrderId, OrderNotFound, OrdersPage, OrdersQuery } from "../../domain/Order.ts"
import { OrderPush } from "../../domain/OrderPush.ts"
import { Text } from "../../domain/Text.ts"
import { VersionMismatch } from "../../domain/Version.ts"
import { changeHeaders, recordOf } from "../Records.ts"
import { FollowsAccount } from "../Remembered.ts"

export class OrdersApi extends HttpApiGroup.make("orders")
  .add(
    HttpApiEndpoint.get("list", "/", { query: OrdersQuery, success: OrdersPage })
      .annotate(OpenApi.Summary, "List the orders")
      .annotate(FollowsAccount, true),
    HttpApiEndpoint.get("get", "/:orderId", {
      params: { orderId: Text(1, 128, "The order's id or number") },
      success: recordOf(Order),
      error: OrderNotFound
    }).annotate(OpenApi.Summary, "Read an order")
  )
  .prefix("/orders")
  .annotateMerge(OpenApi.annotations({ title: "Orders", description: "What the customer has bought." })) {}

export class PlatformOrdersApi extends HttpApiGroup.make("platformOrders")
  .add(
    HttpApiEndpoint.put("push", "/:orderId", {
      params: { orderId: OrderId },
      headers: changeHeaders,
      payload: OrderPush,
      success: recordOf(Order),
      error: [CustomerNotFound, VersionMismatch]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Push an order",
        description:
          "Makes the order, or replaces the one that is there. What the body leaves out is empty, but for `subtotal`, which follows from the rest, and `placedAt`, which stays."
      })
    )
  )
  .prefix("/orders")
  .annotateMerge(OpenApi.annotations({ title: "Platform: orders", description: "How orders get in." })) {}
