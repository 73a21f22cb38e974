import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { verifyToken } from '#app/token_verification/verify_token'
import sessionsConfig from '#config/sessions'
import { LastUsedBuffer } from '#app/sessions/last_used_buffer'
import { lastSeen, useSession } from '#app/sessions/last_seen'
import { makeUser, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { keepPolicy } from '#tests/harness/policy'

async function written(id: string): Promise<number> {
  const row = await db.from('sessions').where('id', id).firstOrFail()
  return new Date(row.last_seen_at).getTime()
}

test.group('Last seen', (group) => {
  group.each.setup(async () => {
    await lastSeen.flush({ everything: true })
    await emptyDatabase()
    clock.freeze()
    const restore = keepPolicy()
    return () => {
      restore()
      clock.restore()
    }
  })

  test('uses merge for a minute before they are written', async ({ assert }) => {
    const { session } = await signIn(await makeUser())
    clock.advance(59_000)
    lastSeen.touch(session.id, session.lastSeenAt)
    await lastSeen.flush()
    assert.equal(await written(session.id), session.lastSeenAt.getTime())
    clock.advance(1_000)
    await lastSeen.flush()
    assert.equal(await written(session.id), clock.millis() - 1_000)
  })

  test('a short idle timeout is written more often, so that no node ends a session in use', async ({
    assert,
  }) => {
    sessionsConfig.idleTimeout = 40_000
    const { session } = await signIn(await makeUser())
    clock.advance(10_000)
    lastSeen.touch(session.id, session.lastSeenAt)
    await lastSeen.flush()
    assert.equal(await written(session.id), clock.millis())
  })

  test('what is left is written at the end', async ({ assert }) => {
    const { session } = await signIn(await makeUser())
    clock.advance(1_000)
    lastSeen.touch(session.id, session.lastSeenAt)
    await lastSeen.close()
    assert.equal(await written(session.id), clock.millis())
  })

  test('a late write does not touch a session that has ended', async ({ assert }) => {
    const user = await makeUser()
    const { session } = await signIn(user)
    clock.advance(1_000)
    lastSeen.touch(session.id, session.lastSeenAt)
    await signIn(user)
    const before = await db.from('sessions').where('id', session.id).firstOrFail()
    assert.isNotNull(before.ended_at)

    clock.advance(60_000)
    await lastSeen.flush({ everything: true })
    assert.deepEqual(await db.from('sessions').where('id', session.id).firstOrFail(), before)
  })

  test('a late write never moves time backwards', async ({ assert }) => {
    const { session } = await signIn(await makeUser())
    clock.advance(1_000)
    lastSeen.touch(session.id, session.lastSeenAt)
    const later = clock.millis() + 5_000
    await db
      .from('sessions')
      .where('id', session.id)
      .update({ last_seen_at: new Date(later) })
    await lastSeen.flush({ everything: true })
    assert.equal(await written(session.id), later)
  })

  test('what was just written is not written again within the minute', async ({ assert }) => {
    const { session } = await signIn(await makeUser())
    clock.advance(60_000)
    lastSeen.touch(session.id, session.lastSeenAt)
    await lastSeen.flush()
    const first = clock.millis()
    assert.equal(await written(session.id), first)

    /** A request that looked the session up before the write. */
    clock.advance(30_000)
    lastSeen.touch(session.id, session.lastSeenAt)
    await lastSeen.flush()
    assert.equal(await written(session.id), first)

    clock.advance(30_000)
    await lastSeen.flush()
    assert.equal(await written(session.id), first + 30_000)
  })

  test('a flush the database refuses loses nothing', async ({ assert }) => {
    let refuses = true
    const writes: { id: string; at: Date }[][] = []
    const ledger = new LastUsedBuffer(async (entries) => {
      if (refuses) throw new Error('out of reach')
      writes.push(entries)
    })
    ledger.touch('a', null)
    await assert.rejects(() => ledger.flush(), 'out of reach')
    refuses = false
    await ledger.close()
    assert.deepEqual(writes, [[{ id: 'a', at: clock.now() }]])
  })

  test('the session in use within the minute is not the one to be evicted', async ({ assert }) => {
    sessionsConfig.limit = 2
    const user = await makeUser()
    const phone = await signIn(user)
    clock.advance(1_000)
    const tablet = await signIn(user)
    clock.advance(1_000)
    lastSeen.touch(phone.session.id, phone.session.lastSeenAt)

    clock.advance(1_000)
    const laptop = await signIn(user)
    assert.deepEqual(
      laptop.endedSessions.map((ended) => ended.session.id),
      [tablet.session.id]
    )
  })

  test('a use late in the idle time is written before it is answered', async ({ assert }) => {
    sessionsConfig.idleTimeout = 20_000
    const { session } = await signIn(await makeUser())
    clock.advance(9_999)
    assert.isTrue(useSession(session), 'nobody waits for an early one')
    assert.equal(await written(session.id), session.lastSeenAt.getTime())

    clock.advance(1)
    assert.isTrue(await useSession(session))
    assert.equal(await written(session.id), clock.millis())
  })

  test('late uses of many sessions at one moment go in one transaction', async ({ assert }) => {
    sessionsConfig.idleTimeout = 20_000
    sessionsConfig.limit = 0
    const user = await makeUser()
    const opened = [await signIn(user), await signIn(user), await signIn(await makeUser())]
    clock.advance(15_000)
    const noted = await Promise.all(opened.map(({ session }) => useSession(session)))
    assert.deepEqual(noted, [true, true, true])
    for (const { session } of opened) assert.equal(await written(session.id), clock.millis())
  })

  test('a late use is refused once the session has ended or gone idle, and revives nothing', async ({
    assert,
  }) => {
    sessionsConfig.idleTimeout = 20_000
    const user = await makeUser()
    const { session: idle } = await signIn(user)
    clock.advance(20_000)
    assert.isFalse(await useSession(idle))
    assert.equal(await written(idle.id), idle.lastSeenAt.getTime())

    const { session: ended } = await signIn(user)
    await signIn(user)
    clock.advance(15_000)
    assert.isFalse(await useSession(ended))
  })

  test('a use that was to be written behind is dropped once the session has gone idle', async ({
    assert,
  }) => {
    sessionsConfig.idleTimeout = 20_000
    const { session } = await signIn(await makeUser())
    clock.advance(9_000)
    lastSeen.touch(session.id, session.lastSeenAt)
    clock.advance(11_000)
    await lastSeen.flush({ everything: true })
    assert.equal(await written(session.id), session.lastSeenAt.getTime())
  })

  test('an end by time is written before it is told, with the moment at which time ended it', async ({
    assert,
  }) => {
    sessionsConfig.idleTimeout = 20_000
    const { session, tokens } = await signIn(await makeUser())
    clock.advance(25_000)
    const verdict = await verifyToken(tokens.token, ['access'])
    const idleAt = new Date(session.lastSeenAt.getTime() + 20_000)
    assert.containsSubset(verdict, { type: 'ended', end: { reason: 'idle', endedAt: idleAt } })
    const row = await db.from('sessions').where('id', session.id).firstOrFail()
    assert.equal(row.end_reason, 'idle')
    assert.equal(new Date(row.ended_at).getTime(), idleAt.getTime())

    sessionsConfig.idleTimeout = 60_000
    assert.containsSubset(await verifyToken(tokens.token, ['access']), verdict)
  })
})
