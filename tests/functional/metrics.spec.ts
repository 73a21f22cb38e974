import { test } from '@japa/runner'
import { makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'

test.group('Metrics', (group) => {
  group.each.setup(() => emptyDatabase())

  test('need their token', async ({ client }) => {
    const without = await client.get('/metrics')
    without.assertStatus(401)
    const wrong = await client.get('/metrics').bearerToken('something-else-altogether')
    wrong.assertStatus(401)
  })

  test('tell what happened, by route and outcome, and no secret', async ({ client, assert }) => {
    const user = await makeUser()
    const credentials = { email: user.email, password: PASSWORD }
    const login = await client.post('/api/v1/auth/login').json(credentials)
    await client.post('/api/v1/auth/login').json({ ...credentials, password: 'wrong' })
    await client.get('/api/v1/account').bearerToken(login.body().data.token)

    await client.get('/metrics').bearerToken(process.env.METRICS_TOKEN!)
    await client.post('/api/v1/auth/logout').bearerToken(login.body().data.token)
    await signIn(user)
    const answer = await client.get('/metrics').bearerToken(process.env.METRICS_TOKEN!)
    answer.assertStatus(200)
    assert.match(answer.header('content-type')!, /^text\/plain/)
    const text = answer.text()
    assert.match(text, /latchkey_sign_ins_total\{outcome="opened"\} [1-9]/)
    assert.match(text, /latchkey_sign_ins_total\{outcome="E_INVALID_CREDENTIALS"\} [1-9]/)
    assert.match(
      text,
      /latchkey_http_requests_total\{method="GET",route="\/api\/v1\/account",status="200"\} [1-9]/
    )
    assert.match(text, /latchkey_live_sessions 1\n/)
    assert.match(text, /latchkey_session_ends_total\{reason="logged_out"\} [1-9]/)
    assert.match(text, /latchkey_token_checks_total\{verdict="live"\} [1-9]/)
    assert.match(text, /latchkey_lookup_batch_size_count [1-9]/)
    assert.match(text, /latchkey_password_hash_seconds_count [1-9]/)
    assert.match(text, /latchkey_open_streams 0\n/)
    for (const queue of ['password_hash', 'token_lookup', 'ended_token_lookup']) {
      assert.include(text, `latchkey_queue_length{queue="${queue}"} 0`)
    }
    for (const secret of [login.body().data.token, user.email, PASSWORD]) {
      assert.notInclude(text, secret)
    }
  })
})
