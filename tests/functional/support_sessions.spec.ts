import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import mail from '@adonisjs/mail/services/main'
import clock from '#app/clock'
import { changeRole } from '#app/accounts/roles_and_limits'
import { disableUser } from '#app/accounts/disabled_users'
import { openSupport } from '#app/accounts/support'
import sessionsConfig from '#config/sessions'
import NewDeviceMail from '#mails/new_device_mail'
import { postman } from '#mails/postman'
import SupportSessionMail from '#mails/support_session_mail'
import type User from '#models/user'
import { makeUser, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { keepPolicy } from '#tests/harness/policy'
import { createClient, revokeClient } from '#app/service_clients/service_client'

const MINUTE = 60_000

test.group('Support sessions', (group) => {
  let ada: User & { email: string }
  let admin: User
  let adminToken: string

  group.each.setup(async () => {
    await emptyDatabase()
    clock.freeze()
    const restore = keepPolicy()
    sessionsConfig.limit = 1
    ada = await makeUser()
    admin = await makeUser({ role: 'admin' })
    const opened = await signIn(admin)
    adminToken = opened.tokens.token
    return () => {
      restore()
      clock.restore()
    }
  })

  test('takes no place, evicts nobody, is evicted by nobody, and ends after its hour', async ({
    assert,
    client,
  }) => {
    const own = await signIn(ada, { id: 'phone' })
    const support = await client
      .post(`/api/v1/admin/users/${ada.id}/support-session`)
      .bearerToken(adminToken)
      .json({ reason: 'ticket 4711', duration: '30m' })
    support.assertStatus(201)
    const { token, refreshToken, session, quota, expiresAt } = support.body().data
    assert.isNull(refreshToken)
    assert.equal(session.kind, 'support')
    assert.isNull(session.authenticatedAt)
    assert.deepEqual(quota, { used: 1, max: 1 })
    assert.equal(Date.parse(expiresAt), clock.millis() + 30 * MINUTE)

    const whoAmI = await client.get('/api/v1/account').bearerToken(token)
    assert.equal(whoAmI.body().data.user.id, ada.id)
    const next = await signIn(ada, { id: 'tablet' })
    assert.deepEqual(
      next.endedSessions.map((ended) => ended.session.id),
      [own.session.id]
    )
    assert.deepEqual(next.quota, { used: 1, max: 1 })
    const list = await client.get('/api/v1/sessions').bearerToken(next.tokens.token)
    assert.sameMembers(
      list.body().data.map(({ kind }: { kind: string }) => kind),
      ['user', 'support']
    )

    clock.advance(30 * MINUTE)
    const over = await client.get('/api/v1/account').bearerToken(token)
    over.assertStatus(401)
    over.assertBodyContains({ errors: [{ code: 'E_SESSION_ENDED', reason: 'expired' }] })
  })

  test('reads on the own API, changes nothing there, and signs out', async ({ assert, client }) => {
    const support = await client
      .post(`/api/v1/admin/users/${ada.email}/support-session`)
      .bearerToken(adminToken)
      .json({ reason: 'ticket 4711' })
    const { token, session } = support.body().data
    const refused = await Promise.all([
      client.post('/api/v1/auth/logout-all').bearerToken(token),
      client.post('/api/v1/auth/logout-others').bearerToken(token),
      client.post('/api/v1/auth/confirm').bearerToken(token).json({ password: 'x' }),
      client.put('/api/v1/account/password').bearerToken(token).json({}),
      client.put('/api/v1/account/email').bearerToken(token).json({ email: 'a@example.com' }),
      client.patch('/api/v1/account').bearerToken(token).json({ locale: 'de' }),
      client.delete('/api/v1/account').bearerToken(token).json({}),
      client.patch(`/api/v1/sessions/${session.id}`).bearerToken(token).json({ name: 'x' }),
      client.delete(`/api/v1/sessions/${session.id}`).bearerToken(token),
      client.post('/api/v1/api-keys').bearerToken(token).json({ name: 'x' }),
      client.delete('/api/v1/api-keys/1').bearerToken(token),
      client.get('/api/v1/admin/users').bearerToken(token),
    ])
    for (const response of refused) response.assertStatus(403)
    for (const path of ['/account', '/sessions', '/account/events', '/api-keys']) {
      const read = await client.get(`/api/v1${path}`).bearerToken(token)
      read.assertStatus(200)
    }
    const fresh = await client.get('/forward-auth?max_age=600').bearerToken(token)
    fresh.assertStatus(401)
    fresh.assertBodyContains({ errors: [{ code: 'E_REAUTHENTICATION_REQUIRED' }] })

    const left = await client.post('/api/v1/auth/logout').bearerToken(token)
    left.assertStatus(204)
    const event = await db
      .from('session_events')
      .where({ type: 'session.ended', session_id: session.id })
      .firstOrFail()
    assert.equal(event.actor, `user:${admin.id}`)
  })

  test('backends are told who acts', async ({ assert, client }) => {
    const service = await createClient(
      { name: 'desk', abilities: ['manage', 'introspect'] },
      'command:test'
    )
    const support = await client
      .post(`/api/v1/admin/users/${ada.id}/support-session`)
      .basicAuth(service.client.id, service.secret)
      .json({ reason: 'ticket' })
    support.assertStatus(201)
    const { token } = support.body().data
    const actor = `service_client:${service.client.id}`
    const passed = await client.get('/forward-auth').bearerToken(token)
    passed.assertHeader('x-auth-actor', actor)
    passed.assertHeader('x-auth-time', '')
    passed.assertHeader('x-auth-user-id', String(ada.id))
    const told = await client
      .post('/oauth/introspect')
      .basicAuth(service.client.id, service.secret)
      .form({ token })
    assert.deepEqual(told.body().act, { sub: actor })
    assert.notProperty(told.body(), 'auth_time')

    await revokeClient(service.client.id, 'command:test')
    const after = await client.get('/api/v1/account').bearerToken(token)
    after.assertStatus(401)
  })

  test('never of an admin, disabled or unknown, and not without a reason', async ({ client }) => {
    const open = (user: string | number, body: object) =>
      client.post(`/api/v1/admin/users/${user}/support-session`).bearerToken(adminToken).json(body)
    const other = await makeUser({ role: 'admin' })
    const gone = await makeUser()
    await disableUser(gone.id, { actor: 'command:test' })
    const outcomes = [
      [await open(other.id, { reason: 'x' }), 403],
      [await open(gone.id, { reason: 'x' }), 403],
      [await open(999_999, { reason: 'x' }), 404],
      [await open(ada.id, {}), 422],
      [await open(ada.id, { reason: '' }), 422],
      [await open(ada.id, { reason: 'x', duration: '61m' }), 422],
      [await open(ada.id, { reason: 'x', duration: '29s' }), 422],
      [await open(ada.id, { reason: 'x', refresh: true }), 422],
    ] as const
    for (const [response, status] of outcomes) response.assertStatus(status)
  })

  test('ends when its user becomes an admin, or its holder is none any more', async ({
    assert,
    client,
  }) => {
    const open = async (user: User) => {
      const support = await client
        .post(`/api/v1/admin/users/${user.id}/support-session`)
        .bearerToken(adminToken)
        .json({ reason: 'x' })
      return support.body().data.session.id
    }
    const bob = await makeUser()
    const first = await open(ada)
    await changeRole(ada.id, 'admin', { actor: 'command:test' })
    assert.equal(await countRows('sessions', { id: first, ended_at: null }), 0)
    const second = await open(bob)
    await changeRole(admin.id, 'user', { actor: 'command:test' })
    assert.equal(await countRows('sessions', { id: second, ended_at: null }), 0)
  })

  test('none is left to whoever lost the rights while it was opened, or where ending it was cut off', async ({
    assert,
  }) => {
    const service = await createClient({ name: 'desk', abilities: ['manage'] }, 'command:test')
    const former = await makeUser({ role: 'admin' })
    const actors = [`user:${former.id}`, `service_client:${service.client.id}`] as const
    const takeAway = async () => {
      await disableUser(former.id, { actor: 'command:test' })
      await revokeClient(service.client.id, 'command:test')
    }
    await takeAway()
    for (const actor of actors) {
      const order = { actor, note: 'x', duration: 30 * MINUTE, ip: null, userAgent: null }
      await assert.rejects(() => openSupport(ada.id, order), 'You administer nothing any more.')
    }
    assert.equal(await countRows('sessions', { user_id: ada.id, ended_at: null }), 0)

    /** As after a crash between the two commits. */
    const left = () => countRows('sessions', { kind: 'support', ended_at: null })
    await db.from('sessions').where('kind', 'support').update({ ended_at: null })
    assert.equal(await left(), 2)
    await takeAway()
    assert.equal(await left(), 0)
    await db.from('sessions').where('kind', 'support').update({ ended_at: null })
    await changeRole(former.id, 'user', { actor: 'command:test' })
    await db.from('sessions').where('actor', actors[0]).update({ ended_at: null })
    await changeRole(former.id, 'user', { actor: 'command:test' })
    assert.equal(await countRows('sessions', { actor: actors[0], ended_at: null }), 0)
  })

  test('its user is mailed, unless NOTIFY_SUPPORT=off', async ({ client, cleanup }) => {
    const { mails } = mail.fake()
    cleanup(() => mail.restore())
    const open = () =>
      client
        .post(`/api/v1/admin/users/${ada.id}/support-session`)
        .bearerToken(adminToken)
        .json({ reason: 'secret reason' })
    sessionsConfig.notifySupport = false
    await open()
    await postman.deliver()
    mails.assertNotSent(SupportSessionMail)
    sessionsConfig.notifySupport = true
    await open()
    await postman.deliver()
    mails.assertSent(SupportSessionMail, ({ message }) => {
      message.assertTo(ada.email)
      return true
    })
    mails.assertNotSent(NewDeviceMail)
  })

  test('its user ends it, and an admin does', async ({ assert, client }) => {
    const own = await signIn(ada)
    const support = await client
      .post(`/api/v1/admin/users/${ada.id}/support-session`)
      .bearerToken(adminToken)
      .json({ reason: 'secret reason' })
    const { session } = support.body().data
    const events = await client.get('/api/v1/account/events').bearerToken(own.tokens.token)
    const opened = events.body().data.find((event: any) => event.sessionId === session.id)
    assert.equal(opened.data.kind, 'support')
    assert.equal(opened.actor, `user:${admin.id}`)
    const ended = await client
      .delete(`/api/v1/sessions/${session.id}`)
      .bearerToken(own.tokens.token)
    ended.assertStatus(204)
  })
})
