import { test } from '@japa/runner'
import pg from 'pg'
import { runAce } from '#tests/harness/ace'
import { makeUser } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { listen } from '#tests/harness/event_stream'
import { call, logIn } from '#tests/harness/http'
import { within } from '#tests/harness/pace'
import { pgBouncerIsMissing, startPgBouncer, type PgBouncer } from '#tests/harness/pgbouncer'
import { startServers, stopSharedServers, type TestServer } from '#tests/harness/server'

const missing = pgBouncerIsMissing()

/**
 * How many connections of the server the nodes share. In transaction mode so few that every one of
 * them serves both nodes.
 */
const WAYS = [
  { name: 'session mode', mode: 'session', poolSize: 40 },
  { name: 'transaction mode', mode: 'transaction', poolSize: 3, direct: true },
  { name: 'transaction mode, without DATABASE_DIRECT_URL', mode: 'transaction', poolSize: 3 },
] as const

for (const way of WAYS) {
  test.group(`Two nodes behind PgBouncer in ${way.name}`, (group) => {
    const target = process.env.DATABASE_URL!
    let bouncer: PgBouncer
    let nodes: TestServer[]
    let env: Record<string, string>

    group.tap((one) => one.skip(missing !== false, String(missing)).timeout(120_000))
    group.setup(async () => {
      if (missing !== false) return async () => {}
      await stopSharedServers()
      bouncer = await startPgBouncer(target, way.mode, way.poolSize)
      env = {
        DATABASE_URL: bouncer.url,
        DATABASE_POOLER: way.mode,
        DATABASE_DIRECT_URL: 'direct' in way && way.direct ? target : '',
        LOG_LEVEL: 'info',
      }
      nodes = await startServers(2, { env })
      return async () => {
        await Promise.all(nodes.map((node) => node.stop()))
        await bouncer.stop()
      }
    })
    group.each.setup(() => emptyDatabase())

    const check = (node: number, token: string) =>
      call(nodes[node].url, 'GET', '/api/v1/account', { token })

    test('sign-ins that race leave one session each, and every check says so', async ({
      assert,
    }) => {
      const users = await Promise.all(Array.from({ length: 3 }, () => makeUser()))
      const answers = await Promise.all(
        users.flatMap(({ email }) => [0, 1, 0, 1].map((node) => logIn(nodes[node].url, email)))
      )
      assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200])
      assert.equal(await countRows('sessions', { ended_at: null }), users.length)

      const tokens = answers.map(({ body }) => body.data.token)
      const checks = await Promise.all(
        tokens.flatMap((token) => [0, 1, 1, 0].map((node) => check(node, token)))
      )
      const alive = checks.filter(({ status }) => status === 200)
      const ended = checks.filter(({ status }) => status === 401)
      assert.equal(alive.length, users.length * 4)
      assert.equal(ended.length, checks.length - alive.length)
      for (const { body } of ended) assert.equal(body.errors[0].reason, 'superseded')
    })

    test('an evicted device is told on its stream at the other node', async ({ assert }) => {
      const user = await makeUser()
      for (let round = 0; round < 2; round++) {
        const first = await logIn(nodes[round % 2].url, user.email)
        const stream = await listen(nodes[(round + 1) % 2].url, first.body.data.token)
        assert.equal(stream.status, 200)
        const second = await logIn(nodes[round % 2].url, user.email, { device: { name: 'Tablet' } })
        assert.equal(second.status, 200)
        const refused = await check((round + 1) % 2, first.body.data.token)
        assert.equal(refused.status, 401)
        const { event, data } = await stream.next(within(2_000))
        assert.equal(`${event} ${data.reason} ${data.by.name}`, 'session.ended superseded Tablet')
        await stream.closed()
      }
    })

    test('a force logout from a terminal reaches both nodes and their streams', async ({
      assert,
    }) => {
      const user = await makeUser()
      const { body } = await logIn(nodes[0].url, user.email)
      const stream = await listen(nodes[1].url, body.data.token)
      const { exitCode, stderr } = await runAce(['force:logout', user.email], { env })
      assert.equal(exitCode, 0, stderr)
      for (const node of [0, 1]) {
        const { status } = await check(node, body.data.token)
        assert.equal(status, 401)
      }
      const { data } = await stream.next(within(2_000))
      assert.equal(data.reason, 'forced')
    })

    test('the log at start says how it connected, and no password', ({ assert }) => {
      const [line] = nodes[0].output().match(/.*DATABASE_URL: connected.*/) ?? []
      const { port, pathname, username } = new URL(bouncer.url)
      assert.containsSubset(JSON.parse(line!), {
        host: '127.0.0.1',
        port: Number(port),
        database: pathname.slice(1),
        user: username,
        tls: 'off',
      })
      assert.include(line, `through a pooler (DATABASE_POOLER=${way.mode})`)
      assert.notMatch(nodes[0].output(), /:latchkey@|"level":[56]0/)
    })

    test('migrations go past the pooler, or say that they can not', async ({ assert }) => {
      const { exitCode, stdout, stderr } = await runAce(['migration:run'], { env })
      if ('direct' in way && way.direct) {
        assert.equal(exitCode, 0, stderr)
        assert.include(stdout, 'Already up to date')
      } else {
        assert.equal(exitCode, 1)
        assert.include(stdout + stderr, 'Set DATABASE_DIRECT_URL')
      }
    }).skip(
      missing !== false || way.mode === 'session',
      missing || 'in session mode a session can be locked'
    )

    test('shared connections keep nothing of a node', async ({ assert }) => {
      const clients = await Promise.all(
        Array.from({ length: way.poolSize }, async () => {
          const client = new pg.Client({ connectionString: bouncer.url })
          await client.connect()
          await client.query('BEGIN')
          return client
        })
      )
      for (const client of clients) {
        const { rows } = await client.query(`SELECT current_setting('enable_seqscan') AS scans,
          current_setting('statement_timeout') AS timeout,
          (SELECT count(*)::int FROM pg_prepared_statements) AS prepared,
          (SELECT count(*)::int FROM pg_listening_channels()) AS channels`)
        assert.deepEqual(rows, [{ scans: 'on', timeout: '0', prepared: 0, channels: 0 }])
        await client.end()
      }
    }).skip(
      missing !== false || way.mode === 'session',
      missing || 'in session mode they are shared one after another'
    )
  })
}
