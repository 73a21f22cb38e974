import { randomUUID } from 'node:crypto'
import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { mintLink } from '#app/accounts/mailed_links'
import { hashToken, mintToken } from '#app/tokens/token'
import legacyJwtConfig from '#config/legacy_jwt'
import legacyTokensConfig from '#config/legacy_tokens'
import sessionsConfig from '#config/sessions'
import { ScheduledJob } from '#app/background/scheduled_job'
import { prune } from '#app/jobs/prune'
import { replaceTokens } from '#app/tokens/issue'
import { withUserLock } from '#app/sessions/user_lock'
import { makeUser, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase, snapshot } from '#tests/harness/database'
import { keepPolicy } from '#tests/harness/policy'

const DAY = 24 * 60 * 60 * 1000
const NOTHING = {
  lapsed: 0,
  sessions: 0,
  endedTokens: 0,
  events: 0,
  tokens: 0,
  passwordResets: 0,
  spent: 0,
  unverified: 0,
  contests: 0,
}

/**
 * A row for each table that is pruned, with a user and moments: it is old from `later` on.
 */
const OLD_ROWS: Record<string, (row: { index: number; userId: number; later: Date }) => object> = {
  sessions: ({ userId, later }) => ({
    id: randomUUID(),
    user_id: userId,
    created_at: later,
    last_seen_at: later,
    expires_at: later,
    ended_at: later,
    end_reason: 'logout',
  }),
  ended_tokens: ({ index, later }) => ({
    hash: `ended ${index}`,
    type: 'api_key',
    ended_at: later,
  }),
  session_events: ({ later }) => ({
    type: 'user.created',
    actor: 'system',
    data: '{}',
    occurred_at: later,
  }),
  api_tokens: ({ index, userId, later }) => ({
    tokenable_id: userId,
    type: 'access',
    hash: `token ${index}`,
    abilities: '["*"]',
    created_at: later,
    updated_at: later,
    expires_at: later,
  }),
  password_resets: ({ index, userId, later }) => ({
    hash: `reset ${index}`,
    user_id: userId,
    created_at: later,
    expires_at: later,
  }),
  dpop_proofs: ({ index, later }) => ({ hash: `proof ${index}`, expires_at: later }),
  rate_limits: ({ index, later }) => ({ key: `${index}`, points: 1, expire: later.getTime() }),
  exchanged_jwts: ({ index, later }) => ({ hash: `jwt ${index}`, exchanged_at: later }),
}

