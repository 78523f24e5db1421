import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    globalSetup: "test/support/globalSetup.ts",
    // The embedded database costs a second and 250 MB to start: one for each worker, kept from file to file.
    pool: "threads",
    isolate: false,
    // Of two cores: what is tested as a process of its own spends much of its time waiting.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
})
