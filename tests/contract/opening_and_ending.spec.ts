import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { hashToken } from '#app/tokens/token'
import sessionsConfig from '#config/sessions'
import User from '#models/user'
import { endSessions } from '#app/sessions/end'
import { liveSessionsOf } from '#app/sessions/list'
import { withUserLock } from '#app/sessions/user_lock'
import { makeUser, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase, snapshot } from '#tests/harness/database'

const DAY = 24 * 60 * 60 * 1000

test.group('Opening and ending sessions', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.setup(() => {
    const policy = { ...sessionsConfig }
    clock.freeze(new Date('2026-03-01T12:00:00.123Z'))
    return () => {
      Object.assign(sessionsConfig, policy)
      clock.restore()
    }
  })

  test('opening writes a session, two tokens by their hash alone, and the event', async ({
    assert,
  }) => {
    const user = await makeUser()
    const { tokens, session } = await signIn(user, { id: 'd1', name: 'Phone', platform: 'ios' })

    const rows = await db.from('api_tokens').where('session_id', session.id).orderBy('id')
    assert.deepEqual(
      rows.map((row) => [row.type, row.hash, row.tokenable_id]),
      [
        ['access', hashToken(tokens.token), user.id],
        ['refresh', hashToken(tokens.refreshToken!), user.id],
      ]
    )
    assert.equal(tokens.expiresAt.getTime() - clock.millis(), sessionsConfig.accessTokenTtl)
    assert.notInclude(await snapshot(), tokens.token.slice(4))
    assert.notInclude(await snapshot(), tokens.refreshToken!.slice(4))
    assert.equal(
      await countRows('session_events', { type: 'session.opened', session_id: session.id }),
      1
    )
  })

  test('both databases keep instants to the millisecond', async ({ assert }) => {
    const user = await makeUser()
    const { session } = await signIn(user)
    const [read] = await liveSessionsOf(db.connection(), user)
    const { seq, endedAt, ...stored } = read
    assert.isNull(endedAt)
    assert.deepEqual(stored, session)
    assert.isAbove(seq, 0)
    assert.equal(read.createdAt.toISOString(), '2026-03-01T12:00:00.123Z')
    const found = await User.findOrFail(user.id)
    assert.deepEqual(found.createdAt.toJSDate(), clock.now())
  })

  test('ending deletes the tokens, marks the session, keeps what explains, and logs', async ({
    assert,
  }) => {
    const user = await makeUser()
    const { tokens, session } = await signIn(user)
    clock.advance(1000)
    await withUserLock(user.id, (trx) =>
      endSessions(trx, [session], { reason: 'forced', actor: 'command:test', note: 'lost phone' })
    )

    assert.equal(await countRows('api_tokens'), 0)
    const row = await db.from('sessions').where('id', session.id).firstOrFail()
    assert.equal(row.end_reason, 'forced')
    assert.equal(row.ended_by, 'command:test')
    assert.equal(new Date(row.ended_at).getTime(), clock.millis())
    const ended = await db.from('ended_tokens').orderBy('type')
    assert.deepEqual(
      ended.map(({ hash, type, session_id: id }) => [hash, type, id]),
      [
        [hashToken(tokens.token), 'access', session.id],
        [hashToken(tokens.refreshToken!), 'refresh', session.id],
      ]
    )
    const event = await db.from('session_events').where('type', 'session.ended').firstOrFail()
    assert.equal(event.reason, 'forced')
    assert.equal(JSON.parse(event.data).note, 'lost phone')
  })

  test('a transaction that fails at its last step has ended and opened nothing', async ({
    assert,
  }) => {
    const user = await makeUser()
    const { session } = await signIn(user)
    const before = await snapshot()
    await assert.rejects(() =>
      withUserLock(user.id, async (trx) => {
        await endSessions(trx, [session], { reason: 'forced', actor: 'system' })
        throw new Error('power cut')
      })
    )
    assert.equal(await snapshot(), before)
  })

  test('a sign-in after the idle timeout finds the place free and writes why', async ({
    assert,
  }) => {
    const user = await makeUser()
    const { session } = await signIn(user)
    clock.advance(sessionsConfig.idleTimeout)
    const next = await signIn(user)
    assert.isEmpty(next.endedSessions)
    const row = await db.from('sessions').where('id', session.id).firstOrFail()
    assert.equal(row.end_reason, 'idle')
    assert.equal(new Date(row.ended_at).getTime(), clock.millis())
  })

  test('a sign-in whose password changed meanwhile is refused', async ({ assert }) => {
    const user = await makeUser()
    const stale = await User.findOrFail(user.id)
    await User.query().where('id', user.id).update({ password: 'another hash' })
    await assert.rejects(() => signIn(stale), 'Wrong e-mail or password.')
    assert.equal(await countRows('sessions'), 0)
  })

  test('a sign-in whose account was disabled meanwhile is refused', async ({ assert }) => {
    const user = await makeUser()
    const stale = await User.findOrFail(user.id)
    await User.query().where('id', user.id).update({ disabledAt: clock.now() })
    await assert.rejects(() => signIn(stale), /disabled/)
    assert.equal(await countRows('sessions'), 0)
  })

  test('device ids of two users never meet', async ({ assert }) => {
    const [ada, bob] = [await makeUser(), await makeUser()]
    await signIn(ada, { id: 'shared' })
    const { endedSessions } = await signIn(bob, { id: 'shared' })
    assert.isEmpty(endedSessions)
    assert.lengthOf(await liveSessionsOf(db.connection(), ada), 1)
  })

  test('no token outlives its session', async ({ assert }) => {
    sessionsConfig.maxLifetime = DAY
    sessionsConfig.accessTokenTtl = 2 * DAY
    const { tokens, session } = await signIn(await makeUser())
    assert.deepEqual(tokens.expiresAt, session.expiresAt)
    assert.deepEqual(tokens.refreshExpiresAt, session.expiresAt)
  })
})
