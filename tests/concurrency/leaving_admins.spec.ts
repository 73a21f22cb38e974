import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { disableUser } from '#app/accounts/disabled_users'
import { changeRole } from '#app/accounts/roles_and_limits'
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

  test('of all who are disabled or demoted at once, one stays an admin', async ({ assert }) => {
    for (let round = 0; round < 5; round++) {
      await emptyDatabase()
      const [demoted, ...disabled] = await Promise.all(
        Array.from({ length: 4 }, () => makeUser({ role: 'admin' }))
      )
      const outcomes = await Promise.allSettled([
        changeRole(demoted.id, 'user', { actor: 'command:test' }),
        ...disabled.map(({ id }) => disableUser(id, { actor: `user:${demoted.id}` })),
      ])
      const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
      assert.deepEqual(
        refused.map(({ reason }) => reason.code),
        ['E_FORBIDDEN']
      )
      assert.equal(await countRows('users', { role: 'admin', disabled_at: null }), 1)
    }
  }).timeout(60_000)

  test('an admin who is disabled already may be demoted', async ({ assert }) => {
    const [root, gone] = [await makeUser({ role: 'admin' }), await makeUser({ role: 'admin' })]
    await disableUser(gone.id, { actor: 'command:test' })
    const demoted = await changeRole(gone.id, 'user', { actor: 'command:test' })
    assert.isFalse(demoted!.isAdmin)
    await assert.rejects(
      () => disableUser(root.id, { actor: 'repl' }, { later: true }),
      /last administrator/
    )
  })
})
