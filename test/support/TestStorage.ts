import { Effect, Layer, Redacted } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import path from "node:path"
import * as StorageDisk from "../../src/layers/StorageDisk.ts"
import { FileLinks } from "../../src/services/FileLinks.ts"

/** A folder for as long as the scope lasts. */
export const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(path.join(tmpdir(), "portico-files-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

/** Files on a disk of the test's own, and links to them. */
export const layer = Layer.merge(
  Layer.unwrap(Effect.map(folder, StorageDisk.layer)),
  FileLinks.layerWith({ secret: Redacted.make("a secret of the tests'"), publicUrl: "http://files.example" })
)
