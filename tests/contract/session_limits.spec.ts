import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { setSessionLimit } from '#app/accounts/roles_and_limits'
import sessionsConfig from '#config/sessions'
import { E_SESSION_LIMIT_REACHED, E_VALIDATION_ERROR } from '#exceptions/errors'
import type User from '#models/user'
import { lastSeen } from '#app/sessions/last_seen'
import { liveSessionsOf } from '#app/sessions/list'
import { sessionLimitOf } from '#app/sessions/policy'
import { enforceLimits } from '#app/jobs/enforce_limits'
import { makeUser, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase, snapshot } from '#tests/harness/database'
import { keepPolicy } from '#tests/harness/policy'

async function live(user: User): Promise<string> {
  const sessions = await liveSessionsOf(db.connection(), user)
  return sessions.map((session) => session.device.name).join('')
}

test.group('Session limits', (group) => {
  group.each.setup(async () => {
    await emptyDatabase()
    clock.freeze()
    const restore = keepPolicy()
    return () => {
      restore()
      clock.restore()
    }
  })

  test('the limit of the user stands before that of the role, which stands before the rest', ({
    assert,
  }) => {
    sessionsConfig.limit = 5
    assert.equal(sessionLimitOf({ role: 'admin', sessionLimit: null }), 5)
    sessionsConfig.limitPerRole = { admin: 2 }
    assert.equal(sessionLimitOf({ role: 'admin', sessionLimit: null }), 2)
    assert.equal(sessionLimitOf({ role: 'user', sessionLimit: null }), 5)
    assert.equal(sessionLimitOf({ role: 'admin', sessionLimit: 3 }), 3)
    assert.isNull(sessionLimitOf({ role: 'admin', sessionLimit: 0 }))
    sessionsConfig.limitPerRole = { admin: 0 }
    assert.isNull(sessionLimitOf({ role: 'admin', sessionLimit: null }))
  })

  test('a role or a user with a limit of its own holds as many sessions', async ({ assert }) => {
    sessionsConfig.limitPerRole = { admin: 2 }
    const admin = await makeUser({ role: 'admin' })
    for (const name of 'ABC') await signIn(admin, { name }).then(() => clock.advance(1))
    assert.equal(await live(admin), 'CB')

    const user = await makeUser()
    await setSessionLimit(user.id, 3, 'command:test')
    for (const name of 'ABCD') await signIn(user, { name }).then(() => clock.advance(1))
    assert.equal(await live(user), 'DCB')
    const last = await signIn(user, { name: 'E' })
    assert.deepEqual(last.quota, { used: 3, max: 3 })
  })

  test('a limit is written once, with an event that tells from what to what', async ({
    assert,
  }) => {
    const user = await makeUser()
    await setSessionLimit(user.id, 3, 'command:test')
    await setSessionLimit(user.id, 3, 'command:test')
    await setSessionLimit(user.id, null, 'user:1')
    const events = await db.from('session_events').where('type', 'user.limit_changed').orderBy('id')
    assert.deepEqual(
      events.map(({ actor, data }) => [actor, JSON.parse(data)]),
      [
        ['command:test', { from: null, to: 3 }],
        ['user:1', { from: 3, to: null }],
      ]
    )
    assert.isNull(await setSessionLimit(user.id + 1, 3, 'command:test'))
  })

  test('a lowered limit ends all the surplus at the next sign-in', async ({ assert }) => {
    sessionsConfig.limit = 0
    const user = await makeUser()
    for (const name of 'ABCD') await signIn(user, { name }).then(() => clock.advance(1))
    await setSessionLimit(user.id, 2, 'command:test')
    assert.equal(await live(user), 'DCBA')

    const { endedSessions, quota } = await signIn(user, { name: 'E' })
    assert.deepEqual(
      endedSessions.map(({ session, reason }) => [session.device.name, reason]),
      [
        ['C', 'superseded'],
        ['B', 'superseded'],
        ['A', 'superseded'],
      ]
    )
    assert.deepEqual(quota, { used: 2, max: 2 })
    assert.equal(await live(user), 'ED')
  })

  test('a lowered limit refuses the next sign-in where the policy does', async ({ assert }) => {
    sessionsConfig.limit = 0
    const user = await makeUser()
    for (const name of 'ABC') await signIn(user, { name }).then(() => clock.advance(1))
    Object.assign(sessionsConfig, { limit: 2, onLimit: 'reject' })
    const error = await signIn(user, { name: 'D' }).catch((reason) => reason)
    assert.instanceOf(error, E_SESSION_LIMIT_REACHED)
    assert.deepEqual(error.details.quota, { used: 3, max: 2 })
    assert.lengthOf(error.details.sessions, 3)
  })

  test('the least recently seen goes, not the oldest', async ({ assert }) => {
    sessionsConfig.limit = 2
    const user = await makeUser()
    const { session: first } = await signIn(user, { name: 'A' })
    clock.advance(1000)
    await signIn(user, { name: 'B' })
    clock.advance(1000)
    lastSeen.touch(first.id, first.lastSeenAt)
    clock.advance(1000)
    await signIn(user, { name: 'C' })
    assert.equal(await live(user), 'CA')
    await lastSeen.flush({ everything: true })
    assert.equal(await live(user), 'CA')
  })

  test('sessions seen at the same moment go by their number', async ({ assert }) => {
    sessionsConfig.limit = 3
    const user = await makeUser()
    for (const name of 'ABCDE') await signIn(user, { name })
    assert.equal(await live(user), 'EDC')
  })

  test('the same device takes its place again, and no second one', async ({ assert }) => {
    sessionsConfig.limit = 2
    const user = await makeUser()
    const { session } = await signIn(user, { id: 'phone', name: 'A' })
    await signIn(user, { name: 'B' })
    const { endedSessions, quota } = await signIn(user, { id: 'phone', name: 'C' })
    assert.deepEqual(
      endedSessions.map((ended) => [ended.session.id, ended.reason]),
      [[session.id, 'replaced']]
    )
    assert.deepEqual(quota, { used: 2, max: 2 })
    assert.equal(await live(user), 'CB')
  })

  test('the same device is let in again where the policy refuses newcomers', async ({ assert }) => {
    Object.assign(sessionsConfig, { limit: 1, onLimit: 'reject', limitPerPlatform: { ios: 1 } })
    const user = await makeUser()
    await signIn(user, { id: 'phone', name: 'A', platform: 'ios' })
    await signIn(user, { id: 'phone', name: 'B', platform: 'ios' })
    assert.equal(await live(user), 'B')
  })

  test('a missing or empty device id is no id', async ({ assert }) => {
    sessionsConfig.limit = 0
    const user = await makeUser()
    for (const id of [null, null, 'x']) await signIn(user, { id })
    assert.equal(await countRows('sessions', { ended_at: null }), 3)
  })

  test('endSessions ends exactly the chosen ones, and makes room', async ({ assert }) => {
    Object.assign(sessionsConfig, { limit: 2, onLimit: 'reject' })
    const user = await makeUser()
    const { session: chosen } = await signIn(user, { name: 'A' })
    clock.advance(1)
    await signIn(user, { name: 'B' })
    const { endedSessions } = await signIn(user, { name: 'C', endSessions: [chosen.id, chosen.id] })
    assert.deepEqual(
      endedSessions.map((ended) => [ended.session.id, ended.reason]),
      [[chosen.id, 'logged_out_elsewhere']]
    )
    assert.equal(await live(user), 'CB')
  })

  test('endSessions that would not make room ends nothing', async ({ assert }) => {
    Object.assign(sessionsConfig, { limit: 0, onLimit: 'reject' })
    const user = await makeUser()
    const { session } = await signIn(user, { name: 'A' })
    await signIn(user, { name: 'B' })
    await signIn(user, { name: 'C' })
    sessionsConfig.limit = 2
    const before = await snapshot()
    const again = () => signIn(user, { name: 'D', endSessions: [session.id] })
    assert.instanceOf(await again().catch((error) => error), E_SESSION_LIMIT_REACHED)
    assert.equal(await snapshot(), before)
  })

  test('endSessions that names what is not a live session of this user ends nothing', async ({
    assert,
  }) => {
    Object.assign(sessionsConfig, { limit: 1, onLimit: 'reject' })
    const [user, other] = [await makeUser(), await makeUser()]
    const { session: own } = await signIn(user)
    const { session: foreign } = await signIn(other)
    const { session: ended } = await signIn(await makeUser(), { logoutOthers: true })
    for (const stranger of [foreign.id, ended.id, 'x', '', own.id.toUpperCase() + ' ']) {
      const before = await snapshot()
      const refused = await signIn(user, { endSessions: [own.id, stranger] }).catch((e) => e)
      assert.instanceOf(refused, E_VALIDATION_ERROR)
      assert.equal(await snapshot(), before)
    }
  })

  test('logoutOthers lets in where the policy refuses, and ends the rest', async ({ assert }) => {
    Object.assign(sessionsConfig, { limit: 2, onLimit: 'reject', limitPerPlatform: { web: 1 } })
    const user = await makeUser()
    await signIn(user, { name: 'A', platform: 'web' })
    await signIn(user, { name: 'B' })
    const { endedSessions } = await signIn(user, {
      name: 'C',
      platform: 'web',
      logoutOthers: true,
    })
    assert.deepEqual(
      [...new Set(endedSessions.map(({ reason }) => reason))],
      ['logged_out_elsewhere']
    )
    assert.equal(await live(user), 'C')
  })

  test('trimming ends the surplus of every user, with a note, and says how much', async ({
    assert,
  }) => {
    sessionsConfig.limit = 0
    const [ada, bob, eve] = [await makeUser(), await makeUser(), await makeUser()]
    for (const name of 'ABC') {
      for (const user of [ada, bob]) await signIn(user, { name, platform: 'ios' })
      clock.advance(1)
    }
    await signIn(eve, { name: 'A' })
    await setSessionLimit(bob.id, 0, 'command:test')
    sessionsConfig.limit = 1

    const before = await snapshot()
    const wouldEnd = await enforceLimits({ actor: 'command:test', dryRun: true })
    assert.deepEqual(wouldEnd, { sessions: 2, users: 1 })
    assert.equal(await snapshot(), before)

    assert.deepEqual(await enforceLimits({ actor: 'command:test' }), { sessions: 2, users: 1 })
    assert.equal(await live(ada), 'C')
    assert.equal(await live(bob), 'CBA')
    assert.equal(await live(eve), 'A')
    const [event] = await db.from('session_events').where('type', 'session.ended')
    assert.equal(event.reason, 'forced')
    assert.equal(JSON.parse(event.data).note, 'The session limit was lowered.')

    sessionsConfig.limitPerPlatform = { ios: 2 }
    assert.deepEqual(await enforceLimits({ actor: 'command:test' }), { sessions: 1, users: 1 })
    assert.equal(await live(bob), 'CB')
  })
})
