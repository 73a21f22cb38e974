import { readFileSync } from 'node:fs'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { test } from '@japa/runner'
import { startServer, type TestServer } from '#tests/harness/server'

const ONE = 'GET /docs/swagger-ui-bundle.js HTTP/1.1\r\nHost: a\r\n\r\n'

/**
 * The memory that a server has in use, in megabytes.
 */
function residentMemory({ process: { pid } }: TestServer): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) / 1024
}

/**
 * A client that sends so many requests at once and reads nothing.
 */
async function deafClient({ url }: TestServer, requests: number): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.pause()
  socket.write(ONE.repeat(requests))
  return socket
}

test.group('Floods', () => {
  test('who asks for a large file and reads nothing costs little memory: {0} × {1} requests')
    .with([
      [2, 1_200],
      [16, 32],
    ])
    .run(async ({ assert, cleanup }, [clients, requests]) => {
      const server = await startServer()
      cleanup(() => server.stop())
      await fetch(`${server.url}/docs/swagger-ui-bundle.js`).then((answer) => answer.text())
      const before = residentMemory(server)
      const sockets = await Promise.all(
        Array.from({ length: clients }, () => deafClient(server, requests))
      )
      cleanup(() => sockets.forEach((socket) => void socket.destroy()))
      let most = before
      for (let look = 0; look < 20; look++) {
        await wait(100)
        const live = await fetch(`${server.url}/health/live`)
        assert.equal(live.status, 200)
        most = Math.max(most, residentMemory(server))
      }
      assert.isBelow(most - before, 100)
    })
    .timeout(60_000)
    .skip(process.platform !== 'linux', 'The memory of a process is read from /proc')
})
