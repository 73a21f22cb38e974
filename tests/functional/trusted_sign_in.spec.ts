import { test } from '@japa/runner'
import type { ApiClient } from '@japa/api-client'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { disableUser } from '#app/accounts/disabled_users'
import accountsConfig from '#config/accounts'
import sessionsConfig from '#config/sessions'
import User from '#models/user'
import { makeUser, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase, snapshot } from '#tests/harness/database'
import { keepPolicy } from '#tests/harness/policy'
import { makeClient } from '#tests/harness/service_clients'

const MINUTE = 60_000
const JKT = 'NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs'

type Client = Awaited<ReturnType<typeof makeClient>>

function post(client: ApiClient, { basic }: Client, body: Record<string, unknown>) {
  return client.post('/api/v1/sessions').header('authorization', basic).json(body)
}

test.group('Sign-in by a trusted backend', (group) => {
  let backend: Client

  group.each.setup(() => emptyDatabase())
  group.each.setup(async () => {
    const restore = keepPolicy()
    clock.freeze()
    backend = await makeClient(['sign_in'])
    return () => {
      clock.restore()
      restore()
    }
  })

  test('makes the account on first sight, and knows it from then on', async ({
    client,
    assert,
  }) => {
    const said = {
      user: {
        externalId: 'plan/7',
        email: ' ADA@Example.com ',
        emailVerified: true,
        fullName: 'Ada',
      },
      create: true,
      device: { id: 'phone', name: 'Pixel', platform: 'Android' },
      ip: '203.0.113.7',
      userAgent: 'Pixel/9',
    }
    const first = await post(client, backend, said)
    first.assertStatus(200)
    first.assertHeader('cache-control', 'no-store')
    const { data } = first.body()
    assert.containsSubset(data, {
      tokenType: 'Bearer',
      user: { externalId: 'plan/7', email: 'ada@example.com', fullName: 'Ada', role: 'user' },
      session: {
        kind: 'user',
        ip: '203.0.113.7',
        userAgent: 'Pixel/9',
        device: { id: 'phone', name: 'Pixel', platform: 'android' },
        authenticatedAt: clock.now().toISOString(),
      },
      endedSessions: [],
      quota: { used: 1, max: 1 },
    })
    const account = await client.get('/api/v1/account').bearerToken(data.token)
    account.assertStatus(200)
    const user = await User.findOrFail(data.user.id)
    assert.isNull(user.password)
    assert.isTrue(user.isEmailVerified)
    const events = await db.from('session_events').where('user_id', user.id).select('actor', 'type')
    assert.deepEqual(
      events.map(({ type, actor }) => [type, actor]),
      [
        ['user.created', `service_client:${backend.id}`],
        ['session.opened', `service_client:${backend.id}`],
      ]
    )

    const second = await post(client, backend, {
      user: { externalId: 'plan/7', email: null, fullName: 'Another' },
    })
    second.assertStatus(200)
    assert.containsSubset(second.body().data, {
      user: { id: user.id, email: 'ada@example.com', fullName: 'Ada' },
      session: { ip: null, userAgent: null },
      endedSessions: [{ id: data.session.id, reason: 'superseded' }],
    })
    const ended = await client.get('/api/v1/account').bearerToken(data.token)
    ended.assertStatus(401)
    assert.equal(ended.body().errors[0].reason, 'superseded')
    const row = await db.from('sessions').where('id', data.session.id).firstOrFail()
    assert.equal(row.ended_by, `service_client:${backend.id}`)
  })

  test('finds the user by the first key that is given, and by nothing else', async ({
    client,
    assert,
  }) => {
    const ada = await makeUser({ email: 'ada@example.com' })
    const other = await makeUser({ email: 'other@example.com' })
    await User.query().where('id', other.id).update({ externalId: 'x' })
    const ask = async (user: Record<string, unknown>, create = false) => {
      const answer = await post(client, backend, { user, create })
      const { data, errors } = answer.body()
      return data ? data.user.id : `${answer.status()} ${errors[0].code}`
    }
    assert.equal(await ask({ id: ada.id }), ada.id)
    assert.equal(await ask({ id: String(ada.id) }), ada.id)
    assert.equal(await ask({ email: 'ADA@example.com' }), ada.id)
    assert.equal(await ask({ externalId: 'x' }), other.id)
    assert.equal(
      await ask({ id: ada.id, externalId: 'unheld', email: 'unheld@example.com' }),
      ada.id
    )

    const before = await snapshot()
    assert.equal(await ask({ id: ada.id, externalId: 'x' }, true), '409 E_USER_EXISTS')
    assert.equal(await ask({ externalId: 'x', email: ada.email }), '409 E_USER_EXISTS')
    assert.equal(await ask({ externalId: 'new', email: ada.email }, true), '409 E_USER_EXISTS')
    assert.equal(
      await ask({ externalId: 'new', email: 'ADA@ｅｘａｍｐｌｅ.com' }, true),
      '409 E_USER_EXISTS'
    )
    assert.equal(await ask({ externalId: 'new' }), '404 E_USER_NOT_FOUND')
    assert.equal(await ask({ email: 'new@example.com' }), '404 E_USER_NOT_FOUND')
    assert.equal(await ask({ id: 4242 }, true), '404 E_USER_NOT_FOUND')
    assert.equal(await ask({ id: 4242, email: ada.email }, true), '404 E_USER_NOT_FOUND')
    assert.equal(await snapshot(), before)
  })

  test('sets the limit of the user in the same commit', async ({ client, assert }) => {
    const user = { externalId: 'seats' }
    const quota = async (body: Record<string, unknown>) => {
      const answer = await post(client, backend, { user, ...body })
      answer.assertStatus(200)
      return answer.body().data.quota
    }
    assert.deepEqual(await quota({ create: true, limit: 3 }), { used: 1, max: 3 })
    await quota({})
    assert.deepEqual(await quota({}), { used: 3, max: 3 })
    assert.deepEqual(await quota({ limit: 2 }), { used: 2, max: 2 })
    assert.deepEqual(await quota({ limit: 0 }), { used: 3, max: null })
    const changed = await db.from('session_events').where('type', 'user.limit_changed')
    assert.lengthOf(changed, 3)
    assert.equal(changed[0].actor, `service_client:${backend.id}`)

    sessionsConfig.onLimit = 'reject'
    const before = await snapshot()
    const refused = await post(client, backend, { user, limit: 2 })
    refused.assertStatus(409)
    assert.containsSubset(refused.body().errors[0], {
      code: 'E_SESSION_LIMIT_REACHED',
      quota: { used: 3, max: 2 },
    })
    assert.equal(await snapshot(), before)
    const [one, two] = refused.body().errors[0].sessions
    const stranger = await post(client, backend, { user, limit: 2, endSessions: ['none'] })
    stranger.assertStatus(422)
    const chosen = await post(client, backend, { user, limit: 2, endSessions: [one.id, two.id] })
    chosen.assertStatus(200)
    assert.deepEqual(chosen.body().data.quota, { used: 2, max: 2 })
    const alone = await post(client, backend, { user, logoutOthers: true })
    assert.lengthOf(alone.body().data.endedSessions, 2)
  })

  test('is as fresh as the backend says, and confirmed by it', async ({ client, assert }) => {
    const user = { externalId: 'fresh' }
    const earlier = new Date(clock.millis() - 20 * MINUTE).toISOString()
    const opened = await post(client, backend, { user, create: true, authenticatedAt: earlier })
    const { token, session } = opened.body().data
    assert.equal(session.authenticatedAt, earlier)
    const makeKey = () =>
      client.post('/api/v1/api-keys').bearerToken(token).json({ name: 'Script' })
    const stale = await makeKey()
    stale.assertStatus(401)
    assert.equal(stale.body().errors[0].code, 'E_REAUTHENTICATION_REQUIRED')

    const confirm = (body: object = {}, id = session.id) =>
      client
        .post(`/api/v1/sessions/${id}/confirm`)
        .header('authorization', backend.basic)
        .json(body)
    const later = new Date(clock.millis() + 1).toISOString()
    const future = await confirm({ authenticatedAt: later })
    future.assertStatus(422)
    const confirmed = await confirm()
    confirmed.assertStatus(200)
    assert.deepEqual(confirmed.body().data, { authenticatedAt: clock.now().toISOString() })
    const older = await confirm({ authenticatedAt: earlier })
    assert.deepEqual(older.body().data, confirmed.body().data, 'never less fresh')
    const fresh = await makeKey()
    fresh.assertStatus(201)

    await post(client, backend, { user })
    for (const id of [session.id, 'x', '7b0c1d0e-0000-4000-8000-000000000000']) {
      const none = await confirm({}, id)
      none.assertStatus(404)
    }
    const ahead = await post(client, backend, { user, authenticatedAt: later })
    ahead.assertStatus(422)
    assert.equal(ahead.body().errors[0].field, 'authenticatedAt')
  })

  test('binds the tokens to the key of the person', async ({ client, assert }) => {
    const user = { externalId: 'bound' }
    const bound = await post(client, backend, { user, create: true, dpopJkt: JKT })
    bound.assertStatus(200)
    assert.equal(bound.body().data.tokenType, 'DPoP')
    const stolen = await client.get('/api/v1/account').bearerToken(bound.body().data.token)
    stolen.assertStatus(401)

    for (const [binding, field] of [
      ['key', 'dpopJkt'],
      ['user_agent', 'userAgent'],
    ] as const) {
      sessionsConfig.binding = binding
      const answer = await post(client, backend, { user })
      answer.assertStatus(422)
      assert.equal(answer.body().errors[0].field, field)
    }
  })

  test('opens no session of an admin, or of an account that nobody may use', async ({
    client,
    assert,
    cleanup,
  }) => {
    const admin = await makeUser({ role: 'admin' })
    const disabled = await makeUser()
    await disableUser(disabled.id, { actor: 'system' })
    const awaiting = await makeUser()
    await User.query().where('id', awaiting.id).update({ mustVerifyEmail: true })
    accountsConfig.verifiesEmail = true
    cleanup(() => {
      accountsConfig.verifiesEmail = false
    })
    const { session } = await signIn(admin)
    const before = await snapshot()
    for (const [user, code] of [
      [admin, 'E_FORBIDDEN'],
      [disabled, 'E_ACCOUNT_DISABLED'],
      [awaiting, 'E_EMAIL_NOT_VERIFIED'],
    ] as const) {
      const answer = await post(client, backend, { user: { id: user.id }, limit: 5 })
      answer.assertStatus(403)
      assert.equal(answer.body().errors[0].code, code)
    }
    const confirmed = await client
      .post(`/api/v1/sessions/${session.id}/confirm`)
      .header('authorization', backend.basic)
      .json({})
    confirmed.assertStatus(403)
    assert.equal(await snapshot(), before)
  })

  const WRONG: Record<string, Record<string, unknown>> = {
    'no user': {},
    'a user without a key': { user: { fullName: 'Ada' } },
    'an external id that is empty': { user: { externalId: '' } },
    'an external id beyond ASCII': { user: { externalId: 'é' } },
    'an external id of 256 characters': { user: { externalId: 'x'.repeat(256) } },
    'an e-mail that is none': { user: { email: 'ada' } },
    'an id that is none': { user: { id: 0 } },
    'a list as user': { user: [] },
    'an unknown field': { user: { externalId: 'x' }, limits: 3 },
    'an unknown field of the user': { user: { externalId: 'x', role: 'admin' } },
    'a negative limit': { user: { externalId: 'x' }, limit: -1 },
    'a limit of text': { user: { externalId: 'x' }, limit: '3' },
    'an ip that is none': { user: { externalId: 'x' }, ip: '203.0.113' },
    'a thumbprint that is none': { user: { externalId: 'x' }, dpopJkt: 'x' },
    'a time that is none': { user: { externalId: 'x' }, authenticatedAt: 'yesterday' },
    'create as text': { user: { externalId: 'x' }, create: 'true' },
  }
  for (const [what, body] of Object.entries(WRONG)) {
    test(`${what} is a 422`, async ({ client, assert }) => {
      const answer = await post(client, backend, { create: true, ...body })
      answer.assertStatus(422)
      assert.equal(await countRows('users'), 0)
    })
  }

  test('labels of any size are cut', async ({ client, assert }) => {
    const answer = await post(client, backend, {
      user: { externalId: 'labels' },
      create: true,
      userAgent: `\0${'x'.repeat(5_000)}\ud800`,
      device: { name: 'n'.repeat(500), platform: 'Mac OS X' },
      ip: '2001:db8::1',
    })
    answer.assertStatus(200)
    const { session } = answer.body().data
    assert.lengthOf(session.userAgent, 512)
    assert.equal(session.device.platform, 'macos')
  })
})
