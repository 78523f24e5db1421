import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { ActionNotAllowed } from "../../domain/ActionNotAllowed.ts"
import {
  NewReservation,
  PlatformReservation,
  PlatformReservationsPage,
  PlatformReservationsQuery,
  Reservation,
  ReservationChanges,
  ReservationDecision,
  ReservationNotFound,
  ReservationReference,
  ReservationsPage,
  ReservationsQuery
} from "../../domain/Reservation.ts"
import {
  DefinitionId,
  DefinitionNotFound,
  DefinitionsPage,
  DefinitionsQuery,
  ReservationDefinition,
  ReservationDefinitionPush
} from "../../domain/ReservationDefinition.ts"
import { AvailableSlots, SlotNotOffered, SlotsQuery, SlotUnavailable } from "../../domain/Slot.ts"
import { VersionMismatch } from "../../domain/Version.ts"
import { changeHeaders, createdOf, recordOf, writeHeaders } from "../Records.ts"

const params = { reservationId: ReservationReference }

const calendarFile = Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/calendar" }))

export class ReservationsApi extends HttpApiGroup.make("reservations")
  .add(
    HttpApiEndpoint.get("definitions", "/definitions", {
      query: DefinitionsQuery,
      success: DefinitionsPage
    }).annotate(OpenApi.Summary, "List what can be booked"),
    HttpApiEndpoint.post("slots", "/available-slots", {
      headers: writeHeaders,
      payload: SlotsQuery,
      success: AvailableSlots,
      error: DefinitionNotFound
    }).annotateMerge(
      OpenApi.annotations({
        summary: "List the available slots",
        description:
          "Of one day, or of at most 31; days are the business's own. Slots begin at each opening and follow one another after duration and break, as long as they end by the closing. They last as long as they say, also where clocks change: a time that the clocks leave out is the instant at which they are put forward, one that they show twice is the first. A closed day has none. A service that the definition does not have is a 400 at `/body/service`."
      })
    ),
    HttpApiEndpoint.get("list", "/", { query: ReservationsQuery, success: ReservationsPage }).annotate(
      OpenApi.Summary,
      "List the reservations"
    ),
    HttpApiEndpoint.get("get", "/:reservationId", {
      params,
      success: recordOf(Reservation),
      error: ReservationNotFound
    }).annotate(OpenApi.Summary, "Read a reservation"),
    HttpApiEndpoint.get("calendar", "/:reservationId/calendar", {
      params,
      success: calendarFile,
      error: ReservationNotFound
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Download a reservation for calendars",
        description:
          "iCalendar (RFC 5545), as an attachment. A later version of the same reservation has the same `UID` and a higher `SEQUENCE`; a cancelled one is `STATUS:CANCELLED`."
      })
    ),
    HttpApiEndpoint.post("book", "/", {
      headers: writeHeaders,
      payload: NewReservation,
      success: createdOf(Reservation),
      error: [DefinitionNotFound, SlotNotOffered, SlotUnavailable, ActionNotAllowed]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Book a slot",
        description:
          "422 `slot_not_offered` when no slot begins then; 409 `slot_unavailable` when one does, but is taken, or another reservation of the customer's own is at that time. One customer may hold only so many of a definition (its `maxPerCustomer`): 409 `action_not_allowed`."
      })
    ),
    HttpApiEndpoint.put("change", "/", {
      headers: changeHeaders,
      payload: ReservationChanges,
      success: recordOf(Reservation),
      error: [ReservationNotFound, SlotNotOffered, SlotUnavailable, ActionNotAllowed, VersionMismatch]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Move or change a reservation",
        description:
          "The old slot is freed only when the new one is won. What has moved is `rescheduled`, or `pending` again where the definition requires confirmation; it counts as much as before."
      })
    ),
    HttpApiEndpoint.delete("cancel", "/:reservationId", {
      params,
      headers: changeHeaders,
      success: recordOf(Reservation),
      error: [ReservationNotFound, ActionNotAllowed, VersionMismatch]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Cancel a reservation",
        description: "Frees the slot. Cancelling again answers the same; after `availableActions` say so it is a 409."
      })
    )
  )
  .prefix("/reservations")
  .annotateMerge(
    OpenApi.annotations({ title: "Reservations", description: "Times that the customer has booked, or may book." })
  ) {}

export class PlatformReservationDefinitionsApi extends HttpApiGroup.make("platformReservationDefinitions")
  .add(
    HttpApiEndpoint.get("get", "/:definitionId", {
      params: { definitionId: DefinitionId },
      success: recordOf(ReservationDefinition),
      error: DefinitionNotFound
    }).annotate(OpenApi.Summary, "Read a reservation definition"),
    HttpApiEndpoint.put("push", "/:definitionId", {
      params: { definitionId: DefinitionId },
      headers: writeHeaders,
      payload: ReservationDefinitionPush,
      success: recordOf(ReservationDefinition)
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Push a reservation definition",
        description:
          "Makes the definition, or replaces the one that is there. Reservations keep their times; those to come take on its title, location and time zone."
      })
    )
  )
  .prefix("/reservation-definitions")
  .annotateMerge(
    OpenApi.annotations({
      title: "Platform: reservation definitions",
      description: "What customers can book, and when."
    })
  ) {}

export class PlatformReservationsApi extends HttpApiGroup.make("platformReservations")
  .add(
    HttpApiEndpoint.get("list", "/", {
      query: PlatformReservationsQuery,
      success: PlatformReservationsPage
    }).annotateMerge(OpenApi.annotations({ summary: "List all reservations", description: "Of all customers." })),
    HttpApiEndpoint.get("get", "/:reservationId", {
      params,
      success: recordOf(PlatformReservation),
      error: ReservationNotFound
    }).annotate(OpenApi.Summary, "Read any reservation"),
    HttpApiEndpoint.put("decide", "/:reservationId", {
      params,
      headers: changeHeaders,
      payload: ReservationDecision,
      success: recordOf(PlatformReservation),
      error: [ReservationNotFound, SlotUnavailable, VersionMismatch]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Confirm, close or cancel a reservation",
        description:
          "Any status may follow any other, at any time. What was cancelled needs free spots to come back: 409 `slot_unavailable`, here without alternatives."
      })
    )
  )
  .prefix("/reservations")
  .annotateMerge(
    OpenApi.annotations({ title: "Platform: reservations", description: "The staff's side of reservations." })
  ) {}
