import { test } from '@japa/runner'
import sessionsConfig from '#config/sessions'
import { makeUser, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase, snapshot } from '#tests/harness/database'

test.group('Logout', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.setup(() => {
    const { limit } = sessionsConfig
    sessionsConfig.limit = 0
    return () => {
      sessionsConfig.limit = limit
    }
  })

  test('ends this session and says so to its token', async ({ client, assert }) => {
    const user = await makeUser()
    const phone = await signIn(user)
    const tablet = await signIn(user)

    const answer = await client.post('/api/v1/auth/logout').bearerToken(phone.tokens.token)
    answer.assertStatus(204)
    assert.isEmpty(answer.text())

    const refused = await client.get('/api/v1/account').bearerToken(phone.tokens.token)
    refused.assertStatus(401)
    assert.containsSubset(refused.body().errors[0], {
      code: 'E_SESSION_ENDED',
      reason: 'logged_out',
    })
    assert.notProperty(refused.body().errors[0], 'by')
    const alive = await client.get('/api/v1/account').bearerToken(tablet.tokens.token)
    alive.assertStatus(200)
  })

  test('logout-others ends the others and keeps this one', async ({ client, assert }) => {
    const user = await makeUser()
    const stranger = await signIn(await makeUser())
    const others = [await signIn(user), await signIn(user)]
    const mine = await signIn(user)

    const answer = await client.post('/api/v1/auth/logout-others').bearerToken(mine.tokens.token)
    answer.assertStatus(200)
    assert.deepEqual(answer.body(), { data: { ended: 2 } })
    for (const other of others) {
      const refused = await client.get('/api/v1/account').bearerToken(other.tokens.token)
      assert.equal(refused.body().errors[0].reason, 'logged_out_elsewhere')
    }
    for (const { tokens } of [mine, stranger]) {
      const alive = await client.get('/api/v1/account').bearerToken(tokens.token)
      alive.assertStatus(200)
    }
  })

  test('logout-all ends every session, each with its own reason', async ({ client, assert }) => {
    const user = await makeUser()
    const other = await signIn(user)
    const mine = await signIn(user)

    const answer = await client.post('/api/v1/auth/logout-all').bearerToken(mine.tokens.token)
    assert.deepEqual(answer.body(), { data: { ended: 2 } })
    const first = await client.get('/api/v1/account').bearerToken(mine.tokens.token)
    assert.equal(first.body().errors[0].reason, 'logged_out')
    const second = await client.get('/api/v1/account').bearerToken(other.tokens.token)
    assert.equal(second.body().errors[0].reason, 'logged_out_elsewhere')
    assert.equal(await countRows('api_tokens', { tokenable_id: user.id }), 0)
  })

  test('{$self} without a valid token ends nothing')
    .with(['logout', 'logout-others', 'logout-all'])
    .run(async ({ client, assert }, route) => {
      const user = await makeUser()
      const { tokens, session } = await signIn(user)
      const before = await snapshot()
      const forged = [
        undefined,
        `oat_${'A'.repeat(43)}`,
        tokens.refreshToken!,
        session.id,
        `${tokens.token}A`,
      ]
      for (const token of forged) {
        const request = client.post(`/api/v1/auth/${route}`)
        if (token) request.bearerToken(token)
        const answer = await request
        answer.assertStatus(401)
      }
      assert.equal(await snapshot(), before)
    })

  test('a second logout with the same token changes nothing', async ({ client, assert }) => {
    const { tokens } = await signIn(await makeUser())
    await client.post('/api/v1/auth/logout').bearerToken(tokens.token)
    const before = await snapshot()
    const again = await client.post('/api/v1/auth/logout').bearerToken(tokens.token)
    again.assertStatus(401)
    assert.equal(again.body().errors[0].reason, 'logged_out')
    assert.equal(await snapshot(), before)
  })
})
