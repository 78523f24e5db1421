import { Agent, createServer, request } from "node:http"
import type { AddressInfo } from "node:net"

/**
 * Passes requests on to the replicas that say they are ready, in turn, as docker/haproxy.cfg has it done. What a replica
 * has begun to hear is not sent again: only a connection that is refused goes to the next one.
 */
export const balance = async () => {
  const replicas = new Map<number, { ready: boolean }>()
  // A connection of its own for each: what a replica closes is never what a request is just being written to.
  const agent = new Agent({ keepAlive: false })
  let turn = 0

  const check = (port: number) =>
    new Promise<boolean>((resolve) => {
      const asked = request({ host: "127.0.0.1", port, path: "/readyz", agent: false, timeout: 1_000 }, (answer) => {
        answer.resume()
        resolve(answer.statusCode === 200)
      })
      asked.on("timeout", () => asked.destroy())
      asked.on("error", () => resolve(false))
      asked.end()
    })
  const checking = setInterval(() => {
    for (const [port, replica] of replicas) void check(port).then((ready) => (replica.ready = ready))
  }, 200)

  const server = createServer((asked, answer) => {
    const chunks: Array<Buffer> = []
    asked.on("data", (chunk) => chunks.push(chunk))
    asked.on("end", () => {
      const pass = (left: ReadonlyArray<number>): void => {
        if (left.length === 0) return void answer.writeHead(502).end()
        const [port, ...others] = left as [number, ...Array<number>]
        const { headers, method, url } = asked
        const passed = request({ host: "127.0.0.1", port, method, path: url, headers, agent }, (answered) => {
          const { connection: _, ...rest } = answered.headers
          answer.writeHead(answered.statusCode!, rest)
          answered.pipe(answer)
          answered.on("error", () => answer.destroy())
        })
        passed.on("error", (error: { readonly code?: string }) => {
          if (error.code === "ECONNREFUSED") pass(others)
          else if (answer.headersSent) answer.destroy()
          else answer.writeHead(502).end()
        })
        passed.end(Buffer.concat(chunks))
      }
      const ready = [...replicas].filter(([, replica]) => replica.ready).map(([port]) => port)
      turn++
      pass(ready.map((_, n) => ready[(n + turn) % ready.length]!))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return {
    port: (server.address() as AddressInfo).port,
    add: async (port: number) => void replicas.set(port, { ready: await check(port) }),
    remove: (port: number) => replicas.delete(port),
    close: () => {
      clearInterval(checking)
      server.closeAllConnections()
      server.close()
    }
  }
}