test.group('Pruning', (group) => {
  group.each.setup(async () => {
    await emptyDatabase()
    const restore = keepPolicy()
    Object.assign(sessionsConfig, { limit: 1, idleTimeout: 400 * DAY, maxLifetime: 800 * DAY })
    clock.freeze(new Date('2026-03-01T12:00:00Z'))
    return () => {
      restore()
      clock.restore()
    }
  })

  test('ended sessions go with what explained them, once they are old enough', async ({
    assert,
  }) => {
    const user = await makeUser()
    await signIn(user, { name: 'A' })
    const { session } = await signIn(user, { name: 'B' })
    clock.advance(30 * DAY - 1)
    const before = await snapshot()
    assert.deepEqual(await prune({ olderThan: 30 * DAY }), NOTHING)
    assert.equal(await snapshot(), before)

    clock.advance(1)
    const pruned = await prune({ olderThan: 30 * DAY })
    assert.deepEqual([pruned.sessions, pruned.lapsed], [1, 0])
    assert.isAbove(pruned.events, 0)
    const left = await db.from('sessions')
    assert.deepEqual(
      left.map((row) => row.id),
      [session.id]
    )
    assert.equal(await countRows('ended_tokens'), 0)
    assert.equal(await countRows('session_events'), 0)
  })

  test('spent refresh tokens stay as long as their session lives', async ({ assert }) => {
    sessionsConfig.refreshTokenTtl = 300 * DAY
    const user = await makeUser()
    const { session } = await signIn(user)
    await withUserLock(user.id, (trx) =>
      replaceTokens(trx, session, { access: mintToken('access'), refresh: mintToken('refresh') })
    )
    clock.advance(60 * DAY)
    await prune({ olderThan: 30 * DAY })
    const left = await db.from('ended_tokens')
    assert.deepEqual(
      left.map((row) => [row.type, row.reason]),
      [['refresh', 'rotated']]
    )
    const live = await db.from('api_tokens')
    assert.deepEqual(
      live.map((row) => row.type),
      ['refresh']
    )
  })

  test('the end of lapsed sessions is written, each with its reason and time', async ({
    assert,
  }) => {
    Object.assign(sessionsConfig, { limit: 0, idleTimeout: 10 * DAY, maxLifetime: 12 * DAY })
    const user = await makeUser()
    const { session: idle } = await signIn(user)
    const { session: expired } = await signIn(user)
    await db
      .from('sessions')
      .where('id', expired.id)
      .update({ last_seen_at: new Date(clock.millis() + 9 * DAY) })
    clock.advance(10 * DAY - 1)
    const early = await prune({ olderThan: 30 * DAY })
    assert.equal(early.lapsed, 0)
    clock.advance(2 * DAY + 1)
    const pruned = await prune({ olderThan: 30 * DAY })
    assert.equal(pruned.lapsed, 2)

    const events = await db.from('session_events').where('type', 'session.ended')
    const told = new Map(events.map((event) => [event.session_id, event]))
    assert.equal(told.get(idle.id).reason, 'idle')
    assert.equal(new Date(told.get(idle.id).occurred_at).getTime(), clock.millis() - 2 * DAY)
    assert.equal(told.get(expired.id).reason, 'expired')
    assert.equal(new Date(told.get(expired.id).occurred_at).getTime(), clock.millis())
    assert.equal(await countRows('api_tokens'), 0)
    assert.equal(await countRows('ended_tokens'), 4)
  })

  test('reset links and API keys past their time go, keys with their end told', async ({
    assert,
  }) => {
    const user = await makeUser()
    await withUserLock(user.id, (trx) => mintLink(trx, user, 'reset'))
    await db.table('api_tokens').insert({
      tokenable_id: user.id,
      type: 'api_key',
      name: 'script',
      hash: hashToken(mintToken('api_key')),
      abilities: '["*"]',
      created_at: clock.now(),
      updated_at: clock.now(),
      expires_at: new Date(clock.millis() + DAY),
    })
    clock.advance(31 * DAY)
    const pruned = await prune({ olderThan: 30 * DAY })
    assert.deepEqual([pruned.tokens, pruned.passwordResets], [1, 1])
    assert.equal(await countRows('api_tokens'), 0)
    assert.equal(await countRows('password_resets'), 0)
    const event = await db.from('session_events').where('type', 'api_key.ended').firstOrFail()
    assert.equal(event.reason, 'expired')
  })

  test('more than a batch goes, and what is told to stop stops', async ({ assert }) => {
    const events = Array.from({ length: 1200 }, () => ({
      type: 'user.created',
      actor: 'system',
      data: '{}',
      occurred_at: clock.now(),
    }))
    for (let start = 0; start < events.length; start += 300) {
      await db.table('session_events').multiInsert(events.slice(start, start + 300))
    }
    clock.advance(31 * DAY)
    const stopped = await prune({ olderThan: 30 * DAY, signal: AbortSignal.abort() })
    assert.deepEqual(stopped, NOTHING)
    const pruned = await prune({ olderThan: 30 * DAY })
    assert.equal(pruned.events, 1200)
  })

  test('told to stop in the first batch of {$self}, it begins no second one')
    .with(Object.keys(OLD_ROWS))
    .run(async ({ assert, cleanup }, table) => {
      const { until } = legacyJwtConfig
      const { client } = db.connection().getWriteClient()
      const { acquireConnection } = client
      cleanup(() => {
        legacyJwtConfig.until = until
        client.acquireConnection = acquireConnection
      })
      legacyJwtConfig.until = undefined
      const { id: userId } = await makeUser()
      await db.from('session_events').delete()
      for (let start = 0; start < 350; start += 70) {
        const rows = Array.from({ length: 70 }, (_, index) =>
          OLD_ROWS[table]({ index: start + index, userId, later: clock.now() })
        )
        await db.table(table).multiInsert(rows)
      }
      clock.advance(31 * DAY)

      /** Stops at the first statement, the second and so on, until that is one of this table. */
      for (let last = 1; (await countRows(table)) === 350; last++) {
        const stop = new AbortController()
        let statements = 0
        client.acquireConnection = () => {
          if (++statements === last) stop.abort()
          return acquireConnection.call(client)
        }
        await prune({ olderThan: 30 * DAY, signal: stop.signal })
        client.acquireConnection = acquireConnection
      }
      assert.equal(await countRows(table), 250)
    })
})

