import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { prune } from '#app/jobs/prune'
import { lastSeen } from '#app/sessions/last_seen'
import sessionsConfig from '#config/sessions'
import { makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { keepPolicy } from '#tests/harness/policy'

const MINUTE = 60_000
const KIOSK = 'kiosk-0123456789abcdefgh'

test.group('Shared devices', (group) => {
  group.each.setup(async () => {
    await emptyDatabase()
    clock.freeze()
    const restore = keepPolicy()
    sessionsConfig.limit = 1
    sessionsConfig.sharedIdle = 15 * MINUTE
    return () => {
      restore()
      clock.restore()
    }
  })

  test('a sign-in says so, gets no refresh token, and is idle after SESSION_SHARED_IDLE', async ({
    assert,
    client,
  }) => {
    const ada = await makeUser()
    const login = await client
      .post('/api/v1/auth/login')
      .json({ email: ada.email, password: PASSWORD, device: { id: KIOSK, shared: true } } as object)
    login.assertStatus(200)
    const { token, refreshToken, session, expiresAt } = login.body().data
    assert.isNull(refreshToken)
    assert.equal(session.kind, 'shared')
    assert.equal(Date.parse(expiresAt), clock.millis() + 15 * MINUTE)
    const use = () => client.get('/api/v1/account').bearerToken(token)

    for (let time = 0; time < 8; time++) {
      clock.advance(14 * MINUTE)
      const used = await use()
      used.assertStatus(200)
      await lastSeen.flush({ everything: true })
    }
    clock.advance(15 * MINUTE)
    const idle = await use()
    idle.assertStatus(401)
    idle.assertBodyContains({ errors: [{ code: 'E_SESSION_ENDED', reason: 'idle' }] })
  })

  test('lists, filters and prune know the shorter idle time, and spare other sessions', async ({
    assert,
  }) => {
    sessionsConfig.limit = 0
    const ada = await makeUser()
    await signIn(ada, { device: { id: KIOSK, name: null, platform: null, shared: true } })
    await signIn(ada, { id: 'phone' })
    clock.advance(16 * MINUTE)
    const { session } = await signIn(ada, { id: 'laptop' })
    const open = await countRows('sessions', { ended_at: null })
    assert.equal(open, 2, 'the sign-in wrote what time had ended')
    await signIn(ada, { device: { id: 'k2', name: null, platform: null, shared: true } })
    clock.advance(16 * MINUTE)
    const { lapsed } = await prune({ olderThan: 30 * 24 * 60 * MINUTE })
    assert.equal(lapsed, 1)
    assert.equal(await countRows('sessions', { id: session.id, ended_at: null }), 1)
  })

  test('the next sign-in there ends that of the one before, whoever it is, and names nobody', async ({
    assert,
    client,
  }) => {
    const device = { id: KIOSK, name: 'Front desk', platform: null, shared: true }
    const ada = await makeUser()
    const bob = await makeUser()
    const first = await signIn(ada, { device })
    const second = await signIn(bob, { device })
    assert.isEmpty(second.endedSessions, 'what others left there is not told to the newcomer')

    const told = await client.get('/api/v1/account').bearerToken(first.tokens.token)
    told.assertStatus(401)
    const [error] = told.body().errors
    assert.equal(error.reason, 'replaced')
    assert.deepEqual(error.by, { name: 'Front desk', platform: null })
    const lives = await client.get('/api/v1/account').bearerToken(second.tokens.token)
    lives.assertStatus(200)
    const event = await db
      .from('session_events')
      .where({ type: 'session.ended', session_id: first.session.id })
      .firstOrFail()
    assert.equal(event.actor, 'system')
    assert.notInclude(event.data, bob.email!)
  })

  test('not where the id is short, or the other session is on no shared device', async ({
    assert,
  }) => {
    const ada = await makeUser()
    const bob = await makeUser()
    const short = { id: 'kiosk', name: null, platform: null, shared: true }
    await signIn(ada, { device: short })
    await signIn(bob, { device: short })
    assert.equal(await countRows('sessions', { ended_at: null }), 2)
    const own = { id: KIOSK, name: null, platform: null }
    await signIn(ada, { device: own })
    await signIn(bob, { device: { ...own, shared: true } })
    assert.equal(await countRows('sessions', { ended_at: null }), 2)
    await signIn(ada, { device: own })
    assert.equal(await countRows('sessions', { ended_at: null }), 2)
  })

  test('many people at one moment: one stays', async ({ assert }) => {
    const device = { id: KIOSK, name: null, platform: null, shared: true }
    const people = await Promise.all(Array.from({ length: 6 }, () => makeUser()))
    await Promise.all(people.map((person) => signIn(person, { device })))
    assert.equal(await countRows('sessions', { ended_at: null }), 1)
  })
})
