import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import sessionsConfig from '#config/sessions'
import { makeUser, signIn, PASSWORD } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { keepPolicy } from '#tests/harness/policy'
import { leaveUnfinished } from '#tests/harness/unfinished_watermark'

const DAY = 86_400_000

const CHROME =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36'

test.group('Sessions', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.setup(() => {
    const restore = keepPolicy()
    sessionsConfig.limit = 0
    return restore
  })

  test('the list marks the current session and names devices by their user agent', async ({
    client,
    assert,
  }) => {
    const user = await makeUser()
    const { session: other } = await signIn(user, { userAgent: CHROME, platform: 'web' })
    const { tokens, session } = await signIn(user, { name: 'Phone', userAgent: CHROME })
    await signIn(await makeUser())

    const listed = await client.get('/api/v1/sessions').bearerToken(tokens.token)
    assert.deepEqual(
      listed
        .body()
        .data.map((one: any) => [one.id, one.device.name, one.device.platform, one.current]),
      [
        [session.id, 'Phone', null, true],
        [other.id, 'Chrome on Windows', 'web', false],
      ]
    )
    const stored = await db.from('sessions').where('id', other.id).firstOrFail()
    assert.isNull(stored.device_name)
  })

  test('those that have ended are told with the reason that their holders are told, newest end first', async ({
    client,
    assert,
    cleanup,
  }) => {
    clock.freeze(new Date('2026-03-01T12:00:00Z'))
    cleanup(() => clock.restore())
    Object.assign(sessionsConfig, { idleTimeout: 10 * DAY, maxLifetime: 90 * DAY })
    const user = await makeUser()
    const open = async (name: string) => {
      const { session, tokens } = await signIn(user, { name })
      return { name, id: session.id, token: tokens.token }
    }
    const out = await open('Signed out')
    const left = await client.post('/api/v1/auth/logout').bearerToken(out.token)
    left.assertStatus(204)
    clock.advance(DAY)
    const idle = await open('Idle')
    clock.advance(9 * DAY)
    const covered = await open('Covered')
    clock.advance(DAY)
    await leaveUnfinished(user.id)
    clock.advance(DAY)
    const idleLater = await open('Idle later')
    clock.advance(10 * DAY)
    const { tokens } = await signIn(user)
    await signIn(await makeUser())
    const list = (query: string) => client.get(`/api/v1/sessions${query}`).bearerToken(tokens.token)

    const live = await list('')
    assert.lengthOf(live.body().data, 1)
    assert.notProperty(live.body(), 'meta')
    const ended = await list('?ended=true')
    ended.assertStatus(200)
    const told = ended.body().data
    assert.deepEqual(
      told.map(({ device, reason }: any) => [device.name, reason]),
      [
        [idleLater.name, 'idle'],
        [covered.name, 'forced'],
        [idle.name, 'idle'],
        [out.name, 'logged_out'],
      ]
    )
    assert.equal(ended.body().meta.total, 4)
    for (const { token, id } of [idleLater, covered, idle, out]) {
      const refused = await client.get('/api/v1/account').bearerToken(token)
      const { reason, endedAt } = refused.body().errors[0]
      assert.containsSubset(told, [{ id, reason, endedAt }])
    }
    assert.equal(
      await countRows('session_events', { type: 'session.ended', user_id: user.id }),
      4,
      'an end is written before it is told'
    )
    const second = await list('?ended=true&page=2&perPage=3')
    assert.deepEqual(
      second.body().data.map(({ id }: any) => id),
      [out.id]
    )
    for (const query of ['?ended=x', '?ended=true&page=0', '?ended=true&perPage=101']) {
      const invalid = await list(query)
      invalid.assertStatus(422)
    }
  })

  test('a device without a name is named to the one that it signed out, and in the log', async ({
    client,
    assert,
  }) => {
    sessionsConfig.limit = 1
    const user = await makeUser()
    const { tokens } = await signIn(user)
    const { session } = await signIn(user, { userAgent: CHROME, platform: 'web' })

    const refused = await client.get('/api/v1/account').bearerToken(tokens.token)
    assert.containsSubset(refused.body().errors[0], {
      code: 'E_SESSION_ENDED',
      by: { name: 'Chrome on Windows', platform: 'web' },
    })
    assert.include(refused.body().errors[0].message, 'Chrome on Windows')
    const opened = await db.from('session_events').where('session_id', session.id).firstOrFail()
    assert.equal(JSON.parse(opened.data).device.name, 'Chrome on Windows')
  })

  test('an empty device id is no id', async ({ client, assert }) => {
    const { email } = await makeUser()
    for (const device of [{ id: '' }, { id: '  ' }, { id: null }, {}, null]) {
      const answer = await client
        .post('/api/v1/auth/login')
        .json({ email, password: PASSWORD, device })
      answer.assertStatus(200)
      assert.isEmpty(answer.body().data.endedSessions)
      assert.isNull(answer.body().data.session.device.id)
    }
  })

  test('a session is renamed, by its user alone', async ({ client, assert }) => {
    const [user, stranger] = [await makeUser(), await makeUser()]
    const { session } = await signIn(user, { name: 'Old', platform: 'ios' })
    const { tokens } = await signIn(user)
    const { tokens: foreign } = await signIn(stranger)
    const rename = (token: string, id: string, body: object) =>
      client.patch(`/api/v1/sessions/${id}`).bearerToken(token).json(body)

    const renamed = await rename(tokens.token, session.id, { name: ' New ' })
    renamed.assertStatus(200)
    assert.containsSubset(renamed.body().data, {
      id: session.id,
      device: { id: null, name: 'New', platform: 'ios' },
      current: false,
    })
    const listed = await client.get('/api/v1/sessions').bearerToken(tokens.token)
    assert.include(
      listed.body().data.map((one: any) => one.device.name),
      'New'
    )
    const refused = await rename(foreign.token, session.id, { name: 'Mine' })
    refused.assertStatus(404)
    for (const name of ['', '   ', null, 7, ['a'], 'x'.repeat(101), 'a\0b']) {
      const invalid = await rename(tokens.token, session.id, { name })
      invalid.assertStatus(422)
    }
  })

  test('a session is ended by its user alone, the current one too', async ({ client, assert }) => {
    const [user, stranger] = [await makeUser(), await makeUser()]
    const { session: phone, tokens: phoneTokens } = await signIn(user)
    const { session, tokens } = await signIn(user)
    const { tokens: foreign } = await signIn(stranger)
    const end = async (token: string, id: string) => {
      const answer = await client.delete(`/api/v1/sessions/${id}`).bearerToken(token)
      return answer.status()
    }

    assert.equal(await end(foreign.token, phone.id), 404)
    for (const id of ['1', 'x', '%00', "'", phone.id.slice(1), '0'.repeat(500)]) {
      assert.equal(await end(tokens.token, id), 404)
    }
    const alive = await client.get('/api/v1/account').bearerToken(phoneTokens.token)
    alive.assertStatus(200)

    assert.equal(await end(tokens.token, phone.id), 204)
    assert.equal(await end(tokens.token, phone.id), 404)
    const told = await client.get('/api/v1/account').bearerToken(phoneTokens.token)
    assert.equal(told.body().errors[0].reason, 'logged_out_elsewhere')

    assert.equal(await end(tokens.token, session.id), 204)
    const own = await client.get('/api/v1/account').bearerToken(tokens.token)
    assert.equal(own.body().errors[0].reason, 'logged_out')
  })
})
