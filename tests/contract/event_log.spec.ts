import { test } from '@japa/runner'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { inTransaction } from '#app/database/transaction'
import { emptyDatabase } from '#tests/harness/database'
import { endOfLog, readEvents, type EventCursor, type LoggedEvent } from '#app/event_log/read'
import { appendEvents, type NewEvent } from '#app/event_log/append'

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

async function write(...events: NewEvent[]) {
  await inTransaction(async (trx) => appendEvents(trx, events))
}

/**
 * Begins a transaction, runs `work` until it waits for its release, and leaves it there. `commit`
 * releases it and waits for its end.
 */
async function holdOpen(
  work: (trx: TransactionClientContract, untilReleased: () => Promise<void>) => Promise<void>
) {
  let release!: () => void
  let arrived!: () => void
  const released = new Promise<void>((resolve) => (release = resolve))
  const waiting = new Promise<void>((resolve) => (arrived = resolve))
  const done = inTransaction((trx) =>
    work(trx, () => {
      arrived()
      return released
    })
  )
  await Promise.race([waiting, done])
  return {
    commit() {
      release()
      return done
    },
  }
}

test.group('Event log', (group) => {
  group.each.setup(() => emptyDatabase())

  test('pages follow each other without a gap or a repetition', async ({ assert }) => {
    await write(...[1, 2, 3, 4, 5].map(told))
    const read = await readAll()
    assert.deepEqual(
      read.map((event) => event.userId),
      [1, 2, 3, 4, 5]
    )
  })

  test('a transaction that commits late is read late, and never skipped', async ({ assert }) => {
    const early = await holdOpen(async (trx, untilReleased) => {
      await appendEvents(trx, [told(1)])
      await untilReleased()
    })
    await write(told(2))

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
    const early = await holdOpen(async (trx, untilReleased) => {
      await trx.rawQuery('SELECT pg_current_xact_id()')
      await untilReleased()
      await appendEvents(trx, [told(1)])
    })
    await write(told(2))
    const before = await readAll()
    await early.commit()

    const after = await readAll(before.at(-1)?.cursor)
    assert.sameMembers(
      [...before, ...after].map((event) => event.userId),
      [1, 2]
    )
  }).skip(process.env.DB_CONNECTION !== 'postgres', 'SQLite has one writer')

  test('the end of the log has everything that commits later behind it', async ({ assert }) => {
    await write(told(1))
    const end = await endOfLog()
    assert.isEmpty(await readAll(end))
    await write(told(2))
    const read = await readAll(end)
    assert.deepEqual(
      read.map((event) => event.userId),
      [2]
    )
  })

  test('filters narrow by user, type and time', async ({ assert }) => {
    const occurredAt = new Date('2026-01-01T00:00:00Z')
    await write({ ...told(1), occurredAt }, told(1), { ...told(1), type: 'user.deleted' }, told(2))
    const count = async (query: object) => {
      const events = await readEvents({ limit: 10, ...query })
      return events.length
    }
    assert.equal(await count({ userId: 1 }), 3)
    assert.equal(await count({ userId: 1, types: ['user.deleted'] }), 1)
    assert.equal(await count({ since: new Date('2026-01-02T00:00:00Z') }), 3)
  })
})
