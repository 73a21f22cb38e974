import { test } from '@japa/runner'
import type { TransactionClientContract } from '@adonisjs/lucid/types/database'
import { inTransaction } from '#app/database/transaction'
import { emptyDatabase } from '#tests/harness/database'
import { setTimeout as sleep } from 'node:timers/promises'
import db from '@adonisjs/lucid/services/db'
import pg from 'pg'
import { formatPlace, parsePlace, type EventPlace } from '#app/event_log/place'
import { endOfLog, readEvents, type PlacedEvent } from '#app/event_log/read'
import { E_CURSOR_GONE } from '#exceptions/errors'
import env from '#start/env'
import { appendEvents, type NewEvent } from '#app/event_log/append'

const told = (userId: number) => ({ type: 'user.created', userId, actor: 'system' }) as const

async function readAll(after?: EventPlace | null): Promise<PlacedEvent[]> {
  const read: PlacedEvent[] = []
  for (;;) {
    const { events, place } = await readEvents({ after, limit: 2 })
    if (events.length === 0) return read
    read.push(...events)
    after = place
  }
}

const ONLY_POSTGRES = [process.env.DB_CONNECTION !== 'postgres', 'SQLite has one writer'] as const

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

  test('an entry is read as soon as it has committed, whatever is under way', async ({
    assert,
  }) => {
    const early = await holdOpen(async (trx, untilReleased) => {
      await appendEvents(trx, [told(1)])
      await untilReleased()
    })
    await write(told(2))
    const before = await readAll()
    await early.commit()
    const after = await readAll(before.at(-1)?.place)
    assert.deepEqual(
      [before, after].map((events) => events.map((event) => event.userId)),
      [[2], [1]]
    )
  }).skip(...ONLY_POSTGRES)

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
    const after = await readAll(before.at(-1)?.place)
    assert.deepEqual(
      [before, after].map((events) => events.map((event) => event.userId)),
      [[2], [1]]
    )
  }).skip(...ONLY_POSTGRES)

  test('a transaction in another database of the server holds nobody up', async ({
    assert,
    cleanup,
  }) => {
    const stranger = new pg.Client({
      connectionString: env.get('DATABASE_URL')!.replace(/\/[^/]*$/, '/postgres'),
    })
    await stranger.connect()
    cleanup(() => stranger.end())
    await stranger.query('BEGIN; SELECT pg_current_xact_id()')
    await write(told(1))
    const end = await endOfLog()
    await write(told(2))
    assert.lengthOf(await readAll(), 2)
    assert.lengthOf(await readAll(end), 1)
  }).skip(...ONLY_POSTGRES)

  test('readers that race with writers see every entry once, in one order', async ({ assert }) => {
    const WRITERS = 8
    const EACH = 25
    let writing = true
    const reader = async () => {
      const seen: PlacedEvent[] = []
      let after: EventPlace | null = null
      for (let last = false; ;) {
        const page = await readEvents({ after, limit: 7 })
        seen.push(...page.events)
        after = page.place
        if (page.events.length > 0) continue
        if (last) return seen
        last = !writing
        await sleep(1)
      }
    }
    const readers = [reader(), reader(), reader()]
    await Promise.all(
      Array.from({ length: WRITERS }, async (_, writer) => {
        for (let index = 0; index < EACH; index++) {
          await inTransaction(async (trx) => {
            await appendEvents(trx, [told(writer * EACH + index)])
            await sleep(index % 5)
            await appendEvents(trx, [told(writer * EACH + index)])
          })
        }
      })
    )
    writing = false
    const [first, ...others] = await Promise.all(readers)
    const ids = first.map(({ id }) => id)
    assert.lengthOf(ids, 2 * WRITERS * EACH)
    assert.lengthOf(new Set(ids), ids.length)
    const positions = first.map(({ place }) => place.position)
    assert.deepEqual(
      positions,
      [...positions].sort((one, other) => one - other)
    )
    for (const other of others) {
      assert.deepEqual(
        other.map(({ id }) => id),
        ids
      )
    }
  })

  test('a backlog of any size gets positions before the end of the log is told', async ({
    assert,
  }) => {
    await write(...Array.from({ length: 2_500 }, (_, index) => told(index)))
    const end = await endOfLog()
    assert.isEmpty(await readAll(end))
    const { events } = await readEvents({ limit: 5_000 })
    assert.deepEqual(
      events.map((event) => event.userId),
      events.map((_, index) => index)
    )
  })

  test('a place is noticed to be gone: pruned, replaced, beyond the end, of another log', async ({
    assert,
  }) => {
    await write(told(1), told(2), told(3))
    const { events } = await readEvents({ limit: 10 })
    const [, second, third] = events
    const { place } = second
    const gone = {
      'of another log': { ...place, log: '0000000000000000' },
      'of another entry': { ...place, mark: third.place.mark },
      'beyond the end': { ...third.place, position: third.place.position + 1 },
    }
    for (const after of Object.values(gone)) {
      await assert.rejects(() => readEvents({ after, limit: 1 }), E_CURSOR_GONE)
    }
    await db.from('session_events').where('id', second.id).delete()
    await assert.rejects(() => readEvents({ after: place, limit: 1 }), E_CURSOR_GONE)
    assert.isEmpty((await readEvents({ after: third.place, limit: 1 })).events)
  })

  test('a place is one word, which is read back', async ({ assert }) => {
    await write(told(1))
    const place = (await endOfLog())!
    const word = formatPlace(place)
    assert.match(word, /^[A-Za-z0-9_-]+$/)
    assert.deepEqual(parsePlace(word), place)
    assert.equal(parsePlace(Buffer.from('1:7:9').toString('base64url')), 'gone')
    for (const wrong of ['', 'x', `${word}=`, Buffer.from('2:x:1:y').toString('base64url')]) {
      assert.isNull(parsePlace(wrong), wrong)
    }
  })

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
      const { events } = await readEvents({ limit: 10, ...query })
      return events.length
    }
    assert.equal(await count({ userId: 1 }), 3)
    assert.equal(await count({ userId: 1, types: ['user.deleted'] }), 1)
    assert.equal(await count({ since: new Date('2026-01-02T00:00:00Z') }), 3)
  })
})
