import { randomUUID } from 'node:crypto'
import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { prune } from '#app/jobs/prune'
import { makeUser } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'

const DAY = 24 * 60 * 60 * 1000

/**
 * Rows of each kind, and the most that one batch may take.
 */
const ROWS = 1_500
const BATCH = 1_000

type Row = Record<string, unknown>

const longAgo = () => new Date(clock.millis() - 60 * DAY)
const serial = (index: number) => `${index}`.padStart(64, '0')

/**
 * What is past its time: in which table, how a row looks, and which rows pruning has left.
 */
const KINDS: {
  what: string
  table: string
  row: (index: number, userId: number) => Row
  left?: Row
}[] = [
  {
    what: 'sessions that time has ended',
    table: 'sessions',
    row: (_, userId) => session(userId, { expires_at: longAgo() }),
    left: { ended_at: null },
  },
  {
    what: 'ended sessions',
    table: 'sessions',
    row: (_, userId) => session(userId, { ended_at: longAgo(), end_reason: 'forced' }),
  },
  {
    what: 'explained tokens',
    table: 'ended_tokens',
    row: (index) => ({ hash: serial(index), type: 'access', ended_at: longAgo() }),
  },
  {
    what: 'events',
    table: 'session_events',
    row: () => ({ type: 'user.created', actor: 'system', data: '{}', occurred_at: longAgo() }),
  },
  {
    what: 'expired tokens of sessions',
    table: 'api_tokens',
    row: (index, userId) => token(index, userId, 'access'),
  },
  {
    what: 'expired API keys',
    table: 'api_tokens',
    row: (index, userId) => token(index, userId, 'api_key'),
  },
  {
    what: 'reset links',
    table: 'password_resets',
    row: (index, userId) => ({
      hash: serial(index),
      user_id: userId,
      created_at: longAgo(),
      expires_at: longAgo(),
    }),
  },
  {
    what: 'proofs of possession',
    table: 'dpop_proofs',
    row: (index) => ({ hash: serial(index), expires_at: longAgo() }),
  },
  {
    what: 'windows of rate limits',
    table: 'rate_limits',
    row: (index) => ({ key: serial(index), points: 1, expire: longAgo().getTime() }),
  },
  {
    what: 'exchanged JWTs',
    table: 'exchanged_jwts',
    row: (index) => ({ hash: serial(index), exchanged_at: longAgo() }),
  },
]

function session(userId: number, traits: Row): Row {
  const at = longAgo()
  const expires = new Date(clock.millis() + DAY)
  const times = { created_at: at, last_seen_at: at, expires_at: expires }
  return { id: randomUUID(), user_id: userId, ...times, ...traits }
}

function token(index: number, userId: number, type: string): Row {
  const at = longAgo()
  return {
    tokenable_id: userId,
    type,
    hash: serial(index),
    abilities: '["*"]',
    created_at: at,
    updated_at: at,
    expires_at: at,
  }
}

/**
 * A signal that aborts when it is asked once more than so many times.
 */
function abortAfter(questions: number): AbortSignal {
  const controller = new AbortController()
  let asked = 0
  return Object.defineProperty(controller.signal, 'aborted', {
    get: () => {
      if (asked++ === questions) controller.abort()
      return asked > questions
    },
  })
}

test.group('Pruning that is told to stop', (group) => {
  group.each.timeout(60_000)
  group.each.setup(async () => {
    await emptyDatabase()
    clock.freeze()
    return () => clock.restore()
  })

  async function fill(table: string, row: (index: number, userId: number) => Row) {
    const users: number[] = []
    for (let count = 0; count < 15; count++) {
      const { id } = await makeUser()
      users.push(id)
    }
    const all = Array.from({ length: ROWS }, (_, index) => row(index, users[index % 15]))
    await db.from('session_events').delete()
    await db.transaction(async (trx) => {
      for (let start = 0; start < ROWS; start += 100) {
        await trx.table(table).multiInsert(all.slice(start, start + 100))
      }
    })
  }

  for (const { what, table, row, left = {} } of KINDS) {
    test(`asks before each batch whether to go on: ${what}`, async ({ assert }) => {
      await fill(table, row)
      let questions = 0
      let remaining = ROWS
      while (remaining === ROWS) {
        await prune({ olderThan: 30 * DAY, signal: abortAfter(questions++) })
        remaining = await countRows(table, left)
        assert.isBelow(questions, 100, 'it came to these rows')
      }
      assert.isAtLeast(remaining, ROWS - BATCH, `told to stop at question ${questions}`)
    })
  }

  test('before it begins does nothing', async ({ assert }) => {
    for (const { table, row } of KINDS.slice(1, 5)) await fill(table, row)
    const before = await counts()
    await prune({ olderThan: 30 * DAY, signal: AbortSignal.abort() })
    assert.deepEqual(await counts(), before)
  })

  async function counts() {
    const tables = [...new Set(KINDS.map(({ table }) => table))]
    return Promise.all(tables.map((table) => countRows(table)))
  }
})
