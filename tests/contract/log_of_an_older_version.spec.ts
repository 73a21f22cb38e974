import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { readEvents } from '#app/event_log/read'
import { runCommand } from '#tests/harness/command'
import { emptyDatabase } from '#tests/harness/database'

test.group('The log of version 0.1', (group) => {
  group.each.setup(() => emptyDatabase())

  test('is read in its order after the migration, and goes on', async ({ assert, cleanup }) => {
    const later = await db
      .from('adonis_schema')
      .where('name', '>=', 'database/migrations/1767000000001')
      .count('* as total')
      .firstOrFail()
    cleanup(async () => {
      await runCommand(['migration:run', '--force'])
    })
    const step = `--step=${Number(later.total)}`
    const back = await runCommand(['migration:rollback', step, '--force'])
    assert.equal(back.exitCode, 0, back.stderr)
    const event = (userId: number) => ({
      type: 'user.created',
      user_id: userId,
      actor: 'system',
      occurred_at: new Date(),
    })
    await db.table('session_events').multiInsert([event(1), event(2), event(3)])
    const forward = await runCommand(['migration:run', '--force'])
    assert.equal(forward.exitCode, 0, forward.stderr)
    const old = await readEvents({ limit: 10 })
    assert.deepEqual(
      old.events.map(({ userId }) => userId),
      [1, 2, 3]
    )
    assert.lengthOf(new Set(old.events.map(({ place }) => place.mark)), 3)

    /** As a server of that version writes, which may still run. */
    await db.table('session_events').insert(event(4))
    const { events } = await readEvents({ after: old.place, limit: 10 })
    assert.deepEqual(
      events.map(({ userId }) => userId),
      [4]
    )
  })
})
