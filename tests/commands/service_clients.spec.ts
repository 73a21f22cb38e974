import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { runAce } from '#tests/harness/ace'
import { runCommand } from '#tests/harness/command'
import { emptyDatabase } from '#tests/harness/database'
import { hashToken } from '#app/tokens/token'

test.group('client:create, client:list, client:revoke', (group) => {
  group.each.setup(() => emptyDatabase())

  test('a client is made, listed and revoked; its secret is shown once', async ({ assert }) => {
    const made = await runAce(['client:create', 'orders', '--abilities=introspect,feed', '--json'])
    assert.equal(made.exitCode, 0, made.stderr)
    const { id, secret, abilities } = JSON.parse(made.stdout)
    assert.match(secret, /^osc_[A-Za-z0-9_-]{43}$/)
    assert.deepEqual(abilities, ['introspect', 'feed'])

    const row = await db.from('service_clients').where('id', id).firstOrFail()
    assert.equal(row.secret_hash, hashToken(secret))
    assert.notInclude(JSON.stringify(await db.from('session_events')), secret)

    const listed = await runCommand(['client:list', '--json'])
    assert.containsSubset(JSON.parse(listed.stdout), { clients: [{ id, name: 'orders' }] })
    assert.notInclude(listed.stdout, secret)

    const revoked = await runAce(['client:revoke', id])
    assert.equal(revoked.exitCode, 0, revoked.stderr)
    const again = await runCommand(['client:revoke', id, '--json'])
    assert.equal(again.exitCode, 0)
    const table = await runCommand(['client:list'])
    assert.include(table.stdout, 'orders')
    const events = await db.from('session_events').select('type').orderBy('id')
    assert.deepEqual(
      events.map((event) => event.type),
      ['client.created', 'client.revoked']
    )
  })

  test('wrong usage changes nothing and exits with 2', async ({ assert }) => {
    const wrong = [
      ['client:create', 'orders'],
      ['client:create', 'orders', '--abilities=introspect,fly'],
      ['client:create', ' ', '--abilities=feed'],
      ['client:revoke', 'nobody'],
    ]
    for (const args of wrong) {
      const finished = await runCommand(args)
      assert.equal(finished.exitCode, 2, args.join(' '))
      assert.match(finished.stderr, /Nothing was changed/)
    }
    assert.isEmpty(await db.from('service_clients'))
  })
})
