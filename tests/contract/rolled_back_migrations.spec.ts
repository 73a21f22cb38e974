import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { makeApiKey, makeUser, signIn } from '#tests/harness/accounts'
import { runCommand } from '#tests/harness/command'
import { countRows, emptyDatabase } from '#tests/harness/database'

test.group('Migrations that are rolled back', (group) => {
  group.each.setup(() => emptyDatabase())

  test('keep every user, session, token and key', async ({ assert, cleanup }) => {
    const user = await makeUser()
    await signIn(user)
    await makeApiKey(user, ['account:read'])
    const count = async () => [
      await countRows('users'),
      await countRows('sessions', { user_id: user.id, ended_at: null }),
      await countRows('api_tokens', { tokenable_id: user.id }),
    ]
    const before = await count()
    assert.deepEqual(before, [1, 1, 3])

    const { name } = await db
      .from('adonis_schema')
      .where('name', 'like', '%create_dpop_proofs_table')
      .select('name')
      .firstOrFail()
    const { total } = await db
      .from('adonis_schema')
      .where('name', '>=', name)
      .count('* as total')
      .firstOrFail()
    cleanup(async () => {
      await runCommand(['migration:run', '--force'])
    })
    const back = await runCommand(['migration:rollback', `--step=${Number(total)}`, '--force'])
    assert.equal(back.exitCode, 0, back.stderr)
    assert.deepEqual(await count(), before)
  })
})
