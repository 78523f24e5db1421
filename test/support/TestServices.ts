import { Layer } from "effect"
import { Services } from "../../src/layers/Services.ts"
import * as TestDatabase from "./TestDatabase.ts"

/** Our own services on a database without rows. */
export const layer = Services.pipe(Layer.provideMerge(TestDatabase.layer))
