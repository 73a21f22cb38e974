import { test } from '@japa/runner'
import clock from '#app/clock'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { makeClient } from '#tests/harness/service_clients'

/**
 * The steps of "Our own login stays" in docs/moving_over.md, one after another, with one user.
 */
test.group('Our own login stays', (group) => {
  let login: string
  let manager: string
  let phone: { token: string; refreshToken: string; session: { id: string } }
  let tablet: typeof phone

  group.setup(async () => {
    await emptyDatabase()
    clock.freeze()
    return () => clock.restore()
  })

  test('1. the backend is made known', async () => {
    const backends = [await makeClient(['sign_in']), await makeClient(['manage'])]
    ;[login, manager] = backends.map(({ basic }) => basic)
  })

  test('2. it opens a session, and the account with it', async ({ client, assert }) => {
    const answer = await client
      .post('/api/v1/sessions')
      .header('authorization', login)
      .json({ user: { externalId: '42' }, create: true, device: { name: 'Phone' } })
    answer.assertStatus(200)
    phone = answer.body().data
    assert.equal(await countRows('users'), 1)
  })

  test('3. the client refreshes, and the API is told the id of old', async ({ client, assert }) => {
    const renewed = await client
      .post('/api/v1/auth/refresh')
      .json({ refreshToken: phone.refreshToken })
    renewed.assertStatus(200)
    phone = { ...phone, ...renewed.body().data }
    const checked = await client.get('/forward-auth').bearerToken(phone.token)
    checked.assertStatus(200)
    assert.equal(checked.header('x-auth-external-id'), '42')
  })

  test('4. a second device signs the first one out', async ({ client, assert }) => {
    const answer = await client
      .post('/api/v1/sessions')
      .header('authorization', login)
      .json({ user: { externalId: '42' }, device: { name: 'Tablet' } })
    tablet = answer.body().data
    const ended = await client.get('/api/v1/account').bearerToken(phone.token)
    ended.assertStatus(401)
    assert.containsSubset(ended.body().errors[0], { reason: 'superseded', by: { name: 'Tablet' } })
  })

  test('5. the person shows once more who they are', async ({ client }) => {
    clock.advance(11 * 60_000)
    const ask = () => client.get('/forward-auth').qs({ max_age: 600 }).bearerToken(tablet.token)
    const stale = await ask()
    stale.assertStatus(401)
    const confirmed = await client
      .post(`/api/v1/sessions/${tablet.session.id}/confirm`)
      .header('authorization', login)
      .json({})
    confirmed.assertStatus(200)
    const fresh = await ask()
    fresh.assertStatus(200)
  })

  test('6. who leaves is disabled, and deleted', async ({ client, assert }) => {
    const path = '/api/v1/admin/users/external:42'
    const disabled = await client
      .patch(path)
      .header('authorization', manager)
      .json({ disabled: true })
    disabled.assertStatus(200)
    const ended = await client.get('/api/v1/account').bearerToken(tablet.token)
    assert.equal(ended.body().errors[0].reason, 'account_disabled')
    const refused = await client
      .post('/api/v1/sessions')
      .header('authorization', login)
      .json({ user: { externalId: '42' }, create: true })
    refused.assertStatus(403)
    const gone = await client.delete(path).header('authorization', manager)
    gone.assertStatus(204)
    assert.equal(await countRows('users'), 0)
  })
})
