import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { emptyDatabase } from '#tests/harness/database'
import { endOfLog, readEvents, type EventCursor, type LoggedEvent } from '#sessions/event_log'
import { appendEvents } from '#sessions/events'

const told = (userId: number) => ({ type: 'user.created', userId, actor: 'system' }) as const

async function readAll(after?: EventCursor): Promise<LoggedEvent[]> {
  const read: LoggedEvent[] = []
  for (;;) {
    const events = await readEvents({ after, limit: 2 })
    if (events.length === 0) return read
    read.push(...events)
    after = events.at(-1)!.cursor
  }
}

test.group('Event log', (group) => {
  group.each.setup(() => emptyDatabase())

  test('pages follow each other without a gap or a repetition', async ({ assert }) => {
    await db.transaction((trx) => appendEvents(trx, [1, 2, 3, 4, 5].map(told)))
    const read = await readAll()
    assert.deepEqual(
      read.map((event) => event.userId),
      [1, 2, 3, 4, 5]
    )
  })

  test('a transaction that commits late is read late, and never skipped', async ({ assert }) => {
    const early = await db.transaction()
    await appendEvents(early, [told(1)])
    await db.transaction((trx) => appendEvents(trx, [told(2)]))

    const before = await readAll()
    assert.isEmpty(before, 'the earlier transaction is still under way')
    await early.commit()

    const after = await readAll(before.at(-1)?.cursor)
    assert.deepEqual(
      after.map((event) => event.userId),
      [1, 2]
    )
  }).skip(process.env.DB_CONNECTION !== 'postgres', 'SQLite has one writer')

  test('a transaction whose id is older and whose event ids are newer is not skipped', async ({
    assert,
  }) => {
    const early = await db.transaction()
    await early.rawQuery('SELECT pg_current_xact_id()')
    await db.transaction((trx) => appendEvents(trx, [told(2)]))
    const before = await readAll()
    await appendEvents(early, [told(1)])
    await early.commit()

    const after = await readAll(before.at(-1)?.cursor)
    assert.sameMembers(
      [...before, ...after].map((event) => event.userId),
      [1, 2]
    )
  }).skip(process.env.DB_CONNECTION !== 'postgres', 'SQLite has one writer')

  test('the end of the log has everything that commits later behind it', async ({ assert }) => {
    await db.transaction((trx) => appendEvents(trx, [told(1)]))
    const end = await endOfLog()
    assert.isEmpty(await readAll(end))
    await db.transaction((trx) => appendEvents(trx, [told(2)]))
    const read = await readAll(end)
    assert.deepEqual(
      read.map((event) => event.userId),
      [2]
    )
  })

  test('filters narrow by user, type and time', async ({ assert }) => {
    const occurredAt = new Date('2026-01-01T00:00:00Z')
    await db.transaction((trx) =>
      appendEvents(trx, [
        { ...told(1), occurredAt },
        told(1),
        { ...told(1), type: 'user.deleted' },
        told(2),
      ])
    )
    const count = async (query: object) => {
      const events = await readEvents({ limit: 10, ...query })
      return events.length
    }
    assert.equal(await count({ userId: 1 }), 3)
    assert.equal(await count({ userId: 1, types: ['user.deleted'] }), 1)
    assert.equal(await count({ since: new Date('2026-01-02T00:00:00Z') }), 3)
  })
})
