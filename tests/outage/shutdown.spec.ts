import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from '@japa/runner'
import { makeUser } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { call, logIn } from '#tests/harness/http'
import { startServer, type TestServer } from '#tests/harness/server'

/**
 * A request that has begun but does not go on: the server gives it ten seconds.
 */
const HALF_A_BODY = [
  'POST /api/v1/auth/login HTTP/1.1',
  ...['Host: x', 'Content-Type: application/json', 'Content-Length: 99', '', '{'],
].join('\r\n')

/**
 * Sends SIGTERM and waits for the end. Gives the exit code and how long it took, in milliseconds.
 */
async function terminate(server: TestServer) {
  const began = performance.now()
  const exited = once(server.process, 'exit')
  server.process.kill('SIGTERM')
  const [code] = await exited
  return { code, took: performance.now() - began }
}

/**
 * A connection on which this much has been sent.
 */
async function halfAsk(server: TestServer, sent: string): Promise<Socket> {
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => {})
  await once(socket, 'connect')
  if (sent !== '') await new Promise((resolve) => socket.write(sent, resolve))
  return socket
}

test.group('Shutdown', (group) => {
  group.each.setup(() => emptyDatabase())

  test('what has begun is answered, then the process ends, streams and all', async ({ assert }) => {
    const users = await Promise.all(Array.from({ length: 6 }, () => makeUser()))
    const server = await startServer()
    const first = await logIn(server.url, users[0].email)
    const stream = await fetch(`${server.url}/api/v1/session/events`, {
      headers: { authorization: `Bearer ${first.body.data.token}` },
    })
    assert.equal(stream.status, 200)

    const signIns = users.slice(1).map((user) => logIn(server.url, user.email))
    await Promise.race(signIns)
    const [{ code, took }, ...answers] = await Promise.all([terminate(server), ...signIns])
    assert.deepEqual(
      answers.map(({ status }) => status),
      signIns.map(() => 200)
    )
    assert.equal(code, 0)
    assert.isBelow(took, 8_000)
  }).timeout(40_000)

  test('clients that go on asking, or have sent half a request, do not hold it', async ({
    assert,
  }) => {
    const user = await makeUser()
    const server = await startServer()
    const { body } = await logIn(server.url, user.email)
    const sockets = await Promise.all([
      halfAsk(server, ''),
      halfAsk(server, 'GET /api/v1/account HTT'),
      ...(process.env.LONG === '1' ? [halfAsk(server, HALF_A_BODY)] : []),
    ])
    const statuses = new Set<number>()
    const { token } = body.data
    const busy = Array.from({ length: 4 }, async () => {
      for (;;) {
        const answer = await call(server.url, 'GET', '/api/v1/account', { token }).catch(() => null)
        if (!answer) return
        statuses.add(answer.status)
      }
    })
    while (statuses.size === 0) await new Promise((resolve) => setImmediate(resolve))

    const { code, took } = await terminate(server)
    await Promise.all(busy)
    assert.equal(code, 0)
    assert.isBelow(took, 14_000)
    assert.deepEqual([...statuses], [200])
    for (const socket of sockets) socket.destroy()
  }).timeout(40_000)
})
