import { test } from '@japa/runner'
import { countRows, emptyDatabase } from '#tests/harness/database'

test.group('Sign-up', (group) => {
  group.each.setup(() => emptyDatabase())

  test('makes an account and signs it in', async ({ client, assert }) => {
    const answer = await client.post('/api/v1/auth/signup').json({
      email: ' Ada@Example.com ',
      password: 'difference engine',
      fullName: 'Ada Lovelace',
      device: { id: 'phone-1', name: 'Phone', platform: 'iOS' },
    })
    answer.assertStatus(201)
    assert.equal(answer.header('cache-control'), 'no-store')
    const { data } = answer.body()
    assert.match(data.token, /^oat_/)
    assert.match(data.refreshToken, /^ort_/)
    assert.equal(data.tokenType, 'Bearer')
    assert.equal(data.user.email, 'ada@example.com')
    assert.notProperty(data.user, 'password')
    assert.deepEqual(data.session.device, { id: 'phone-1', name: 'Phone', platform: 'ios' })
    const account = await client.get('/api/v1/account').bearerToken(data.token)
    account.assertStatus(200)
  })

  test('a taken e-mail is refused, also in another spelling and at once', async ({
    client,
    assert,
  }) => {
    const account = { password: 'difference engine' }
    const spellings = ['ada@example.com', 'ADA@example.com', ' ada@EXAMPLE.com']
    const answers = await Promise.all(
      spellings.map((email) => client.post('/api/v1/auth/signup').json({ ...account, email }))
    )
    assert.deepEqual(answers.map((answer) => answer.status()).sort(), [201, 422, 422])
    const refused = answers.find((answer) => answer.status() === 422)!
    assert.containsSubset(refused.body().errors[0], {
      code: 'E_VALIDATION_ERROR',
      field: 'email',
      rule: 'unique',
    })
    assert.equal(await countRows('users'), 1)
    assert.equal(await countRows('sessions'), 1)
  })

  test('a short password is refused', async ({ client, assert }) => {
    const answer = await client
      .post('/api/v1/auth/signup')
      .json({ email: 'ada@example.com', password: 'short' })
    answer.assertStatus(422)
    assert.equal(answer.body().errors[0].field, 'password')
  })
})
