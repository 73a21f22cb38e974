import { setTimeout as sleep } from 'node:timers/promises'
import { createServer, connect, type AddressInfo, type Socket } from 'node:net'
import { test } from '@japa/runner'
import { makeUser, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { listen } from '#tests/harness/event_stream'
import { pgBouncerIsMissing, startPgBouncer } from '#tests/harness/pgbouncer'
import { startServer, stopSharedServers } from '#tests/harness/server'
import { within } from '#tests/harness/pace'

/**
 * How long a node is watched, in seconds, once it has been idle for as many.
 */
const SECONDS = Number(process.env.LONG === '1' ? 60 : 6)
const SETTLED = 3

const ON_POSTGRES = process.env.DB_CONNECTION === 'postgres'

/**
 * A way to PostgreSQL on which statements are counted: messages Q (Query) and E (Execute) of the
 * protocol (https://www.postgresql.org/docs/current/protocol-message-formats.html).
 */
async function startCounter(target: string) {
  const url = new URL(target)
  const { hostname, port } = url
  const sockets = new Set<Socket>()
  let statements = 0
  const counter = createServer((client) => {
    const server = connect(Number(port), hostname)
    sockets.add(client).add(server)
    for (const socket of [client, server]) socket.on('error', () => socket.destroy())
    client.on('close', () => server.destroy())
    server.on('close', () => client.destroy()).pipe(client)
    client.pipe(server)
    let unread = Buffer.alloc(0)
    /** The first message has no letter. */
    let letter = 0
    client.on('data', (chunk: Buffer) => {
      unread = Buffer.concat([unread, chunk])
      while (unread.length >= letter + 4) {
        const end = letter + unread.readInt32BE(letter)
        if (unread.length < end) return
        if (letter === 1 && 'QE'.includes(String.fromCharCode(unread[0]))) statements++
        unread = unread.subarray(end)
        letter = 1
      }
    })
  })
  await new Promise<void>((resolve) => counter.listen(0, '127.0.0.1', resolve))
  url.port = String((counter.address() as AddressInfo).port)
  url.searchParams.set('sslmode', 'disable')
  return {
    url: url.href,
    count: () => statements,
    stop() {
      for (const socket of sockets) socket.destroy()
      counter.close()
    },
  }
}

test.group('A node on which nobody does anything', (group) => {
  group.each.setup(async () => {
    await stopSharedServers()
    await emptyDatabase()
  })

  /**
   * How many statements the node sends in a second, with an event stream open.
   */
  async function perSecond(env: Record<string, string>, count: (output: string) => number) {
    const { tokens } = await signIn(await makeUser())
    const server = await startServer({ env })
    const stream = await listen(server.url, tokens.token)
    try {
      if (stream.status !== 200) throw new Error(`The stream was answered with ${stream.status}`)
      await sleep(SETTLED * 1_000)
      const before = count(server.output())
      await sleep(SECONDS * 1_000)
      return (count(server.output()) - before) / SECONDS
    } finally {
      stream.close()
      await server.stop()
    }
  }

  for (const pooler of ['none', 'session', 'transaction'] as const) {
    const missing = ON_POSTGRES ? pooler !== 'none' && pgBouncerIsMissing() : 'is about PostgreSQL'
    test(`sends PostgreSQL at most two statements a second: DATABASE_POOLER=${pooler}`, async ({
      assert,
      cleanup,
    }) => {
      let target = process.env.DATABASE_URL!
      if (pooler !== 'none') {
        const bouncer = await startPgBouncer(target, pooler, 40)
        cleanup(() => bouncer.stop())
        target = bouncer.url
      }
      const counter = await startCounter(target)
      cleanup(() => counter.stop())
      const env = { DATABASE_URL: counter.url, DATABASE_POOLER: pooler }
      const rate = await perSecond(env, () => counter.count())
      assert.isAbove(rate, 0, 'the log is looked at')
      assert.isAtMost(rate, 2)
    })
      .timeout(60_000 + within(SECONDS * 2_000))
      .skip(missing !== false, String(missing))
  }

  /** `PRAGMA data_version` reads a counter in shared memory: docs/deployment.md. */
  test('sends SQLite at most two statements a second', async ({ assert }) => {
    const statements = /knex:query(?!.*PRAGMA data_version)/g
    const env = { DEBUG: 'knex:query' }
    const rate = await perSecond(env, (output) => (output.match(statements) ?? []).length)
    assert.isAbove(rate, 0, 'the log is looked at')
    assert.isAtMost(rate, 2)
  })
    .timeout(60_000 + within(SECONDS * 2_000))
    .skip(ON_POSTGRES, 'is about SQLite')
})
