import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from '@japa/runner'
import { makeUser } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { call, logIn } from '#tests/harness/http'
import { startServer } from '#tests/harness/server'

/**
 * A process that takes SQLite's write lock, says so, and holds it until its standard input ends.
 */
const HOLD = `
  import sqlite3 from 'sqlite3'
  const database = new sqlite3.Database(process.env.SQLITE_FILE)
  database.exec('PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE', () => console.log('held'))
  process.stdin.resume().on('end', () => database.exec('COMMIT', () => process.exit(0)))
`

test.group('SQLite is locked by another process', (group) => {
  group.tap((one) => one.skip(process.env.DB_CONNECTION === 'postgres', 'is about SQLite'))
  group.each.setup(() => emptyDatabase())

  test('checks go on, and a sign-in waits for its turn', async ({ assert }) => {
    const [user, other] = [await makeUser(), await makeUser()]
    const server = await startServer()
    const login = await logIn(server.url, user.email)
    const { token } = login.body.data

    const holder = spawn(process.execPath, ['--input-type=module', '-e', HOLD], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    await once(holder.stdout, 'data')
    let answered = false
    const waiting = logIn(server.url, other.email).finally(() => (answered = true))
    for (let round = 0; round < 100; round++) {
      const check = await call(server.url, 'GET', '/api/v1/account', { token })
      assert.equal(check.status, 200)
    }
    assert.isFalse(answered)
    holder.stdin.end()
    const signedIn = await waiting
    assert.equal(signedIn.status, 200)
    await server.stop()
  }).timeout(30_000)
})
