import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { CustomerNotFound } from "../../domain/Customer.ts"
import { Order, OrderId, OrderNotFound, OrderPush, OrdersPage, OrdersQuery } from "../../domain/Order.ts"
import { Text } from "../../domain/Text.ts"
import { recordOf, writeHeaders } from "../Records.ts"

export class OrdersApi extends HttpApiGroup.make("orders")
  .add(
    HttpApiEndpoint.get("list", "/", { query: OrdersQuery, success: OrdersPage }),
    HttpApiEndpoint.get("get", "/:orderId", {
      params: { orderId: Text(1, 128).annotate({ description: "The order's id or number" }) },
      success: recordOf(Order),
      error: OrderNotFound
    })
  )
  .prefix("/orders")
  .annotateMerge(OpenApi.annotations({ title: "Orders", description: "What the customer has bought." })) {}

export class PlatformOrdersApi extends HttpApiGroup.make("platformOrders")
  .add(
    HttpApiEndpoint.put("push", "/:orderId", {
      params: { orderId: OrderId },
      headers: writeHeaders,
      payload: OrderPush,
      success: recordOf(Order),
      error: CustomerNotFound
    })
  )
  .prefix("/orders")
  .annotateMerge(OpenApi.annotations({ title: "Platform: orders", description: "How orders get in." })) {}
