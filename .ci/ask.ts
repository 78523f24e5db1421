// Ends well when the Postgres server at a URL lets its superuser in.
import { Effect } from "effect"
import * as TestServer from "../test/support/TestServer.ts"

const [row] = await Effect.runPromise(
  TestServer.run(process.argv[2]!, "SELECT rolsuper::text FROM pg_roles WHERE rolname = current_user").pipe(
    Effect.timeout("5 seconds")
  )
).catch(() => [])
process.exit(row?.["rolsuper"] === "true" ? 0 : 1)
