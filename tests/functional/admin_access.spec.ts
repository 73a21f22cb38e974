import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { hashToken, mintToken } from '#app/tokens/token'
import clock from '#app/clock'
import { makeUser, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'

const ROUTES = [
  ['get', 'users'],
  ['get', 'users/1/sessions'],
  ['get', 'events'],
  ['delete', 'users/1/sessions'],
  ['delete', 'sessions/7b0c1d0e-0000-4000-8000-000000000000'],
  ['post', 'force-logout'],
  ['post', 'users/1/disable'],
  ['post', 'users/1/enable'],
] as const

test.group('Admin routes', (group) => {
  group.each.setup(() => emptyDatabase())

  for (const [method, path] of ROUTES) {
    test(`${method} ${path} is for admins alone`, async ({ client, assert }) => {
      const anonymous = await client[method](`/api/v1/admin/${path}`)
      anonymous.assertStatus(401)

      const user = await makeUser()
      const { tokens } = await signIn(user)
      const answer = await client[method](`/api/v1/admin/${path}`).bearerToken(tokens.token)
      answer.assertStatus(403)
      assert.equal(answer.body().errors[0].code, 'E_FORBIDDEN')
      assert.equal(await countRows('session_events', { type: 'session.ended' }), 0)
    })
  }

  test('an API key of an admin administers nothing', async ({ client }) => {
    const admin = await makeUser({ role: 'admin' })
    const key = mintToken('api_key')
    const now = clock.now()
    await db.table('api_tokens').insert({
      tokenable_id: admin.id,
      type: 'api_key',
      name: 'script',
      hash: hashToken(key),
      abilities: '["*"]',
      created_at: now,
      updated_at: now,
    })
    const answer = await client.get('/api/v1/admin/users').bearerToken(key)
    answer.assertStatus(403)
  })

  test('users are found by e-mail, name or id, with their live sessions', async ({
    client,
    assert,
  }) => {
    const admin = await makeUser({ role: 'admin', email: 'root@example.com' })
    const ada = await makeUser({ email: 'ada_x@example.com', fullName: 'Ada Lovelace' })
    await makeUser({ email: 'adabx@example.com' })
    await signIn(ada)
    const { tokens } = await signIn(admin)
    const search = async (text: string) => {
      const answer = await client
        .get('/api/v1/admin/users')
        .qs({ search: text })
        .bearerToken(tokens.token)
      answer.assertStatus(200)
      return answer.body()
    }

    const byName = await search('LOVE')
    assert.lengthOf(byName.data, 1)
    assert.containsSubset(byName.data[0], { email: ada.email, liveSessions: 1, disabledAt: null })
    assert.notProperty(byName.data[0], 'password')
    const literal = await search('a_x')
    assert.lengthOf(literal.data, 1, 'an underscore stands for itself')
    const byId = await search(String(ada.id))
    assert.isTrue(byId.data.some((user: { id: number }) => user.id === ada.id))
    const none = await search("'; drop table users; --")
    assert.lengthOf(none.data, 0)
  })

  test('lists come in pages', async ({ client, assert }) => {
    const admin = await makeUser({ role: 'admin' })
    for (let count = 0; count < 4; count++) await makeUser()
    const { tokens } = await signIn(admin)
    const page = async (query: Record<string, unknown>) =>
      client.get('/api/v1/admin/users').qs(query).bearerToken(tokens.token)

    const second = await page({ page: 2, perPage: 2 })
    second.assertStatus(200)
    assert.lengthOf(second.body().data, 2)
    assert.containsSubset(second.body().metadata ?? second.body().meta, {
      total: 5,
      perPage: 2,
      currentPage: 2,
      lastPage: 3,
    })
    for (const query of [{ page: 0 }, { page: 'x' }, { perPage: 1000 }, { perPage: 1.5 }]) {
      const refused = await page(query)
      refused.assertStatus(422)
    }
  })

  test('the sessions of a user, latest activity first', async ({ client, assert }) => {
    const admin = await makeUser({ role: 'admin' })
    const { tokens, session } = await signIn(admin, { name: 'Desk' })
    const answer = await client
      .get(`/api/v1/admin/users/${admin.id}/sessions`)
      .bearerToken(tokens.token)
    answer.assertStatus(200)
    assert.lengthOf(answer.body().data, 1)
    assert.containsSubset(answer.body().data[0], {
      id: session.id,
      user: { id: admin.id, email: admin.email },
      device: { name: 'Desk' },
      current: true,
    })
  })

  test('the log is listed newest first and filtered', async ({ client, assert }) => {
    const admin = await makeUser({ role: 'admin' })
    const ada = await makeUser()
    await signIn(ada)
    const { tokens } = await signIn(admin)
    const list = async (query: Record<string, unknown>) =>
      client.get('/api/v1/admin/events').qs(query).bearerToken(tokens.token)

    const all = await list({})
    all.assertStatus(200)
    assert.equal(all.body().data[0].type, 'session.opened')
    const ofAda = await list({ user: ada.id, type: 'session.opened' })
    assert.lengthOf(ofAda.body().data, 1)
    assert.equal(ofAda.body().data[0].userId, ada.id)
    for (const query of [{ user: 'x' }, { session: 'x' }, { from: 'x' }, { type: ['a', 'b'] }]) {
      const refused = await list(query)
      refused.assertStatus(422)
    }
  })
})
