import { test } from '@japa/runner'
import type { ApiClient } from '@japa/api-client'
import db from '@adonisjs/lucid/services/db'
import sessionsConfig from '#config/sessions'
import { makeUser, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'

const ROUTE = '/api/v1/admin/force-logout'

async function statusOf(client: ApiClient, token: string) {
  const answer = await client.get('/api/v1/account').bearerToken(token)
  return answer.status()
}

test.group('Force logout by an admin', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.setup(() => {
    const { limit } = sessionsConfig
    sessionsConfig.limit = 0
    return () => {
      sessionsConfig.limit = limit
    }
  })

  async function scene() {
    const admin = await makeUser({ role: 'admin' })
    const ada = await makeUser()
    const { tokens } = await signIn(admin, { name: 'Desk' })
    const phone = await signIn(ada, { name: 'Phone', platform: 'ios' })
    const tablet = await signIn(ada, { name: 'Tablet', platform: 'android' })
    return { admin, ada, phone, tablet, token: tokens.token }
  }

  test('ends the sessions of a user at once and says which', async ({ client, assert }) => {
    const { ada, admin, phone, tablet, token } = await scene()
    const answer = await client
      .delete(`/api/v1/admin/users/${ada.id}/sessions`)
      .bearerToken(token)
      .json({ reason: 'lost phone' })
    answer.assertStatus(200)
    const { data } = answer.body()
    assert.containsSubset(data, { ended: 2, apiKeysEnded: 0, dryRun: false, complete: true })
    assert.isFalse(data.endedOwnSession)
    assert.deepEqual(
      data.sessions.map((session: { id: string }) => session.id),
      [phone.session.id, tablet.session.id]
    )
    assert.equal(data.sessions[0].user.email, ada.email)

    const refused = await client.get('/api/v1/account').bearerToken(phone.tokens.token)
    refused.assertStatus(401)
    assert.equal(refused.body().errors[0].reason, 'forced')
    assert.notInclude(refused.text(), 'lost phone')
    assert.equal(await statusOf(client, token), 200)

    const act = await db.from('session_events').where('type', 'force_logout').firstOrFail()
    assert.equal(act.actor, `user:${admin.id}`)
    assert.containsSubset(JSON.parse(act.data), { note: 'lost phone', matched: 2 })
    assert.equal(await countRows('session_events', { type: 'session.ended', reason: 'forced' }), 2)
  })

  test('without a body it ends all sessions of the user', async ({ client, assert }) => {
    const { ada, token } = await scene()
    const answer = await client.delete(`/api/v1/admin/users/${ada.id}/sessions`).bearerToken(token)
    answer.assertStatus(200)
    assert.equal(answer.body().data.ended, 2)
  })

  test('ends one session by its id', async ({ client, assert }) => {
    const { phone, tablet, token } = await scene()
    const answer = await client
      .delete(`/api/v1/admin/sessions/${phone.session.id}`)
      .bearerToken(token)
    answer.assertStatus(200)
    assert.equal(answer.body().data.ended, 1)
    assert.equal(await statusOf(client, phone.tokens.token), 401)
    assert.equal(await statusOf(client, tablet.tokens.token), 200)
  })

  test('a dry run names what the real run ends, and changes nothing', async ({
    client,
    assert,
  }) => {
    const { ada, phone, token } = await scene()
    const body = { users: [ada.email], platform: 'ios', reason: 'test' }
    const dry = await client
      .post(ROUTE)
      .bearerToken(token)
      .json({ ...body, dryRun: true })
    dry.assertStatus(200)
    assert.isTrue(dry.body().data.dryRun)
    assert.equal(await countRows('session_events', { type: 'force_logout' }), 0)
    assert.equal(await statusOf(client, phone.tokens.token), 200)

    const real = await client.post(ROUTE).bearerToken(token).json(body)
    assert.equal(real.body().data.ended, 1)
    assert.equal(dry.body().data.ended, 1)
    const ids = (answer: typeof dry) =>
      answer.body().data.sessions.map((session: { id: string }) => session.id)
    assert.deepEqual(ids(dry), ids(real))
    assert.deepEqual(ids(real), [phone.session.id])
  })

  test('everyone: all old tokens stop, the admin is told that it was them too', async ({
    client,
    assert,
  }) => {
    const { ada, phone, tablet, token } = await scene()
    const answer = await client.post(ROUTE).bearerToken(token).json({ all: true, reason: 'leak' })
    answer.assertStatus(200)
    const { data } = answer.body()
    assert.containsSubset(data, { ended: 3, endedOwnSession: true })
    assert.isString(data.cutAt)
    for (const old of [token, phone.tokens.token, tablet.tokens.token]) {
      assert.equal(await statusOf(client, old), 401)
    }
    const fresh = await signIn(ada)
    assert.equal(await statusOf(client, fresh.tokens.token), 200)
    assert.equal(await countRows('session_events', { type: 'session.ended' }), 3)
  })

  test('an admin who ends their own sessions is told so', async ({ client, assert }) => {
    const { admin, token } = await scene()
    const answer = await client
      .post(ROUTE)
      .bearerToken(token)
      .json({ users: [admin.id] })
    assert.containsSubset(answer.body().data, { ended: 1, endedOwnSession: true })
    assert.isTrue(answer.body().data.sessions[0].current)
    assert.equal(await statusOf(client, token), 401)
  })

  for (const [what, body] of [
    ['nobody', {}],
    ['users and everyone', { users: [1], all: true }],
    ['an empty list', { users: [] }],
    ['an unknown user', { users: ['nobody@example.com'] }],
    ['a user that can not be', { users: ['a@b\u0000c'] }],
    ['a misspelt filter', { all: true, plattform: 'ios' }],
    ['all as text', { all: 'true' }],
    ['a filter that is no text', { all: true, platform: { $ne: '' } }],
    ['a duration that is none', { all: true, idleFor: 'soon' }],
    ['a date that is none', { all: true, before: 'yesterday' }],
    ['a session id that is none', { all: true, session: '1' }],
    ['API keys on a device', { all: true, platform: 'ios', includeApiKeys: true }],
    ['a reason that is too long', { all: true, reason: 'x'.repeat(501) }],
    ['a list', [1]],
  ] as const) {
    test(`a body that names ${what} is refused and ends nothing`, async ({ client, assert }) => {
      const { token } = await scene()
      const answer = await client.post(ROUTE).bearerToken(token).json(body)
      answer.assertStatus(422)
      assert.equal(answer.body().errors[0].code, 'E_VALIDATION_ERROR')
      assert.equal(await countRows('session_events', { type: 'session.ended' }), 0)
      assert.equal(await countRows('cutoffs'), 0)
    })
  }

  test('a filter in the query string is refused, not passed over', async ({ client, assert }) => {
    const { ada, token } = await scene()
    const answer = await client
      .delete(`/api/v1/admin/users/${ada.id}/sessions?platform=ios`)
      .bearerToken(token)
    answer.assertStatus(422)
    assert.equal(await countRows('session_events', { type: 'session.ended' }), 0)
  })

  for (const path of [
    'users/0/sessions',
    'users/1e3/sessions',
    'users/99999999999/sessions',
    'users/%00/sessions',
    'users/a%40b%00/sessions',
    'users/4242/sessions',
    'sessions/1',
    'sessions/%00',
    'sessions/7b0c1d0e-0000-4000-8000-000000000000',
  ]) {
    test(`DELETE ${path} is a 404`, async ({ client }) => {
      const { token } = await scene()
      const answer = await client.delete(`/api/v1/admin/${path}`).bearerToken(token)
      answer.assertStatus(404)
    })
  }
})
