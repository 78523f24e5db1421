import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { Customer, CustomerNotFound, CustomerPush, UserInUse } from "../../domain/Customer.ts"
import { Erasure, ErasureNotFound } from "../../domain/Erasure.ts"
import { CustomerId } from "../../domain/Ids.ts"
import { Profile, ProfileChanges } from "../../domain/Profile.ts"
import { VersionMismatch } from "../../domain/Version.ts"
import { acceptedOf, changeHeaders, recordOf, writeHeaders } from "../Records.ts"

export class ProfileApi extends HttpApiGroup.make("profile")
  .add(
    HttpApiEndpoint.get("get", "/", { success: recordOf(Profile) }).annotate(OpenApi.Summary, "Read the profile"),
    HttpApiEndpoint.put("change", "/", {
      headers: changeHeaders,
      payload: ProfileChanges,
      success: recordOf(Profile),
      error: VersionMismatch
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Change the profile",
        description: "A phone number that changes is no longer verified. An email address changes by verification only."
      })
    )
  )
  .prefix("/profile")
  .annotateMerge(
    OpenApi.annotations({ title: "Profile", description: "Who the customer is and how to reach them." })
  ) {}

export class PlatformCustomersApi extends HttpApiGroup.make("platformCustomers")
  .add(
    HttpApiEndpoint.get("get", "/:customerId", {
      params: { customerId: CustomerId },
      success: recordOf(Customer),
      error: CustomerNotFound
    }).annotate(OpenApi.Summary, "Read a customer"),
    HttpApiEndpoint.put("push", "/:customerId", {
      params: { customerId: CustomerId },
      headers: changeHeaders,
      payload: CustomerPush,
      success: recordOf(Customer),
      error: [CustomerNotFound, UserInUse, VersionMismatch]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Push a customer",
        description: "Makes the customer, or changes what the body holds of the one that is there."
      })
    ),
    HttpApiEndpoint.delete("erase", "/:customerId", {
      params: { customerId: CustomerId },
      headers: writeHeaders,
      success: acceptedOf(Erasure),
      error: CustomerNotFound
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Erase a customer",
        description:
          "At once and for good, whatever is still under way: the answer lists it. Live reservations are cancelled; orders, transactions, the wallet and reservations stay for the books, under an id that leads to nobody. The same again changes nothing."
      })
    ),
    HttpApiEndpoint.get("erasure", "/:customerId/erasure", {
      params: { customerId: CustomerId },
      success: Erasure,
      error: [CustomerNotFound, ErasureNotFound]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Read how far a customer is erased",
        description: "With a receipt of each system. It stays when the customer has gone."
      })
    )
  )
  .prefix("/customers")
  .annotateMerge(OpenApi.annotations({ title: "Platform: customers", description: "How customers get in." })) {}
