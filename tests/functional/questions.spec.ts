import { test } from '@japa/runner'
import sessionsConfig from '#config/sessions'
import { forceLogout } from '#app/force_logout/force_logout'
import { makeUser, PASSWORD } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { keepPolicy } from '#tests/harness/policy'

/**
 * The questions that docs/questions.md answers, with the requests that it shows.
 */
test.group('Questions that people ask', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.setup(() => keepPolicy())

  async function signIn(client: any, name: string, more: object = {}) {
    const answer = await client.post('/api/v1/auth/login').json({
      email: 'ada@example.com',
      password: PASSWORD,
      device: { id: name, name, platform: 'web' },
      ...more,
    })
    return { status: answer.status(), error: answer.body().errors?.[0], ...answer.body().data }
  }
  const reasonFor = async (client: any, token: string) => {
    const answer = await client.get('/api/v1/account').bearerToken(token)
    return answer.status() === 200 ? 'alive' : answer.body().errors[0].reason
  }

  test('How do I allow one device at a time?', async ({ client, assert }) => {
    await makeUser({ email: 'ada@example.com' })
    const phone = await signIn(client, 'phone')
    const tablet = await signIn(client, 'tablet')
    assert.equal(await reasonFor(client, phone.token), 'superseded')
    assert.equal(await reasonFor(client, tablet.token), 'alive')
  })

  test('How do I allow at most N devices?', async ({ client, assert }) => {
    sessionsConfig.limit = 2
    await makeUser({ email: 'ada@example.com' })
    const [first, second, third] = [
      await signIn(client, 'one'),
      await signIn(client, 'two'),
      await signIn(client, 'three'),
    ]
    assert.deepEqual(third.quota, { used: 2, max: 2 })
    assert.equal(await reasonFor(client, first.token), 'superseded')
    assert.equal(await reasonFor(client, second.token), 'alive')
  })

  test('How does a user log out their other devices?', async ({ client, assert }) => {
    sessionsConfig.limit = 0
    await makeUser({ email: 'ada@example.com' })
    const lost = await signIn(client, 'lost phone')
    const here = await signIn(client, 'laptop')
    const answer = await client.post('/api/v1/auth/logout-others').bearerToken(here.token)
    assert.deepEqual(answer.body().data, { ended: 1 })
    assert.equal(await reasonFor(client, lost.token), 'logged_out_elsewhere')
    assert.equal(await reasonFor(client, here.token), 'alive')
  })

  test('Can the user pick which device to give up?', async ({ client, assert }) => {
    sessionsConfig.onLimit = 'reject'
    await makeUser({ email: 'ada@example.com' })
    const phone = await signIn(client, 'phone')
    const refused = await signIn(client, 'tablet')
    assert.equal(refused.status, 409)
    assert.deepEqual(refused.error.quota, { used: 1, max: 1 })
    const chosen = refused.error.sessions[0].id
    const tablet = await signIn(client, 'tablet', { endSessions: [chosen] })
    assert.equal(tablet.status, 200)
    assert.equal(await reasonFor(client, phone.token), 'logged_out_elsewhere')
  })

  test('Does each device have its own refresh token?', async ({ client, assert }) => {
    sessionsConfig.limit = 2
    await makeUser({ email: 'ada@example.com' })
    const phone = await signIn(client, 'phone')
    const tablet = await signIn(client, 'tablet')
    const renewed = await client
      .post('/api/v1/auth/refresh')
      .json({ refreshToken: phone.refreshToken })
    assert.equal(await reasonFor(client, renewed.body().data.token), 'alive')
    assert.equal(await reasonFor(client, tablet.token), 'alive')
  })

  test('How do I log a user out from the server, without the client?', async ({
    client,
    assert,
  }) => {
    const user = await makeUser({ email: 'ada@example.com' })
    const phone = await signIn(client, 'phone')
    await forceLogout({ who: [user], actor: 'command:force:logout', note: 'lost phone' })
    assert.equal(await reasonFor(client, phone.token), 'forced')
  })

  test('How do I sign everybody else out when the password changes?', async ({
    client,
    assert,
  }) => {
    sessionsConfig.limit = 0
    await makeUser({ email: 'ada@example.com' })
    const thief = await signIn(client, 'thief')
    const here = await signIn(client, 'laptop')
    const changed = await client
      .put('/api/v1/account/password')
      .bearerToken(here.token)
      .json({ currentPassword: PASSWORD, password: 'an analytical engine' })
    assert.equal(await reasonFor(client, thief.token), 'password_changed')
    assert.equal(await reasonFor(client, changed.body().data.token), 'alive')
  })

  test('How does an app notice that it was signed out?', async ({ client, assert }) => {
    await makeUser({ email: 'ada@example.com' })
    const phone = await signIn(client, 'phone')
    await signIn(client, 'tablet')
    const answer = await client.get('/api/v1/account').bearerToken(phone.token)
    assert.equal(answer.status(), 401)
    assert.containsSubset(answer.body().errors[0], {
      code: 'E_SESSION_ENDED',
      message: 'You were signed out because your account was used to sign in on tablet.',
      reason: 'superseded',
      by: { name: 'tablet', platform: 'web' },
    })
  })

  test('How does a script keep its access when its owner signs in elsewhere?', async ({
    client,
    assert,
  }) => {
    await makeUser({ email: 'ada@example.com' })
    const laptop = await signIn(client, 'laptop')
    const created = await client
      .post('/api/v1/api-keys')
      .bearerToken(laptop.token)
      .json({ name: 'Nightly export', abilities: ['account:read'], expiresIn: '90d' })
    await signIn(client, 'phone')
    assert.equal(await reasonFor(client, laptop.token), 'superseded')
    assert.equal(await reasonFor(client, created.body().data.key), 'alive')
  })
})
