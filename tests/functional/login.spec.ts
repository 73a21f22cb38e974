import { test } from '@japa/runner'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { makeUser, PASSWORD } from '#tests/harness/accounts'

test.group('Login', (group) => {
  group.each.setup(() => emptyDatabase())

  test('a second sign-in ends the first session, which is told why', async ({ client, assert }) => {
    const user = await makeUser()
    const credentials = { email: user.email, password: PASSWORD }
    const phone = await client
      .post('/api/v1/auth/login')
      .json({ ...credentials, device: { name: 'Phone', platform: 'ios' } })
    phone.assertStatus(200)
    const tablet = await client
      .post('/api/v1/auth/login')
      .json({ ...credentials, device: { name: 'Tablet', platform: 'android' } })
    tablet.assertStatus(200)

    const { data } = tablet.body()
    assert.lengthOf(data.endedSessions, 1)
    assert.containsSubset(data.endedSessions[0], {
      id: phone.body().data.session.id,
      reason: 'superseded',
    })
    assert.deepEqual(data.quota, { used: 1, max: 1 })

    const refused = await client.get('/api/v1/account').bearerToken(phone.body().data.token)
    refused.assertStatus(401)
    assert.containsSubset(refused.body().errors[0], {
      code: 'E_SESSION_ENDED',
      reason: 'superseded',
      by: { name: 'Tablet', platform: 'android' },
    })
    assert.equal(
      refused.header('www-authenticate'),
      'Bearer realm="latchkey", error="invalid_token"'
    )

    const alive = await client.get('/api/v1/account').bearerToken(data.token)
    alive.assertStatus(200)
    assert.equal(await countRows('api_tokens', { tokenable_id: user.id }), 2)
  })
})
