import { test } from '@japa/runner'
import { runAce } from '#tests/harness/ace'
import { makeUser } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { listen, type Listener } from '#tests/harness/event_stream'
import { logIn } from '#tests/harness/http'
import { sharedServers, startServer, type TestServer } from '#tests/harness/server'
import { insertSessions } from '#tests/harness/sessions_with_tokens'
import { THOROUGH, within } from '#tests/harness/pace'

const LONG = process.env.LONG === '1'
const EVICTIONS = LONG ? 1_000 : THOROUGH ? 40 : 16
const USERS = 4

/**
 * What the 99th of a hundred took, in milliseconds.
 */
function p99(latencies: number[]): number {
  const sorted = [...latencies].sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) * 0.99)]
}

test.group('Evicted devices are told', (group) => {
  let servers: TestServer[]

  group.setup(async () => {
    servers = await sharedServers({}, {})
  })
  group.each.setup(() => emptyDatabase())

  /**
   * A user signs in again and again at one server, each time on a new device, which listens at
   * another. Returns the milliseconds between the answer of a sign-in and the event at the device
   * that it evicted.
   */
  async function evict(email: string, times: number, signsInAt: TestServer, listensAt: TestServer) {
    const latencies: number[] = []
    const told: Listener[] = []
    let listener: Listener | undefined
    for (let round = 0; round <= times; round++) {
      const answer = await logIn(signsInAt.url, email, { device: { name: `Device ${round}` } })
      const answeredAt = performance.now()
      if (answer.status !== 200) throw new Error(`The sign-in was answered with ${answer.status}`)
      if (listener) {
        const event = await listener.next()
        if (event.data.reason !== 'superseded') throw new Error(JSON.stringify(event.data))
        if (event.data.by.name !== `Device ${round}`) throw new Error(JSON.stringify(event.data))
        latencies.push(Math.max(0, event.at - answeredAt))
        await listener.closed()
        told.push(listener)
      }
      listener = await listen(listensAt.url, answer.body.data.token)
      if (listener.status !== 200)
        throw new Error(`The stream was answered with ${listener.status}`)
    }
    listener!.close()
    return { latencies, events: told.map((one) => one.events().length) }
  }

  for (const [nodes, limit] of [
    [1, 100],
    [2, 250],
  ]) {
    test(`through ${nodes} server(s): once, with the reason, within ${limit} ms, and nobody else`, async ({
      assert,
    }) => {
      const bystanders = await insertSessions(20)
      const quiet = await Promise.all(
        bystanders.map(({ token }, index) => listen(servers[index % 2].url, token))
      )
      const users = await Promise.all(Array.from({ length: USERS }, () => makeUser()))
      const told = await Promise.all(
        users.map(({ email }) => evict(email, EVICTIONS / USERS, servers[0], servers[nodes - 1]))
      )

      const latencies = told.flatMap((one) => one.latencies)
      assert.lengthOf(latencies, EVICTIONS)
      assert.deepEqual([...new Set(told.flatMap((one) => one.events))], [1])
      for (const listener of quiet) assert.isEmpty(listener.events())
      for (const listener of quiet) listener.close()
      const slowest = p99(latencies)
      if (LONG) console.log(`p99 of ${EVICTIONS} evictions through ${nodes} node(s): ${slowest} ms`)
      assert.isBelow(slowest, within(limit))
    }).timeout(LONG ? 600_000 : 60_000)
  }

  test('by an ace command in another process, within 500 ms', async ({ assert }) => {
    const sessions = await insertSessions(LONG ? 1_000 : 50)
    const listeners = await Promise.all(
      sessions.map(({ token }, index) => listen(servers[index % 2].url, token))
    )
    const heardAt = listeners.map((listener) => listener.next(30_000).then(() => Date.now()))
    const finished = await runAce(['force:logout', '--all', '--yes', '--json'])
    assert.equal(finished.exitCode, 0, finished.stderr)

    const times = await Promise.all(heardAt)
    const latencies = times.map((at, index) => {
      const [{ data }] = listeners[index].events()
      assert.equal(data.reason, 'forced')
      return at - Date.parse(data.endedAt)
    })
    for (const listener of listeners) {
      await listener.closed()
      assert.lengthOf(listener.events(), 1)
    }
    if (LONG) console.log(`p99 from the cut of an ace command: ${p99(latencies)} ms`)
    assert.isBelow(p99(latencies), within(500))
  }).timeout(60_000)

  test('a server that stops closes its streams and does not wait for them', async ({ assert }) => {
    const stopping = await startServer()
    const [{ token }] = await insertSessions(1)
    const listener = await listen(stopping.url, token)
    const began = performance.now()
    await stopping.stop()
    await listener.closed()
    assert.isBelow(performance.now() - began, within(4_000))
    assert.isEmpty(listener.events(), 'the session lives on')
  }).timeout(60_000)
})
