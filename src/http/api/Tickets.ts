import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { ActionNotAllowed } from "../../domain/ActionNotAllowed.ts"
import { OrderNotFound } from "../../domain/Order.ts"
import { FileNotFound } from "../../domain/StoredFile.ts"
import {
  NewTicket,
  PlatformTicket,
  PlatformTicketsPage,
  PlatformTicketsQuery,
  Ticket,
  TicketAnswer,
  TicketChanges,
  TicketForm,
  TicketNotFound,
  TicketNumber,
  TicketsPage,
  TicketsQuery
} from "../../domain/Ticket.ts"
import { VersionMismatch } from "../../domain/Version.ts"
import { changeHeaders, createdOf, recordOf, writeHeaders } from "../Records.ts"
import { FileParts, formOf, TakesFiles } from "../Uploads.ts"
import { uploadErrors } from "./Files.ts"

const params = { ticketNumber: TicketNumber }

export class TicketsApi extends HttpApiGroup.make("tickets")
  .add(
    HttpApiEndpoint.get("list", "/", { query: TicketsQuery, success: TicketsPage }).annotateMerge(
      OpenApi.annotations({ summary: "List the tickets", description: "Without their comments." })
    ),
    HttpApiEndpoint.get("get", "/:ticketNumber", {
      params,
      success: recordOf(Ticket),
      error: TicketNotFound
    }).annotate(OpenApi.Summary, "Read a ticket"),
    HttpApiEndpoint.post("open", "/", {
      headers: writeHeaders,
      payload: NewTicket,
      success: createdOf(Ticket),
      error: [OrderNotFound, FileNotFound]
    }).annotate(OpenApi.Summary, "Open a ticket"),
    HttpApiEndpoint.post("openWith", "/with-attachments", {
      headers: writeHeaders,
      payload: formOf("TicketForm", { ...TicketForm.fields, files: Schema.optionalKey(FileParts) }),
      success: createdOf(Ticket),
      error: [OrderNotFound, FileNotFound, ...uploadErrors]
    })
      .annotate(TakesFiles, { part: "files", least: 0 })
      .annotateMerge(
        OpenApi.annotations({
          summary: "Open a ticket with files",
          description: "All or nothing. The files become the customer's own as well, in the folder `tickets`."
        })
      ),
    HttpApiEndpoint.put("change", "/", {
      headers: changeHeaders,
      payload: TicketChanges,
      success: recordOf(Ticket),
      error: [TicketNotFound, FileNotFound, ActionNotAllowed, VersionMismatch]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Change or answer a ticket",
        description:
          "Whatever is not done yet can be canceled; what is pending, blocked or in progress can be done; what is done can be opened again, which a comment does as well. What is canceled stays as it is."
      })
    )
  )
  .prefix("/tickets")
  .annotateMerge(
    OpenApi.annotations({ title: "Tickets", description: "What the customer asks the staff to solve." })
  ) {}

export class PlatformTicketsApi extends HttpApiGroup.make("platformTickets")
  .add(
    HttpApiEndpoint.get("list", "/", { query: PlatformTicketsQuery, success: PlatformTicketsPage }).annotateMerge(
      OpenApi.annotations({ summary: "List all tickets", description: "Of all customers, without their comments." })
    ),
    HttpApiEndpoint.get("get", "/:ticketNumber", {
      params,
      success: recordOf(PlatformTicket),
      error: TicketNotFound
    }).annotate(OpenApi.Summary, "Read any ticket"),
    HttpApiEndpoint.put("answer", "/:ticketNumber", {
      params,
      headers: changeHeaders,
      payload: TicketAnswer,
      success: recordOf(PlatformTicket),
      error: [TicketNotFound, VersionMismatch]
    }).annotateMerge(
      OpenApi.annotations({
        summary: "Answer a ticket",
        description: "Any status may follow any other; a reply alone leaves it as it is."
      })
    )
  )
  .prefix("/tickets")
  .annotateMerge(OpenApi.annotations({ title: "Platform: tickets", description: "The staff's side of tickets." })) {}
