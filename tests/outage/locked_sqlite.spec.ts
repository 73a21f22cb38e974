import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from '@japa/runner'
import { makeUser } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { call, logIn } from '#tests/harness/http'
import { startServer, type TestServer } from '#tests/harness/server'

/**
 * A process that takes SQLite's write lock, says so, and holds it until its standard input ends.
 */
const HOLD = `
  import sqlite3 from 'sqlite3'
  const database = new sqlite3.Database(process.env.SQLITE_FILE)
  database.exec('PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE', () => console.log('held'))
  process.stdin.resume().on('end', () => database.exec('COMMIT', () => process.exit(0)))
`

/**
 * Locks the database. What it gives lets go.
 */
async function lockDatabase(): Promise<() => void> {
  const holder = spawn(process.execPath, ['--input-type=module', '-e', HOLD], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  await once(holder.stdout, 'data')
  return () => holder.stdin.end()
}

test.group('SQLite is locked by another process', (group) => {
  let server: TestServer

  group.tap((one) => one.skip(process.env.DB_CONNECTION === 'postgres', 'is about SQLite'))
  group.setup(async () => {
    server = await startServer()
    return () => server.stop()
  })
  group.each.setup(() => emptyDatabase())

  async function scene() {
    const [user, other] = [await makeUser(), await makeUser()]
    const { body } = await logIn(server.url, user.email)
    const check = () => call(server.url, 'GET', '/api/v1/account', { token: body.data.token })
    return { other, check }
  }

  test('checks go on, and a sign-in waits for its turn', async ({ assert }) => {
    const { other, check } = await scene()
    const unlock = await lockDatabase()
    let answered = false
    const waiting = logIn(server.url, other.email).finally(() => (answered = true))
    for (let round = 0; round < 100; round++) {
      const { status } = await check()
      assert.equal(status, 200)
    }
    assert.isFalse(answered)
    unlock()
    const { status } = await waiting
    assert.equal(status, 200)
  }).timeout(30_000)

  test('a sign-in that waits too long is refused, and has changed nothing', async ({ assert }) => {
    const { other, check } = await scene()
    const unlock = await lockDatabase()
    const refused = await logIn(server.url, other.email)
    assert.equal(refused.status, 503)
    assert.match(refused.headers.get('retry-after')!, /^\d+$/)
    const checked = await check()
    assert.equal(checked.status, 200)
    unlock()
    const { status, body } = await logIn(server.url, other.email)
    assert.equal(status, 200)
    assert.deepEqual(body.data.endedSessions, [])
  })
    .timeout(60_000)
    .skip(process.env.LONG !== '1', 'takes ten seconds: LONG=1')
})
