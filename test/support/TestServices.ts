import { Layer } from "effect"
import * as PlacesLocal from "../../src/layers/PlacesLocal.ts"
import { Services } from "../../src/layers/Services.ts"
import * as TestDatabase from "./TestDatabase.ts"

/** Our own services on a database without rows. */
export const layer = Services.pipe(Layer.provide(PlacesLocal.layer), Layer.provideMerge(TestDatabase.layer))
