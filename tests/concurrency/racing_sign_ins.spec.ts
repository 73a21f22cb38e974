import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { makeUser } from '#tests/harness/accounts'
import { emptyDatabase } from '#tests/harness/database'
import { call, logIn } from '#tests/harness/http'
import { startServers, type TestServer } from '#tests/harness/server'

test.group('Racing sign-ins', (group) => {
  let servers: TestServer[]

  group.setup(async () => {
    servers = await startServers(2)
    return async () => {
      await Promise.all(servers.map((server) => server.stop()))
    }
  })
  group.each.setup(() => emptyDatabase())

  test('100 sign-ins through two servers leave one session, and never two', async ({ assert }) => {
    const user = await makeUser()
    let racing = true
    let most = 0
    const observer = (async () => {
      while (racing) {
        const rows = await db.from('sessions').where('user_id', user.id).whereNull('ended_at')
        most = Math.max(most, rows.length)
      }
    })()

    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) => logIn(servers[index % 2].url, user.email))
    )
    racing = false
    await observer

    assert.deepEqual([...new Set(answers.map((answer) => answer.status))], [200])
    assert.equal(most, 1)
    const checks = await Promise.all(
      answers.map((answer, index) =>
        call(servers[index % 2].url, 'GET', '/api/v1/account', { token: answer.body.data.token })
      )
    )
    assert.lengthOf(
      checks.filter((check) => check.status === 200),
      1
    )
    for (const check of checks.filter((one) => one.status !== 200)) {
      assert.equal(check.body.errors[0].reason, 'superseded')
    }
  }).timeout(60_000)
})
