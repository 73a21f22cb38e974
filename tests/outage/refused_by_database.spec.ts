import { test } from '@japa/runner'
import pg from 'pg'
import { runAce } from '#tests/harness/ace'
import { ownPostgres } from '#tests/harness/environment'
import { call } from '#tests/harness/http'
import { startServer, type TestServer } from '#tests/harness/server'
import { until } from '#tests/harness/until'
import { servedRoutes } from '../hostile/generator.js'

const PASSWORD = 'a long pass phrase of the tests'
const METRICS = { authorization: 'Bearer metrics-token-of-the-tests' }

/**
 * What somebody does to a database under a running server, what mends it, and how readiness names it.
 */
type Refusal = { what: string; does: string[]; mends: string[]; says: RegExp }

const REFUSALS: Refusal[] = [
  {
    what: 'a password that was rotated (28P01)',
    does: [`ALTER ROLE app PASSWORD 'rotated'`],
    mends: [`ALTER ROLE app PASSWORD 'app'`],
    says: /refuses the user or the password/,
  },
  {
    what: 'a role that may not log in (28000)',
    does: ['ALTER ROLE app NOLOGIN'],
    mends: ['ALTER ROLE app LOGIN'],
    says: /refuses the user or the password/,
  },
  {
    what: 'a role without CONNECT (42501)',
    does: ['REVOKE CONNECT ON DATABASE refusing FROM PUBLIC'],
    mends: ['GRANT CONNECT ON DATABASE refusing TO PUBLIC'],
    says: /lacks a right/,
  },
  {
    what: 'a role without rights on the tables (42501)',
    does: ['REVOKE ALL ON ALL TABLES IN SCHEMA public FROM app'],
    mends: ['GRANT ALL ON ALL TABLES IN SCHEMA public TO app'],
    says: /lacks a right/,
  },
  {
    what: 'no connection left (53300)',
    does: ['ALTER ROLE app CONNECTION LIMIT 0'],
    mends: ['ALTER ROLE app CONNECTION LIMIT -1'],
    says: /no connection left/,
  },
  {
    what: 'tables that are missing (42P01)',
    does: [
      'ALTER TABLE sessions RENAME TO sessions_away',
      'ALTER TABLE api_tokens RENAME TO api_tokens_away',
    ],
    mends: [
      'ALTER TABLE sessions_away RENAME TO sessions',
      'ALTER TABLE api_tokens_away RENAME TO api_tokens',
    ],
    says: /migration:run/,
  },
  {
    what: 'a database of another name (3D000)',
    does: ['ALTER DATABASE refusing RENAME TO refusing_away'],
    mends: ['ALTER DATABASE refusing_away RENAME TO refusing'],
    says: /no database of the name/,
  },
  {
    what: 'a database that is read-only (25006)',
    does: ['ALTER DATABASE refusing SET default_transaction_read_only = on'],
    mends: ['ALTER DATABASE refusing RESET default_transaction_read_only'],
    says: /read-only/,
  },
]

