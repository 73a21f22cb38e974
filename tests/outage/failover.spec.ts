import { test } from '@japa/runner'
import { runAce } from '#tests/harness/ace'
import { LACKS_DEBIAN_POSTGRES } from '#tests/harness/debian_postgres'
import { call } from '#tests/harness/http'
import { startServers, type TestServer } from '#tests/harness/server'
import { startPair, untilSynchronous, type Pair } from '#tests/harness/standby'
import { until } from '#tests/harness/until'

const PASSWORD = 'a long pass phrase of the tests'

/**
 * Milliseconds for what a node notices by itself every five seconds, on a busy machine.
 */
const NOTICED = 30_000

test.group('A primary is demoted while connections stay', (group) => {
  let pair: Pair
  let servers: TestServer[] = []
  let env: Record<string, string>

  group.tap((one) => {
    const isPostgres = process.env.DB_CONNECTION === 'postgres'
    const missing = isPostgres ? LACKS_DEBIAN_POSTGRES : 'is about PostgreSQL'
    one.skip(Boolean(missing), String(missing))
  })
  group.setup(async () => {
    if (process.env.DB_CONNECTION !== 'postgres' || LACKS_DEBIAN_POSTGRES) return
    pair = await startPair()
    env = { DATABASE_URL: pair.address.url }
    const migrated = await runAce(['migration:run', '--force'], { env })
    if (migrated.exitCode !== 0) throw new Error(migrated.stdout + migrated.stderr)
    servers = await startServers(2, { env })
  })
  group.teardown(async () => {
    await Promise.all(servers.map((server) => server.kill()))
    await pair?.stop()
  })

  const signUp = async (email: string) => {
    const body = { email, password: PASSWORD }
    const { body: answer } = await call(servers[0].url, 'POST', '/api/v1/auth/signup', { body })
    return answer.data.token as string
  }
  const logIn = (email: string) =>
    call(servers[0].url, 'POST', '/api/v1/auth/login', { body: { email, password: PASSWORD } })
  const check = (token: string) =>
    Promise.all(servers.map(({ url }) => call(url, 'GET', '/api/v1/account', { token })))
  const statusesOf = (answers: { status: number }[]) => answers.map(({ status }) => status)
  const statuses = async (token: string) => statusesOf(await check(token))
  const untilBoth = (token: string, status: number) =>
    until(
      async () => {
        const seen = await statuses(token)
        return seen.every((one) => one === status)
      },
      `${status} of both nodes`,
      NOTICED
    )
  const ready = () => Promise.all(servers.map(({ url }) => call(url, 'GET', '/health/ready')))

  /**
   * Waits for what both nodes report: what was found half a second ago may still be told.
   */
  const untilReports = (expected: (status: number, database: { message: string }) => boolean) =>
    until(
      async () => {
        const reports = await ready()
        return reports.every(({ status, body }) => {
          const { checks } = body.data
          const database = checks.find(({ name }: { name: string }) => name === 'Database')
          return expected(status, database)
        })
      },
      'the report of both nodes',
      NOTICED
    )

  test('a COMMIT that no standby confirms is no success', async ({ assert }) => {
    await signUp('ada@example.com')
    await pair.standby.stop('immediate')
    const refused = await logIn('ada@example.com')
    assert.equal(`${refused.status} ${refused.body.errors?.[0].code}`, '503 E_UNAVAILABLE')
    await pair.standby.start()
    await untilSynchronous(pair.primary)
    const answer = await logIn('ada@example.com')
    assert.equal(answer.status, 200)
  }).timeout(120_000)

  test('nodes that only check leave a server that turned read-only, and come back', async ({
    assert,
  }) => {
    const token = await signUp('grace@example.com')
    assert.deepEqual(await statuses(token), [200, 200])

    await pair.primary.query('ALTER SYSTEM SET default_transaction_read_only = on')
    await pair.primary.query('SELECT pg_reload_conf()')
    await untilBoth(token, 503)
    for (const { headers, body } of await check(token)) {
      assert.equal(body.errors[0].code, 'E_UNAVAILABLE')
      assert.match(headers.get('retry-after')!, /^\d+$/)
    }
    await untilReports((status, database) => status === 503 && /read-only/.test(database.message))

    await pair.primary.query('ALTER SYSTEM RESET default_transaction_read_only')
    await pair.primary.query('SELECT pg_reload_conf()')
    await untilBoth(token, 200)
    await untilReports((status) => status === 200)
  }).timeout(120_000)

  test('what the new primary ended is ended, though connections lead to the old one', async ({
    assert,
  }) => {
    const [told, untold] = [await signUp('alan@example.com'), await signUp('mary@example.com')]
    assert.deepEqual(await statuses(told), [200, 200])

    /** Nobody fences the old primary off: it is still there, and can be written. */
    await pair.primary.query(`ALTER SYSTEM SET synchronous_standby_names = ''`)
    await pair.primary.query('SELECT pg_reload_conf()')
    await pair.standby.promote()
    pair.address.moveTo(pair.standby, { cut: false })
    const ended = await runAce(['force:logout', 'alan@example.com', '--yes'], { env })
    assert.equal(ended.exitCode, 0, ended.stderr)

    await untilBoth(told, 401)
    for (const { body } of await check(told)) assert.equal(body.errors[0].reason, 'forced')
    assert.deepEqual(await statuses(untold), [200, 200])
    await untilReports((status) => status === 200)
  }).timeout(120_000)

  test('an address that leads to a standby is refused, by commands too', async ({
    assert,
    cleanup,
  }) => {
    await pair.primary.query('ALTER SYSTEM SET default_transaction_read_only = on')
    await pair.primary.query('SELECT pg_reload_conf()')
    cleanup(async () => {
      await pair.primary.query('ALTER SYSTEM RESET default_transaction_read_only')
    })
    pair.address.moveTo(pair.primary, { cut: true })
    const { exitCode, stdout, stderr } = await runAce(['sessions:list', '--json'], { env })
    assert.equal(exitCode, 1)
    assert.equal(JSON.parse(stdout).error.code, 'E_UNAVAILABLE')
    assert.match(stderr, /^Error: The database is read-only[^\n]+\n$/)
  }).timeout(60_000)
})
