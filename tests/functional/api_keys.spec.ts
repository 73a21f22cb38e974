import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { mintLink } from '#app/accounts/mailed_links'
import { tokenOfLink } from '#mails/link'
import { inTransaction } from '#app/database/transaction'
import { disableUser, enableUser } from '#app/accounts/disabled_users'
import { KEYS_PER_USER } from '#app/api_keys/create_api_key'
import { hashToken, mintToken } from '#app/tokens/token'
import { setWatermarkForEveryone } from '#app/watermarks/set_watermark'
import { forceLogout } from '#app/force_logout/force_logout'
import sessionsConfig from '#config/sessions'
import { keyLastUsed } from '#app/api_keys/last_used'
import User from '#models/user'
import { makeApiKey, makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase, snapshot } from '#tests/harness/database'
import { keepPolicy } from '#tests/harness/policy'

test.group('API keys', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.setup(() => {
    clock.freeze(new Date('2026-03-01T12:00:00Z'))
    const restorePolicy = keepPolicy()
    return () => {
      restorePolicy()
      clock.restore()
    }
  })

  const create = (client: any, token: string, body: object = { name: 'Export' }) =>
    client.post('/api/v1/api-keys').bearerToken(token).json(body)
  const getAccount = (client: any, token: string) =>
    client.get('/api/v1/account').bearerToken(token)

  async function makeKey(client: any, body?: object) {
    const user = await makeUser()
    const { tokens } = await signIn(user)
    const answer = await create(client, tokens.token, body)
    answer.assertStatus(201)
    return { user, token: tokens.token as string, ...answer.body().data }
  }

  test('the first reason that a key is told stays its reason: {$self}')
    .with(['expired', 'forced'] as const)
    .run(async ({ client, assert }, first) => {
      const user = await makeUser()
      const expiresAt = first === 'expired' ? new Date(clock.millis() + 1000) : null
      const key = await makeApiKey(user, ['account:read'], expiresAt)
      if (first === 'expired') clock.advance(1000)
      else {
        const options = { reason: 'forced', actor: 'system', includeApiKeys: true } as const
        await setWatermarkForEveryone(options, async () => {})
      }
      const told: unknown[] = []
      const ask = async () => {
        const answer = await getAccount(client, key)
        const [{ reason, endedAt }] = answer.body().errors
        told.push({ reason, endedAt })
      }
      await ask()
      clock.advance(1000)
      await disableUser(user.id, { actor: 'system' })
      await ask()
      await enableUser(user.id, { actor: 'system' })
      await ask()
      await forceLogout({ who: 'everyone', includeApiKeys: true, actor: 'system' })
      await ask()
      const [{ reason }] = told as { reason: string }[]
      assert.equal(reason, first)
      assert.deepEqual(told, Array(4).fill(told[0]))
      assert.equal(await countRows('session_events', { type: 'api_key.ended' }), 1)
    })

  test('a key is shown once, kept as a hash, and speaks for its user without a session', async ({
    client,
    assert,
  }) => {
    sessionsConfig.apiKeyAbilities = ['account:read', 'reports:read']
    const made = await makeKey(client, {
      name: 'Export',
      description: 'nightly',
      abilities: ['account:read', 'reports:read'],
      expiresIn: '90d',
    })
    assert.match(made.key, /^oak_/)
    assert.equal(made.expiresAt, new Date(clock.millis() + 90 * 86_400_000).toISOString())
    assert.notInclude(await snapshot(), made.key.slice(4))
    assert.equal(await countRows('api_tokens', { hash: hashToken(made.key), type: 'api_key' }), 1)

    const account = await getAccount(client, made.key)
    account.assertStatus(200)
    assert.isNull(account.body().data.session)
    const list = await client.get('/api/v1/api-keys').bearerToken(made.token)
    assert.lengthOf(list.body().data, 1)
    assert.notProperty(list.body().data[0], 'key')
    assert.notInclude(list.text(), 'oak_')
  })

  test('it takes no place, and lives on when sessions end', async ({ client, assert }) => {
    const { user, key, token } = await makeKey(client)
    const next = await signIn(user)
    assert.deepEqual(next.quota, { used: 1, max: 1 })
    const evicted = await getAccount(client, token)
    evicted.assertStatus(401)
    await client.post('/api/v1/auth/logout-all').bearerToken(next.tokens.token)
    await forceLogout({ who: [user], actor: 'command:test' })
    await forceLogout({ who: 'everyone', actor: 'command:test' })
    const account = await getAccount(client, key)
    account.assertStatus(200)
  })

  test('who ends sessions by force is told that keys live on, and how to end them', async ({
    client,
    assert,
  }) => {
    const admin = await signIn(await makeUser({ role: 'admin' }))
    const [ada, bob] = [await makeUser(), await makeUser()]
    await makeApiKey(ada, ['*'])
    await makeApiKey(ada, ['*'])
    await makeApiKey(ada, ['*'], clock.now())
    const force = async (body: object) => {
      const answer = await client
        .post('/api/v1/admin/force-logout')
        .bearerToken(admin.tokens.token)
        .json(body)
      answer.assertStatus(200)
      return answer.body().data
    }
    for (const order of [
      { users: [ada.id] },
      { users: [ada.id], dryRun: true },
      { users: [ada.id], platform: 'ios' },
      { users: [ada.id, bob.id] },
      { all: true, dryRun: true },
    ]) {
      const told = await force(order)
      assert.equal(told.apiKeysLeft, 2)
      assert.equal(told.message, '2 API keys live on. To end them, send "includeApiKeys": true.')
    }
    for (const order of [
      { users: [bob.id] },
      { users: [ada.id], includeApiKeys: true, dryRun: true },
      { users: [ada.id], includeApiKeys: true },
      { users: [ada.id] },
    ]) {
      const told = await force(order)
      assert.equal(told.apiKeysLeft, 0)
      assert.isNull(told.message)
    }
  })

  test('who changes or resets a password is told that keys live on, and how to end them', async ({
    client,
    assert,
  }) => {
    const user = await makeUser()
    let { tokens } = await signIn(user)
    const change = async (currentPassword: string, password: string) => {
      const answer = await client
        .put('/api/v1/account/password')
        .bearerToken(tokens.token)
        .json({ currentPassword, password })
      answer.assertStatus(200)
      tokens = answer.body().data
      return answer.body().data.message
    }
    const reset = async () => {
      const token = await inTransaction((trx) =>
        mintLink(trx, user, 'reset').then((made) => tokenOfLink(made!))
      )
      clock.advance(60_000)
      const password = 'an analytical engine of brass'
      return client.post('/api/v1/auth/password/reset').json({ token, password })
    }
    assert.isUndefined(await change(PASSWORD, 'a difference engine of steel'))
    const none = await reset()
    none.assertStatus(204)

    await makeApiKey(user, ['*'])
    const signedIn = await signIn(await User.findOrFail(user.id))
    tokens = signedIn.tokens
    const words = '1 API key lives on. To end it, send DELETE /api/v1/api-keys/:id.'
    assert.equal(await change('an analytical engine of brass', PASSWORD), words)
    const some = await reset()
    some.assertStatus(200)
    assert.deepEqual(some.body(), { data: { message: words } })
  })

  test('its use is written behind', async ({ client, assert }) => {
    const { id, key } = await makeKey(client)
    await getAccount(client, key)
    clock.advance(60_000)
    await getAccount(client, key)
    await keyLastUsed.flush({ everything: true })
    const row = await db.from('api_tokens').where('id', id).firstOrFail()
    assert.deepEqual(new Date(row.last_used_at), clock.now())
  })

  test('it manages no keys, sessions or passwords: {$self}')
    .with([
      'POST /api/v1/auth/logout',
      'POST /api/v1/auth/logout-others',
      'POST /api/v1/auth/logout-all',
      'DELETE /api/v1/account',
      'PUT /api/v1/account/password',
      'GET /api/v1/account/events',
      'GET /api/v1/sessions',
      'PATCH /api/v1/sessions/x',
      'DELETE /api/v1/sessions/x',
      'GET /api/v1/session/events',
      'GET /api/v1/api-keys',
      'POST /api/v1/api-keys',
      'DELETE /api/v1/api-keys/1',
      'GET /api/v1/admin/users',
      'POST /api/v1/admin/force-logout',
    ])
    .run(async ({ client, assert }, route) => {
      const { key } = await makeKey(client)
      /** With this use written, another at the same moment writes nothing. */
      await getAccount(client, key)
      await keyLastUsed.flush({ everything: true })
      const before = await snapshot()
      const [method, path] = route.split(' ')
      const answer = await client[method.toLowerCase() as 'get'](path).bearerToken(key)
      answer.assertStatus(403)
      assert.equal(answer.body().errors[0].code, 'E_FORBIDDEN')
      assert.include(answer.header('www-authenticate')!, 'insufficient_scope')
      assert.equal(await snapshot(), before)
    })

  test('an ability that it lacks is named', async ({ client, assert }) => {
    sessionsConfig.apiKeyAbilities = ['account:read', 'reports:read']
    const { key } = await makeKey(client, { name: 'Export', abilities: ['reports:read'] })
    const answer = await getAccount(client, key)
    answer.assertStatus(403)
    assert.equal(
      answer.header('www-authenticate'),
      'Bearer realm="latchkey", error="insufficient_scope", scope="account:read"'
    )
  })

  test('its abilities are among those that the server grants to keys', async ({
    client,
    assert,
  }) => {
    const { tokens } = await signIn(await makeUser())
    const wanting = (...abilities: string[]) =>
      create(client, tokens.token, { name: 'Export', abilities })
    for (const refused of [['admin:write'], ['account:read', 'billing'], ['*', 'billing']]) {
      const answer = await wanting(...refused)
      answer.assertStatus(422)
      const [error] = answer.body().errors
      assert.containsSubset(error, { field: 'abilities', rule: 'ability' })
      assert.include(error.message, 'account:read')
    }
    assert.equal(await countRows('api_tokens', { type: 'api_key' }), 0)

    sessionsConfig.apiKeyAbilities = ['billing', 'orders:read']
    const none = await wanting('account:read')
    none.assertStatus(422)
    const chosen = await wanting('billing', 'billing')
    chosen.assertStatus(201)
    assert.deepEqual(chosen.body().data.abilities, ['billing'])
    for (const all of [await wanting('*'), await create(client, tokens.token)]) {
      all.assertStatus(201)
      assert.deepEqual(all.body().data.abilities, ['billing', 'orders:read'])
    }
    const events = await client.get('/api/v1/account/events').bearerToken(tokens.token)
    const made = events.body().data.find((event: any) => event.type === 'api_key.created')
    assert.deepEqual(made.data.abilities, ['billing', 'orders:read'])
  })

  test('an ability that the server grants no longer is neither told nor of use', async ({
    client,
    assert,
  }) => {
    const user = await makeUser()
    const { tokens } = await signIn(user)
    const chosen = await makeApiKey(user, ['admin:write', 'account:read', 'orders:read'])
    const all = await makeApiKey(user, ['*'])
    const told = async () => {
      const list = await client.get('/api/v1/api-keys').bearerToken(tokens.token)
      return list.body().data.map((key: any) => key.abilities)
    }
    for (const key of [chosen, all]) {
      const granted = await getAccount(client, key)
      granted.assertStatus(200)
    }
    assert.deepEqual(await told(), [['account:read'], ['account:read']])

    sessionsConfig.apiKeyAbilities = ['orders:read']
    for (const key of [chosen, all]) {
      const refused = await getAccount(client, key)
      refused.assertStatus(403)
      assert.include(refused.header('www-authenticate')!, 'scope="account:read"')
    }
    assert.deepEqual(await told(), [['orders:read'], ['orders:read']])
    const session = await getAccount(client, tokens.token)
    session.assertStatus(200)
  })

  test('it stops to the second when its time is over', async ({ client, assert }) => {
    const { key } = await makeKey(client, { name: 'Export', expiresIn: 60 })
    clock.advance(59_000)
    const before = await getAccount(client, key)
    before.assertStatus(200)
    clock.advance(1000)
    const after = await getAccount(client, key)
    after.assertStatus(401)
    assert.equal(after.body().errors[0].reason, 'expired')
  })

  test('it ends with its deletion, at once, and nobody else can delete it', async ({
    client,
    assert,
  }) => {
    const { id, key, token } = await makeKey(client)
    const stranger = await signIn(await makeUser())
    for (const path of [id, 'x', '0', '-1', '1e3', '99999999999999999999']) {
      const refused = await client
        .delete(`/api/v1/api-keys/${path}`)
        .bearerToken(stranger.tokens.token)
      refused.assertStatus(404)
    }
    const alive = await getAccount(client, key)
    alive.assertStatus(200)

    const deleted = await client.delete(`/api/v1/api-keys/${id}`).bearerToken(token)
    deleted.assertStatus(204)
    const dead = await getAccount(client, key)
    dead.assertStatus(401)
    assert.equal(dead.body().errors[0].code, 'E_SESSION_ENDED')
    const again = await client.delete(`/api/v1/api-keys/${id}`).bearerToken(token)
    again.assertStatus(404)
  })

  test('it ends when its account is disabled, and when keys are forced out', async ({
    client,
    assert,
  }) => {
    const disabled = await makeKey(client)
    await disableUser(disabled.user.id, { actor: 'command:test' })
    const first = await getAccount(client, disabled.key)
    assert.equal(first.body().errors[0].reason, 'account_disabled')

    const forced = await makeKey(client)
    await forceLogout({ who: [forced.user], includeApiKeys: true, actor: 'command:test' })
    const second = await getAccount(client, forced.key)
    assert.equal(second.body().errors[0].reason, 'forced')
  })

  test('one that was cut off is gone from the list, and keeps its reason', async ({
    client,
    assert,
  }) => {
    const { user, id, key } = await makeKey(client)
    await setWatermarkForEveryone(
      { reason: 'forced', actor: 'command:test', includeApiKeys: true },
      async () => {}
    )
    const { tokens } = await signIn(user)
    const list = await client.get('/api/v1/api-keys').bearerToken(tokens.token)
    assert.deepEqual(list.body().data, [])
    const deleted = await client.delete(`/api/v1/api-keys/${id}`).bearerToken(tokens.token)
    deleted.assertStatus(404)
    const dead = await getAccount(client, key)
    assert.equal(dead.body().errors[0].reason, 'forced')
  })

  test('an account holds a thousand, and a deleted one makes room', async ({ client, assert }) => {
    const { user, id, token } = await makeKey(client)
    const now = clock.now()
    const rows = Array.from({ length: KEYS_PER_USER - 1 }, () => ({
      tokenable_id: user.id,
      type: 'api_key',
      name: 'One of many',
      hash: hashToken(mintToken('api_key')),
      abilities: '["*"]',
      created_at: now,
      updated_at: now,
    }))
    for (let start = 0; start < rows.length; start += 100) {
      await db.table('api_tokens').multiInsert(rows.slice(start, start + 100))
    }
    const refused = await create(client, token)
    refused.assertStatus(422)
    assert.equal(refused.body().errors[0].rule, 'limit')
    await client.delete(`/api/v1/api-keys/${id}`).bearerToken(token)
    const room = await create(client, token)
    room.assertStatus(201)
  })

  test('a device that was signed out leaves no key behind', async ({ client, assert }) => {
    const user = await makeUser()
    const { tokens } = await signIn(user)
    await signIn(user)
    const answer = await create(client, tokens.token)
    answer.assertStatus(401)
    assert.equal(await countRows('api_tokens', { type: 'api_key' }), 0)
  })

  test('{0} is refused')
    .with([
      ['no name', {}],
      ['an empty name', { name: ' ' }],
      ['a name that is no text', { name: 7 }],
      ['no ability', { name: 'x', abilities: [] }],
      ['an ability that is no word', { name: 'x', abilities: ['a b'] }],
      ['abilities that are no list', { name: 'x', abilities: '*' }],
      ['no time', { name: 'x', expiresIn: 0 }],
      ['a negative time', { name: 'x', expiresIn: -5 }],
      ['a broken time', { name: 'x', expiresIn: 1.5 }],
      ['a time that is no duration', { name: 'x', expiresIn: 'soon' }],
      ['an endless time', { name: 'x', expiresIn: 1e15 }],
      ['a time that is a list', { name: 'x', expiresIn: ['90d'] }],
    ] as [string, object][])
    .run(async ({ client, assert }, [, body]) => {
      const { tokens } = await signIn(await makeUser())
      const answer = await create(client, tokens.token, body)
      answer.assertStatus(422)
      assert.equal(await countRows('api_tokens', { type: 'api_key' }), 0)
    })
})
