import { test } from '@japa/runner'
import type { ApiClient } from '@japa/api-client'
import db from '@adonisjs/lucid/services/db'
import { changeRole } from '#app/accounts/roles_and_limits'
import { forceLogoutByAdmin } from '#app/force_logout/by_admin'
import accountsConfig from '#config/accounts'
import User from '#models/user'
import { makeApiKey, makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase, snapshot } from '#tests/harness/database'
import { makeClient } from '#tests/harness/service_clients'

type Said = Record<string, unknown>

/**
 * Asks the admin routes as somebody: a header, and what to send.
 */
function speaker(client: ApiClient, authorization: string) {
  return (method: 'get' | 'post' | 'patch' | 'delete', path: string, body?: Said) => {
    const request = client[method](`/api/v1/admin/${path}`).header('authorization', authorization)
    return body ? request.json(body) : request
  }
}

async function speakers(client: ApiClient) {
  const admin = await makeUser({ role: 'admin' })
  const { tokens } = await signIn(admin)
  const manager = await makeClient(['manage'])
  return {
    admin,
    manager,
    asAdmin: speaker(client, `Bearer ${tokens.token}`),
    asClient: speaker(client, manager.basic),
  }
}

test.group('Managing users', (group) => {
  group.each.setup(() => emptyDatabase())

  test('a service client makes, finds, changes and deletes an account', async ({
    client,
    assert,
  }) => {
    const { asClient, manager } = await speakers(client)
    const given = { externalId: 'u1', email: 'Ada@Example.com', emailVerified: true }
    const made = await asClient('post', 'users', { ...given, sessionLimit: 2 })
    made.assertStatus(201)
    const { id } = made.body().data
    assert.containsSubset(made.body().data, {
      externalId: 'u1',
      email: 'ada@example.com',
      emailVerified: true,
      fullName: null,
      role: 'user',
      sessionLimit: 2,
      liveSessions: 0,
      disabledAt: null,
    })

    const again = await asClient('post', 'users', { externalId: 'u1', fullName: 'Ada Lovelace' })
    again.assertStatus(200)
    assert.containsSubset(again.body().data, {
      id,
      email: 'ada@example.com',
      fullName: 'Ada Lovelace',
    })
    for (const reference of [id, 'external:u1', 'ada@example.com']) {
      const shown = await asClient('get', `users/${encodeURIComponent(reference)}`)
      shown.assertStatus(200)
      assert.equal(shown.body().data.id, id)
    }

    const user = await User.findOrFail(id)
    const { session } = await signIn(user)
    const changed = await asClient('patch', 'users/external:u1', {
      email: 'ada@lovelace.example',
      externalId: 'u2',
      sessionLimit: null,
      fullName: null,
    })
    changed.assertStatus(200)
    assert.containsSubset(changed.body().data, {
      externalId: 'u2',
      email: 'ada@lovelace.example',
      emailVerified: false,
      sessionLimit: null,
      fullName: null,
      liveSessions: 1,
    })
    const disabled = await asClient('patch', 'users/external:u2', { disabled: true })
    assert.isString(disabled.body().data.disabledAt)
    assert.equal(disabled.body().data.liveSessions, 0)
    const row = await db.from('sessions').where('id', session.id).firstOrFail()
    assert.equal(row.end_reason, 'account_disabled')
    const enabled = await asClient('patch', 'users/external:u2', { disabled: false, email: null })
    assert.containsSubset(enabled.body().data, { disabledAt: null, email: null })

    const gone = await asClient('delete', 'users/external:u2', { reason: 'asked for it' })
    gone.assertStatus(204)
    for (const method of ['get', 'patch', 'delete'] as const) {
      const none = await asClient(method, `users/${id}`, {})
      none.assertStatus(404)
    }
    const actors = await db
      .from('session_events')
      .where('user_id', id)
      .whereNot('type', 'session.opened')
      .distinct('actor')
    assert.deepEqual(actors, [{ actor: `service_client:${manager.id}` }])
  })

  test('the e-mail or external id of another account is a 409', async ({ client, assert }) => {
    const { asClient } = await speakers(client)
    const ada = await makeUser({ email: 'ada@example.com' })
    await asClient('post', 'users', { externalId: 'held' })
    const before = await snapshot()
    const refused = [
      await asClient('post', 'users', { email: ada.email }),
      await asClient('post', 'users', { externalId: 'new', email: ada.email }),
      await asClient('post', 'users', { externalId: 'held', email: ada.email }),
      await asClient('patch', `users/${ada.id}`, { externalId: 'held' }),
      await asClient('patch', 'users/external:held', { email: ada.email }),
    ]
    for (const answer of refused) {
      answer.assertStatus(409)
      assert.equal(answer.body().errors[0].code, 'E_USER_EXISTS')
    }
    assert.equal(await snapshot(), before)
    for (const body of [{}, { fullName: 'x' }, { externalId: 'x', misspelt: 1 }]) {
      const answer = await asClient('post', 'users', body)
      answer.assertStatus(422)
    }
  })

  test('many at once make one account', async ({ client, assert }) => {
    const { asClient } = await speakers(client)
    const given = { externalId: 'u1', email: 'ada@example.com' }
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => asClient('post', 'users', given))
    )
    const statuses = answers.map((answer) => answer.status()).sort()
    assert.deepEqual(statuses, [...Array.from({ length: 19 }, () => 200), 201])
    assert.equal(await countRows('users', { external_id: 'u1' }), 1)
  })

  test('a service client touches no admin, password or role', async ({ client, assert }) => {
    const { admin, asClient } = await speakers(client)
    const user = await makeUser()
    await makeApiKey(admin, ['account:read'])
    const { session } = await signIn(admin)
    const before = await snapshot()
    const refused = [
      await asClient('patch', `users/${admin.id}`, { fullName: 'x' }),
      await asClient('patch', `users/${admin.id}/limit`, { limit: 1 }),
      await asClient('delete', `users/${admin.id}`, {}),
      await asClient('post', `users/${admin.id}/disable`, {}),
      await asClient('post', `users/${admin.id}/enable`, {}),
      await asClient('delete', `users/${admin.id}/sessions`, {}),
      await asClient('delete', `users/${admin.id}/api-keys`, {}),
      await asClient('delete', `users/${admin.id}/api-keys/1`, {}),
      await asClient('post', `users/${admin.id}/support-session`, { reason: 'x' }),
      await asClient('delete', `contested/${admin.id}`, {}),
      await asClient('delete', `sessions/${session.id}`, {}),
      await asClient('post', 'force-logout', { users: [user.id, admin.id] }),
      await asClient('post', 'force-logout', { all: true }),
      await asClient('delete', `contested/${admin.id}`),
      await asClient('patch', `users/${user.id}`, { password: 'a quite different one' }),
      await asClient('patch', `users/${user.id}`, { role: 'admin' }),
      await asClient('post', 'users', { externalId: 'x', role: 'admin' }),
      await asClient('post', 'users', { externalId: 'x', password: 'a quite different one' }),
    ]
    for (const [index, answer] of refused.entries()) {
      assert.equal(answer.status(), 403, String(index))
      assert.equal(answer.body().errors[0].code, 'E_FORBIDDEN')
      assert.isUndefined(answer.header('www-authenticate'))
    }
    assert.equal(await snapshot(), before)
  })

  test('a service client ends nothing of a user who became an admin meanwhile', async ({
    assert,
  }) => {
    const { id } = await makeClient(['manage'])
    const administrator = { actor: `service_client:${id}` as const, session: null }
    await makeUser({ role: 'admin' })
    const user = await makeUser()
    await signIn(user, { platform: 'ios' })
    await makeApiKey(user, ['account:read'])
    const seen = await User.findOrFail(user.id)
    await changeRole(user.id, 'admin', { actor: 'command:test' })
    const before = await snapshot()
    for (const filters of [{}, { platform: 'ios' }, { includeApiKeys: true, idleFor: 0 }]) {
      const { ended, apiKeysEnded } = await forceLogoutByAdmin(administrator, {
        who: [seen],
        ...filters,
      })
      assert.deepEqual({ ended, apiKeysEnded }, { ended: 0, apiKeysEnded: 0 })
    }
    assert.equal(await snapshot(), before)
  })

  test('an admin sets password and role; the sessions end', async ({ client, assert }) => {
    const { admin, asAdmin } = await speakers(client)
    const user = await makeUser()
    await signIn(user)
    const weak = await asAdmin('patch', `users/${user.id}`, { password: 'password123' })
    weak.assertStatus(422)
    const password = 'another battery staple'
    const changed = await asAdmin('patch', `users/${user.id}`, { password, role: 'admin' })
    changed.assertStatus(200)
    assert.containsSubset(changed.body().data, { role: 'admin', liveSessions: 0 })
    const { email } = user
    const old = await client.post('/api/v1/auth/login').json({ email, password: PASSWORD })
    old.assertStatus(400)
    const fresh = await client.post('/api/v1/auth/login').json({ email, password })
    fresh.assertStatus(200)

    await asAdmin('patch', `users/${user.id}`, { role: 'user' })
    const last = await asAdmin('patch', `users/${admin.id}`, { fullName: 'x', role: 'user' })
    last.assertStatus(403)
    await admin.refresh()
    assert.isNull(admin.fullName, 'all or nothing')
  })

  test('an address that an administrator vouches for takes a stranger’s password along', async ({
    client,
    assert,
    cleanup,
  }) => {
    const { asClient } = await speakers(client)
    accountsConfig.verifiesEmail = true
    cleanup(() => {
      accountsConfig.verifiesEmail = false
    })
    const user = await makeUser()
    await User.query().where('id', user.id).update({ mustVerifyEmail: true })
    const answer = await asClient('patch', `users/${user.id}`, { emailVerified: true })
    assert.isTrue(answer.body().data.emailVerified)
    await asClient('patch', `users/${user.id}`, { emailVerified: false })
    assert.equal(await countRows('session_events', { type: 'email.changed', user_id: user.id }), 1)
    await user.refresh()
    assert.isNull(user.password)
  })

  test('API keys are listed and ended', async ({ client, assert }) => {
    const { asClient, manager } = await speakers(client)
    const user = await makeUser()
    const [first] = [await makeApiKey(user, ['account:read'])]
    await makeApiKey(user, ['account:read'])
    const path = `users/${user.id}/api-keys`
    const listed = await asClient('get', path)
    listed.assertStatus(200)
    assert.lengthOf(listed.body().data, 2)
    assert.notInclude(JSON.stringify(listed.body()), first)
    const one = await asClient('delete', `${path}/${listed.body().data[0].id}`, {
      reason: 'leaked',
    })
    assert.deepEqual(one.body().data, { ended: 1, sessions: [] })
    const again = await asClient('delete', `${path}/${listed.body().data[0].id}`, {})
    again.assertStatus(404)
    const rest = await asClient('delete', path, {})
    assert.deepEqual(rest.body().data, { ended: 1, sessions: [] })
    const used = await client.get('/api/v1/account').bearerToken(first)
    used.assertStatus(401)
    assert.equal(used.body().errors[0].reason, 'forced')
    const event = await db.from('session_events').where('type', 'api_key.ended').firstOrFail()
    assert.equal(event.actor, `service_client:${manager.id}`)
  })

  test('the sessions of users end, and nothing says that they were the client’s own', async ({
    client,
    assert,
  }) => {
    const { asClient, manager } = await speakers(client)
    const user = await makeUser()
    const { session } = await signIn(user)
    const listed = await asClient('get', `users/${user.id}/sessions`)
    assert.containsSubset(listed.body().data, [{ id: session.id, kind: 'user', current: false }])
    const ended = await asClient('post', 'force-logout', { users: [user.id], reason: 'left' })
    assert.containsSubset(ended.body().data, { ended: 1, endedOwnSession: false })
    const row = await db.from('sessions').where('id', session.id).firstOrFail()
    assert.equal(row.ended_by, `service_client:${manager.id}`)
  })

  test('service clients are listed without their secrets', async ({ client, assert }) => {
    const { asAdmin, manager } = await speakers(client)
    const listed = await asAdmin('get', 'clients')
    listed.assertStatus(200)
    assert.containsSubset(listed.body().data, [
      { id: manager.id, name: 'tests', abilities: ['manage'], revokedAt: null },
    ])
    assert.notInclude(JSON.stringify(listed.body()), manager.secret)
    assert.notProperty(listed.body().data[0], 'secretHash')
  })
})
