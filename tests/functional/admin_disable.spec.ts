import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'

test.group('Disabling accounts by an admin', (group) => {
  group.each.setup(() => emptyDatabase())

  test('ends all sessions, refuses sign-ins, and enabling lets in again', async ({
    client,
    assert,
  }) => {
    const admin = await makeUser({ role: 'admin' })
    const ada = await makeUser()
    const { tokens } = await signIn(admin)
    const phone = await signIn(ada)
    const credentials = { email: ada.email, password: PASSWORD }

    const disabled = await client
      .post(`/api/v1/admin/users/${ada.id}/disable`)
      .bearerToken(tokens.token)
      .json({ reason: 'left the company' })
    disabled.assertStatus(200)
    assert.containsSubset(disabled.body().data, { ended: 1, endedOwnSession: false })
    assert.isString(disabled.body().data.user.disabledAt)

    const refused = await client.get('/api/v1/account').bearerToken(phone.tokens.token)
    refused.assertStatus(401)
    assert.equal(refused.body().errors[0].reason, 'account_disabled')
    const signInRefused = await client.post('/api/v1/auth/login').json(credentials)
    signInRefused.assertStatus(403)
    const event = await db.from('session_events').where('type', 'user.disabled').firstOrFail()
    assert.equal(event.actor, `user:${admin.id}`)
    assert.containsSubset(JSON.parse(event.data), { note: 'left the company', matched: 1 })

    const enabled = await client
      .post(`/api/v1/admin/users/${ada.id}/enable`)
      .bearerToken(tokens.token)
    enabled.assertStatus(200)
    assert.isNull(enabled.body().data.user.disabledAt)
    const still = await client.get('/api/v1/account').bearerToken(phone.tokens.token)
    still.assertStatus(401)
    const signedIn = await client.post('/api/v1/auth/login').json(credentials)
    signedIn.assertStatus(200)
  })

  test('twice is told once in the log', async ({ client, assert }) => {
    const admin = await makeUser({ role: 'admin' })
    const ada = await makeUser()
    const { tokens } = await signIn(admin)
    for (let time = 0; time < 2; time++) {
      const answer = await client
        .post(`/api/v1/admin/users/${ada.id}/disable`)
        .bearerToken(tokens.token)
      answer.assertStatus(200)
    }
    assert.equal(await countRows('session_events', { type: 'user.disabled' }), 1)
  })

  test('the last admin can not be disabled by an admin; one of two can', async ({
    client,
    assert,
  }) => {
    const admin = await makeUser({ role: 'admin' })
    const { tokens } = await signIn(admin)
    const path = `/api/v1/admin/users/${admin.id}/disable`
    const refused = await client.post(path).bearerToken(tokens.token)
    refused.assertStatus(403)
    assert.equal(await countRows('session_events', { type: 'session.ended' }), 0)

    await makeUser({ role: 'admin' })
    const answer = await client.post(path).bearerToken(tokens.token)
    answer.assertStatus(200)
    assert.isTrue(answer.body().data.endedOwnSession)
  })

  for (const id of ['0', 'x', '99999999999', '4242', '%00']) {
    test(`the id ${id} is a 404`, async ({ client }) => {
      const admin = await makeUser({ role: 'admin' })
      const { tokens } = await signIn(admin)
      for (const act of ['disable', 'enable']) {
        const answer = await client
          .post(`/api/v1/admin/users/${id}/${act}`)
          .bearerToken(tokens.token)
        answer.assertStatus(404)
      }
    })
  }
})
