import db from '@adonisjs/lucid/services/db'
import { test } from '@japa/runner'
import { LookupStatement } from '#app/database/lookup_statement'
import { LOOKUP_TIMEOUT_MS } from '#app/database/postgres'
import { E_UNAVAILABLE } from '#exceptions/errors'
import { isOutage } from '#exceptions/outage'
import { makeUser } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'

type Row = { email: string; name: string | null }

const TIMEOUT_MS = 200

const people = new LookupStatement<Row>('test_people', {
  columns: { email: 'u.email', name: 'u.full_name' },
  from: 'users u',
  key: 'u.email',
})

/**
 * A statement that takes far longer than its caller waits.
 */
function endless() {
  const forever =
    db.connection().dialect.name === 'postgres'
      ? 'pg_sleep(2)::text'
      : '(WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 1e8) SELECT max(n) FROM r)'
  return new LookupStatement<Row>(
    'test_endless',
    { columns: { email: 'u.email', name: forever }, from: 'users u', key: 'u.email' },
    TIMEOUT_MS
  )
}

/**
 * Ends the connection of the lookup from outside, as a restarted database does. SQLite has no
 * server that could.
 */
async function cutLookupConnection() {
  const pool = db.connection('lookup').getReadClient().client
  const connection = await pool.acquireConnection()
  const { processID } = connection
  pool.releaseConnection(connection)
  const cut = new Promise((resolve) => connection.once('end', resolve))
  await db.rawQuery('SELECT pg_terminate_backend(?)', [processID])
  await cut
}

test.group('Lookup statement', (group) => {
  group.each.setup(() => emptyDatabase())

  test('finds what stands behind the keys, and nothing for others', async ({ assert }) => {
    const ada = await makeUser({ fullName: 'Ada "the first" Łovelace\\' })
    const bob = await makeUser()
    await makeUser()
    const found = await people.read([ada.email, 'nobody@example.com', bob.email])
    assert.sameDeepMembers(found, [
      { email: ada.email, name: 'Ada "the first" Łovelace\\' },
      { email: bob.email, name: null },
    ])
    assert.deepEqual(await people.read(['nobody@example.com']), [])
  })

  test('sees what committed before it began, however often it ran', async ({ assert }) => {
    const user = await makeUser({ fullName: 'Before' })
    await people.read([user.email])
    await db.from('users').where('id', user.id).update({ full_name: 'After' })
    assert.deepEqual(await people.read([user.email]), [{ email: user.email, name: 'After' }])
  })

  test('a lookup that hangs fails in time, and the next one starts clean', async ({
    assert,
    cleanup,
  }) => {
    const user = await makeUser({ fullName: 'Ada' })
    const lookup = db.connection('lookup')
    if (lookup.dialect.name === 'postgres') {
      await lookup.rawQuery(`SET statement_timeout = ${TIMEOUT_MS}`)
      cleanup(() => lookup.rawQuery(`SET statement_timeout = ${LOOKUP_TIMEOUT_MS}`).exec())
    }
    const begun = performance.now()
    const failure = await endless()
      .read([user.email])
      .catch((error) => error)
    assert.isTrue(failure instanceof E_UNAVAILABLE || isOutage(failure), String(failure))
    assert.isBelow(performance.now() - begun, TIMEOUT_MS + 1_000)
    assert.deepEqual(await people.read([user.email]), [{ email: user.email, name: 'Ada' }])
  })

  test('works on over a new connection when the database cut the old one', async ({ assert }) => {
    const user = await makeUser({ fullName: 'Ada' })
    await people.read([user.email])
    await cutLookupConnection()
    assert.deepEqual(await people.read([user.email]), [{ email: user.email, name: 'Ada' }])
  }).skip(process.env.DB_CONNECTION !== 'postgres', 'SQLite has no server')
})
