import { test } from '@japa/runner'
import { endOfLog, readEvents } from '#app/event_log/read'
import { validFromOf } from '#app/sessions/valid_from'
import db from '@adonisjs/lucid/services/db'
import { E_CURSOR_GONE } from '#exceptions/errors'
import { makeApiKey, makeUser, signIn } from '#tests/harness/accounts'
import { jsonOfCommand, runCommand } from '#tests/harness/command'
import { countRows, emptyDatabase } from '#tests/harness/database'

test.group('database:restored', (group) => {
  group.each.setup(() => emptyDatabase())

  async function before() {
    const user = await makeUser()
    await makeApiKey(user, ['account:read'])
    await signIn(user)
    const place = (await endOfLog())!
    return { user, place }
  }
  const live = () => countRows('sessions', { ended_at: null })

  test('ends every session by one watermark, moves valid-from, and has followers begin anew', async ({
    assert,
  }) => {
    const { user, place } = await before()
    const done = await jsonOfCommand(['database:restored', '--yes'])
    assert.containsSubset(done, { keptSessions: false, ended: 1, apiKeysLeft: 1, complete: true })
    assert.equal(await live(), 0)
    assert.isNotNull(await validFromOf(db.connection(), user.id))
    await assert.rejects(() => readEvents({ after: place, limit: 1 }), E_CURSOR_GONE)
    const { events } = await readEvents({ limit: 50 })
    assert.includeMembers(
      events.map((event) => event.type),
      ['user.created', 'database.restored', 'watermark', 'session.ended']
    )
  })

  test('--keep-sessions has followers begin anew and does nothing else', async ({ assert }) => {
    const { user, place } = await before()
    const done = await jsonOfCommand(['database:restored', '--keep-sessions'])
    assert.deepEqual(done, { keptSessions: true, ended: 0, complete: true })
    assert.equal(await live(), 1)
    assert.isNull(await validFromOf(db.connection(), user.id))
    await assert.rejects(() => readEvents({ after: place, limit: 1 }), E_CURSOR_GONE)
  })

  test('wants --yes where no one can be asked, and says that API keys live on', async ({
    assert,
  }) => {
    const { place } = await before()
    const refused = await runCommand(['database:restored'])
    assert.equal(refused.exitCode, 2)
    assert.equal(await live(), 1)
    assert.isEmpty((await readEvents({ after: place, limit: 1 })).events)
    const done = await runCommand(['database:restored', '--yes'])
    assert.equal(done.exitCode, 0)
    assert.match(done.stdout, /1 API key lives on/)
  })
})
