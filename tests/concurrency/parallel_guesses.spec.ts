import { test } from '@japa/runner'
import { makeUser, PASSWORD } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { call, logIn } from '#tests/harness/http'
import { THOROUGH } from '#tests/harness/pace'
import { startServers, type TestServer } from '#tests/harness/server'

const RIGHT = THOROUGH ? 100 : 30

test.group('Parallel guesses', (group) => {
  let servers: TestServer[]

  group.setup(async () => {
    servers = await startServers(2, { env: { RATE_LIMIT_SIGN_IN: '10/10m' } })
    return async () => {
      await Promise.all(servers.map((server) => server.stop()))
    }
  })
  group.each.setup(() => emptyDatabase())

  test('of 128 wrong guesses at once through two servers ten are tried', async ({ assert }) => {
    const { email } = await makeUser()
    const answers = await Promise.all(
      Array.from({ length: 128 }, (_, index) =>
        call(servers[index % 2].url, 'POST', '/api/v1/auth/login', {
          body: { email, password: `guess ${index}` },
        })
      )
    )
    const told = answers.map((answer) => answer.body.errors[0].code)
    assert.lengthOf(
      told.filter((code) => code === 'E_INVALID_CREDENTIALS'),
      10
    )
    assert.lengthOf(
      told.filter((code) => code === 'E_TOO_MANY_REQUESTS'),
      118
    )
    const late = await call(servers[0].url, 'POST', '/api/v1/auth/login', {
      body: { email, password: PASSWORD },
    })
    assert.equal(late.status, 429)
  }).timeout(60_000)

  test('many right sign-ins at once through two servers all succeed', async ({ assert }) => {
    const { email } = await makeUser()
    const answers = await Promise.all(
      Array.from({ length: RIGHT }, (_, index) => logIn(servers[index % 2].url, email))
    )
    assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [200])
  }).timeout(60_000)
})