test.group('ScheduledJob', (group) => {
  group.each.setup(async () => {
    await emptyDatabase()
    clock.freeze()
    return () => clock.restore()
  })

  function nodes(count: number) {
    const done: number[] = []
    const failures: unknown[] = []
    const list = Array.from(
      { length: count },
      (_, node) =>
        new ScheduledJob(
          {
            task: 'test',
            interval: 60_000,
            lookEvery: 1_000_000,
            work: async () => void done.push(node),
          },
          (error) => failures.push(error)
        )
    )
    return { list, done, failures }
  }

  test('of many nodes one does the work, once an interval', async ({ assert }) => {
    const { list, done, failures } = nodes(8)
    const lookAll = () => Promise.all(list.map((node) => node.look()))
    await lookAll()
    assert.lengthOf(done, 1)
    clock.advance(59_999)
    await lookAll()
    assert.lengthOf(done, 1)
    clock.advance(1)
    await lookAll()
    assert.lengthOf(done, 2)
    assert.isEmpty(failures)
  })

  test('stopping waits for the work under way, and looks no more', async ({ assert }) => {
    let release!: () => void
    let aborted = false
    const node = new ScheduledJob(
      {
        task: 'test',
        interval: 0,
        lookEvery: 1_000_000,
        work: async (signal) => {
          await new Promise<void>((resolve) => (release = resolve))
          aborted = signal.aborted
        },
      },
      () => {}
    )
    node.start()
    const look = node.look()
    while (!release) await new Promise((resolve) => setImmediate(resolve))
    const stopped = node.stop()
    release()
    await Promise.all([look, stopped])
    assert.isTrue(aborted)
    release = () => assert.fail('It looked again.')
    await node.look()
  })

  test('a failure is told, and the next look comes', async ({ assert }) => {
    const failures: unknown[] = []
    const node = new ScheduledJob(
      {
        task: 'test',
        interval: 0,
        lookEvery: 1_000_000,
        work: () => Promise.reject(new Error('broken')),
      },
      (error) => failures.push(error)
    )
    await node.look()
    await node.look()
    assert.lengthOf(failures, 2)
  })

  test('what only stops a second use goes once that would come too late', async ({ assert }) => {
    const past = new Date(clock.millis() - 1)
    const future = new Date(clock.millis() + 1000)
    await db.table('dpop_proofs').multiInsert([
      { hash: 'old', expires_at: past },
      { hash: 'new', expires_at: future },
    ])
    await db.table('rate_limits').multiInsert([
      { key: 'old', points: 1, expire: past.getTime() },
      { key: 'new', points: 1, expire: future.getTime() },
    ])
    await db.table('exchanged_jwts').insert({ hash: 'a', exchanged_at: past })

    const { until } = legacyJwtConfig
    legacyJwtConfig.until = future
    const first = await prune({ olderThan: 30 * DAY })
    assert.equal(first.spent, 2)
    assert.equal(await countRows('exchanged_jwts'), 1)
    legacyJwtConfig.until = until
    const second = await prune({ olderThan: 30 * DAY })
    assert.equal(second.spent, 1)
    assert.equal(await countRows('dpop_proofs'), 1)
  })

  test('spent tokens of the old system go once that would come too late and they are gone there', async ({
    assert,
    cleanup,
  }) => {
    const kept = { ...legacyTokensConfig }
    cleanup(() => void Object.assign(legacyTokensConfig, { until: undefined }, kept))
    const at = clock.now()
    await db.table('spent_legacy_tokens').multiInsert([
      { hash: 'gone there', token_id: '1', spent_at: at, deleted_at: at },
      { hash: 'still there', token_id: '2', spent_at: at, deleted_at: null },
    ])
    const left = async () => {
      await prune({ olderThan: 30 * DAY })
      return countRows('spent_legacy_tokens')
    }
    Object.assign(legacyTokensConfig, { kind: 'adonis', until: new Date(clock.millis() + 1000) })
    assert.equal(await left(), 2)
    legacyTokensConfig.until = clock.now()
    assert.equal(await left(), 1)
    legacyTokensConfig.kind = null
    assert.equal(await left(), 0)
  })

  test('all old rows of strangers go, and those that still count stay', async ({ assert }) => {
    for (const table of ['rate_limits', 'dpop_proofs']) {
      const rowsAt = (first: number, count: number, later: Date) =>
        Array.from({ length: count }, (_, index) =>
          OLD_ROWS[table]({ index: first + index, userId: 0, later })
        )
      for (let first = 0; first < 2_500; first += 250) {
        await db.table(table).multiInsert(rowsAt(first, 250, clock.now()))
      }
      await db.table(table).multiInsert(rowsAt(2_500, 5, new Date(clock.millis() + 1)))
    }
    const { spent } = await prune({ olderThan: 30 * DAY })
    assert.equal(spent, 5_000)
    assert.equal(await countRows('rate_limits'), 5)
    assert.equal(await countRows('dpop_proofs'), 5)
  })
})