test.group('PostgreSQL refuses the application', (group) => {
  let server: TestServer
  let url: string
  let token: string

  const isOwn = () => process.env.DB_CONNECTION === 'postgres' && Boolean(ownPostgres())
  group.tap((one) => one.skip(() => !isOwn(), 'needs a PostgreSQL of its own'))

  /** Statements about databases and roles, and those about tables, as the owner of all. */
  const asOwner = async (statements: string[]) => {
    for (const statement of statements) {
      const about = / TABLE/.test(statement) ? 'refusing' : 'postgres'
      const client = new pg.Client(ownPostgres()!.url.replace(/latchkey_test$/, about))
      client.on('error', () => {})
      await client.connect()
      await client.query('SET default_transaction_read_only = off')
      if (about === 'postgres') {
        await client.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE usename = 'app' OR (datname LIKE 'refusing%' AND pid <> pg_backend_pid())`)
      }
      await client.query(statement)
      if (about === 'postgres') {
        await client.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'`
        )
      }
      await client.end()
    }
  }

  group.setup(async () => {
    if (!isOwn()) return
    const owned = await ownPostgres()!.createDatabase('refusing')
    const migrated = await runAce(['migration:run', '--force'], { env: { DATABASE_URL: owned } })
    if (migrated.exitCode !== 0) throw new Error(migrated.stdout + migrated.stderr)
    await asOwner([
      `CREATE ROLE app LOGIN PASSWORD 'app'`,
      'GRANT ALL ON ALL TABLES IN SCHEMA public TO app',
      `DO $$ DECLARE name text; BEGIN /* TABLE */
         FOR name IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' LOOP
           EXECUTE format('GRANT ALL ON SEQUENCE %I TO app', name);
         END LOOP; END $$`,
    ])
    url = owned.replace('latchkey:latchkey@', 'app:app@')
    server = await startServer({ env: { DATABASE_URL: url, LOG_LEVEL: 'error' } })
    const body = { email: 'ada@example.com', password: PASSWORD }
    const answer = await call(server.url, 'POST', '/api/v1/auth/signup', { body })
    token = answer.body.data.token
  })
  group.teardown(() => server?.kill())

  const check = () => call(server.url, 'GET', '/api/v1/account', { token })
  const untilCheck = (status: number) =>
    until(
      async () => {
        const answer = await check()
        return answer.status === status
      },
      `${status} for a check`,
      30_000
    )

  test('{what} is a 503 that says why in words, and is over when it is mended')
    .with(REFUSALS)
    .run(async ({ assert, cleanup }, { does, mends, says }) => {
      let isMended = false
      const mend = async () => {
        if (!isMended) await asOwner(mends)
        isMended = true
      }
      cleanup(mend)
      await asOwner(does)
      await untilCheck(503)

      const login = { email: 'ada@example.com', password: PASSWORD }
      const answers = await Promise.all([
        check(),
        call(server.url, 'POST', '/api/v1/auth/login', { body: login }),
        call(server.url, 'GET', '/api/v1/session/events', { token }),
        call(server.url, 'GET', '/metrics', { headers: METRICS }),
        call(server.url, 'GET', '/forward-auth', { token }),
      ])
      for (const { status, headers, body } of answers) {
        assert.equal(`${status} ${body?.errors?.[0].code}`, '503 E_UNAVAILABLE')
        assert.match(headers.get('retry-after')!, /^\d+$/)
      }

      let reported = await call(server.url, 'GET', '/health/ready')
      await until(
        async () => {
          reported = await call(server.url, 'GET', '/health/ready')
          /** What was found half a second ago may still be told. */
          return reported.status === 503 && says.test(JSON.stringify(reported.body))
        },
        'not ready',
        10_000
      )
      const { checks } = reported.body.data
      const database = checks.find(({ name }: { name: string }) => name === 'Database')
      assert.match(database.message, says)
      assert.notMatch(JSON.stringify(checks), /127\.0\.0\.1|"app"|refusing/)

      /** Whatever a route does, it is never a fault of ours, and tells nobody to sign in again. */
      for (const { method, pattern } of servedRoutes()) {
        if (method === 'HEAD') continue
        const path = pattern.replace(/:\w+/g, '00000000-0000-4000-8000-000000000000')
        const response = await fetch(server.url + path.replace('*', 'x'), {
          method,
          headers: { 'authorization': `Bearer ${token}`, 'content-type': 'application/json' },
          body: method === 'GET' ? undefined : '{}',
        })
        await response.body?.cancel()
        const told = `${method} ${pattern}: ${response.status}`
        assert.notEqual(response.status, 500, told)
        /** Service clients and Prometheus authenticate in another way than by a user's token. */
        if (
          pattern.startsWith('/api/v1/') &&
          !/revocations|\/sessions\/?$|\/sessions\/[^/]+\/confirm$/.test(pattern)
        ) {
          assert.notEqual(response.status, 401, told)
        }
      }

      await mend()
      await untilCheck(200)
      assert.equal(server.output(), '')
    })
    .timeout(120_000)

  test('commands say in one line what is refused, and servers start', async ({
    assert,
    cleanup,
  }) => {
    const { does, mends } = REFUSALS[0]
    await asOwner(does)
    cleanup(() => asOwner(mends))
    const { exitCode, stdout, stderr } = await runAce(['sessions:list', '--json'], {
      env: { DATABASE_URL: url, LOG_LEVEL: 'warn' },
    })
    assert.equal(exitCode, 1)
    assert.equal(JSON.parse(stdout).error.code, 'E_UNAVAILABLE')
    assert.match(stderr, /^Error: The database refuses the user or the password[^\n]+\n$/)

    const started = await startServer({ env: { DATABASE_URL: url, LOG_LEVEL: 'error' } })
    cleanup(() => started.kill())
    const refused = await call(started.url, 'GET', '/api/v1/account', { token })
    assert.equal(refused.status, 503)
    await asOwner(mends)
    const { status } = await call(started.url, 'GET', '/api/v1/account', { token })
    assert.equal(status, 200)
    assert.notMatch(started.output(), /\n\s+at /)
  }).timeout(120_000)
})
