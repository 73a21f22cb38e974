import { test } from '@japa/runner'
import { findUser } from '#app/accounts/find_users'
import { replMethods } from '#app/terminal/repl_methods'
import User from '#models/user'
import { makeUser, signIn } from '#tests/harness/accounts'
import { runCommand } from '#tests/harness/command'
import { emptyDatabase } from '#tests/harness/database'

/** What another system may call somebody, with what a path, a shell or SQL could trip over. */
const EXTERNAL_IDS = ['7', 'a/b?c#d %2F', 'user@example.com', "o'hara; --", ' x ', '~'.repeat(255)]

async function makeNamed(externalId: string) {
  const user = await makeUser()
  await User.query().where('id', user.id).update({ externalId })
  return user
}

test.group('References to users', (group) => {
  group.each.setup(() => emptyDatabase())

  test('an id, an e-mail and an external id are told apart', async ({ assert }) => {
    const ada = await makeUser({ email: 'ada@example.com' })
    const grace = await makeNamed(String(ada.id))
    const idOf = (reference: string | number) => findUser(reference).then((user) => user?.id)
    assert.equal(await idOf(ada.id), ada.id)
    assert.equal(await idOf(` ${ada.id} `), ada.id)
    assert.equal(await idOf(' ADA@Example.com '), ada.id)
    assert.equal(await idOf(`external:${ada.id}`), grace.id)
    const none = ['external:', 'external:x', 'external:é', `external:${ada.id} `, 'External:7', 'x']
    for (const reference of [...none, '0', '-1', '1e0', `0${ada.id}`, '99999999999', '']) {
      assert.isUndefined(await idOf(reference), reference)
    }
  })

  for (const externalId of EXTERNAL_IDS) {
    test(`routes, commands and the REPL take external:${externalId}`, async ({
      client,
      assert,
    }) => {
      const { tokens } = await signIn(await makeUser({ role: 'admin' }))
      const user = await makeNamed(externalId)
      const reference = `external:${externalId}`
      const path = `/api/v1/admin/users/${encodeURIComponent(reference)}`
      const filters = new URLSearchParams({ user: reference, type: 'session.opened' })
      await signIn(user)

      const listed = await client.get(`${path}/sessions`).bearerToken(tokens.token)
      listed.assertStatus(200)
      const { email } = user
      assert.deepEqual(listed.body().data[0].user, { id: user.id, email, externalId })
      const logged = await client.get(`/api/v1/admin/events?${filters}`).bearerToken(tokens.token)
      assert.deepEqual(logged.body().data[0].userId, user.id)

      const shown = await runCommand(['sessions:list', reference, '--json'])
      assert.lengthOf(JSON.parse(shown.stdout).sessions, 1)
      const named = await replMethods(() => {}).userBy(reference)
      assert.equal(named?.id, user.id)
      const forced = await client
        .post('/api/v1/admin/force-logout')
        .json({ users: [reference] })
        .bearerToken(tokens.token)
      assert.equal(forced.body().data.ended, 1)
      const limited = await runCommand(['user:limit', reference, '3', '--json'])
      assert.equal(JSON.parse(limited.stdout).user.id, user.id)
    })
  }

  test('who has no e-mail is shown by what finds them again', async ({ assert }) => {
    const user = await makeNamed('plan-7')
    await signIn(user)
    await User.query().where('id', user.id).update({ email: null })
    const table = await runCommand(['sessions:list'])
    assert.include(table.stdout, 'external:plan-7')
    await User.query().where('id', user.id).update({ externalId: null })
    const without = await runCommand(['user:limit', String(user.id), '3'])
    assert.include(without.stdout, `${user.id}: at most 3`)
  })

  test('the log of a user who is gone is found by id', async ({ client, assert }) => {
    const { tokens } = await signIn(await makeUser({ role: 'admin' }))
    const user = await makeUser()
    await User.query().where('id', user.id).delete()
    const ask = (reference: string) =>
      client.get('/api/v1/admin/events').qs({ user: reference }).bearerToken(tokens.token)
    const known = await ask(String(user.id))
    assert.equal(known.body().data[0].type, 'user.created')
    const unknown = await ask('external:nobody')
    unknown.assertStatus(422)
    assert.equal(unknown.body().errors[0].field, 'user')
  })
})
