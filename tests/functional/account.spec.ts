import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { hashToken, mintToken } from '#app/tokens/token'
import sessionsConfig from '#config/sessions'
import { endSessions } from '#app/sessions/end'
import { withUserLock } from '#app/sessions/user_lock'
import { makeApiKey, makeUser, signIn, PASSWORD } from '#tests/harness/accounts'
import { countRows, emptyDatabase, snapshot } from '#tests/harness/database'
import { keepPolicy } from '#tests/harness/policy'

test.group('Account', (group) => {
  group.each.setup(async () => {
    await emptyDatabase()
    const restore = keepPolicy()
    sessionsConfig.limit = 0
    return restore
  })

  test('deleting it ends sessions and API keys, which are told why, and leaves no trace of the person', async ({
    client,
    assert,
  }) => {
    const user = await makeUser({ fullName: 'Ada Lovelace', email: 'ada@example.com' })
    const { tokens: other } = await signIn(user)
    const { tokens } = await signIn(user)
    const key = mintToken('api_key')
    await db.table('api_tokens').insert({
      tokenable_id: user.id,
      type: 'api_key',
      name: 'script',
      hash: hashToken(key),
      abilities: '["*"]',
      created_at: clock.now(),
      updated_at: clock.now(),
    })
    const remove = (body: object) =>
      client.delete('/api/v1/account').bearerToken(tokens.token).json(body)

    const before = await snapshot()
    const wrong = await remove({ currentPassword: 'wrong' })
    wrong.assertStatus(400)
    const missing = await remove({})
    missing.assertStatus(422)
    const byKey = await client
      .delete('/api/v1/account')
      .bearerToken(key)
      .json({ currentPassword: PASSWORD })
    byKey.assertStatus(403)
    assert.equal(await snapshot(), before)

    const done = await remove({ currentPassword: PASSWORD })
    done.assertStatus(204)
    for (const token of [tokens.token, other.token, key]) {
      const refused = await client.get('/api/v1/account').bearerToken(token)
      refused.assertStatus(401)
      assert.equal(refused.body().errors[0].reason, 'account_deleted')
    }
    assert.equal(await countRows('users'), 0)
    assert.equal(await countRows('api_tokens'), 0)
    assert.equal(await countRows('sessions', { user_id: null }), 2)
    assert.notInclude(await snapshot(), 'ada@example.com')
    assert.equal(await countRows('session_events', { type: 'user.deleted', user_id: user.id }), 1)
    const again = await client
      .post('/api/v1/auth/login')
      .json({ email: user.email, password: PASSWORD })
    again.assertStatus(400)
  })

  test('its name and its language can be changed, each alone, and the log tells which', async ({
    client,
    assert,
  }) => {
    const user = await makeUser({ fullName: 'Ada' })
    const { tokens, session } = await signIn(user)
    const change = (body: object, token = tokens.token) =>
      client.patch('/api/v1/account').bearerToken(token).json(body)
    const told = (answer: any) => {
      answer.assertStatus(200)
      const { fullName, locale } = answer.body().data.user
      return { fullName, locale }
    }
    const before = await client.get('/api/v1/account').bearerToken(tokens.token)
    assert.deepEqual(told(before), { fullName: 'Ada', locale: null })

    const chosen = await change({ locale: 'de' })
    assert.deepEqual(told(chosen), { fullName: 'Ada', locale: 'de' })
    assert.equal(chosen.body().data.session.id, session.id)
    const name = 'x'.repeat(255)
    assert.deepEqual(told(await change({ fullName: name })), {
      fullName: name,
      locale: 'de',
    })
    assert.deepEqual(told(await change({ locale: 'en', fullName: null })), {
      fullName: null,
      locale: 'en',
    })
    const after = await client.get('/api/v1/account').bearerToken(tokens.token)
    assert.deepEqual(told(after), { fullName: null, locale: 'en' })
    const log = await client.get('/api/v1/account/events?perPage=3').bearerToken(tokens.token)
    assert.deepEqual(
      log.body().data.map(({ type, actor, data }: any) => [type, actor, data.fields.toSorted()]),
      [['fullName', 'locale'], ['fullName'], ['locale']].map((fields) => [
        'user.changed',
        `user:${user.id}`,
        fields,
      ])
    )

    assert.deepEqual(told(await change({})), { fullName: null, locale: 'en' })
    for (const wrong of [
      { locale: 'fr' },
      { locale: 'DE' },
      { fullName: `${name}x` },
      { fullName: 7 },
      { locale: 'de', role: 'admin' },
    ]) {
      const refused = await change(wrong)
      refused.assertStatus(422)
    }
    const byKey = await change({ locale: 'de' }, await makeApiKey(user, ['account:read']))
    byKey.assertStatus(403)
    assert.equal(await countRows('session_events', { type: 'user.changed' }), 3)
    assert.deepEqual(told(await change({ locale: null })), { fullName: null, locale: null })
  })

  test('the last administrator stays', async ({ client, assert }) => {
    const admin = await makeUser({ role: 'admin' })
    const { tokens } = await signIn(admin)
    const remove = () =>
      client.delete('/api/v1/account').bearerToken(tokens.token).json({ currentPassword: PASSWORD })

    const disabled = await makeUser({ role: 'admin' })
    await db.from('users').where('id', disabled.id).update({ disabled_at: clock.now() })
    const refused = await remove()
    refused.assertStatus(403)
    assert.equal(refused.body().errors[0].code, 'E_FORBIDDEN')

    await makeUser({ role: 'admin' })
    const done = await remove()
    done.assertStatus(204)
  })

  test('the own log is told newest first, a page at a time, without what admins note', async ({
    client,
    assert,
  }) => {
    const user = await makeUser()
    await signIn(await makeUser())
    const { session } = await signIn(user, { name: 'Old phone' })
    await withUserLock(user.id, (trx) =>
      endSessions(trx, [session], { reason: 'forced', actor: 'command:test', note: 'suspicious' })
    )
    const { tokens } = await signIn(user)
    const list = (query: string) =>
      client.get(`/api/v1/account/events${query}`).bearerToken(tokens.token)

    const all = await list('')
    all.assertStatus(200)
    const { data, meta } = all.body()
    assert.deepEqual(
      data.map((event: any) => event.type),
      ['session.opened', 'session.ended', 'session.opened', 'user.created']
    )
    assert.equal(meta.total, 4)
    const { id, occurredAt, ...ended } = data[1]
    assert.isNumber(id)
    assert.isTrue(new Date(occurredAt).getTime() > 0)
    assert.deepEqual(ended, {
      type: 'session.ended',
      sessionId: session.id,
      reason: 'forced',
      actor: 'command:test',
      data: { device: { id: null, name: 'Old phone', platform: null } },
    })

    const second = await list('?page=2&perPage=3')
    assert.lengthOf(second.body().data, 1)
    assert.equal(second.body().meta.lastPage, 2)
    for (const query of [
      '?page=0',
      '?perPage=101',
      '?page=x',
      '?page=1&page=2',
      '?page=99999999999',
    ]) {
      const invalid = await list(query)
      invalid.assertStatus(422)
    }
  })
})
