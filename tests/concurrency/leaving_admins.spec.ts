import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { call } from '#tests/harness/http'
import { sharedServers } from '#tests/harness/server'

test.group('Leaving administrators', (group) => {
  group.each.setup(() => emptyDatabase())

  test('of all administrators who delete their accounts at once, one stays', async ({ assert }) => {
    const servers = await sharedServers({}, {})
    const admins = await Promise.all(Array.from({ length: 4 }, () => makeUser({ role: 'admin' })))
    const opened = []
    for (const admin of admins) opened.push(await signIn(admin))

    const answers = await Promise.all(
      opened.map(({ tokens }, index) =>
        call(servers[index % 2].url, 'DELETE', '/api/v1/account', {
          token: tokens.token,
          body: { currentPassword: PASSWORD },
        })
      )
    )
    assert.sameMembers(
      answers.map((answer) => answer.status),
      [204, 204, 204, 403]
    )
    assert.equal(await countRows('users'), 1)
    const [last] = await db.from('sessions').whereNull('ended_at')
    assert.isNotNull(last.user_id)
  }).timeout(60_000)
})
