import { test } from '@japa/runner'
import User from '#models/user'
import { makeApiKey, makeUser, signIn } from '#tests/harness/accounts'
import { jsonOfCommand, runCommand } from '#tests/harness/command'
import { countRows, emptyDatabase, snapshot } from '#tests/harness/database'

const NAMES = ['user:list', 'user:show', 'user:delete', 'key:list', 'key:revoke', 'events:list']

test.group('Commands that look after users, keys and the log', (group) => {
  group.each.setup(() => emptyDatabase())

  test('user:list finds users by a part, and escapes their names', async ({ assert }) => {
    const ada = await makeUser({ email: 'ada@lovelace.example', fullName: 'Ada\u001b[31m' })
    await makeUser()
    await signIn(ada)
    const all = await jsonOfCommand(['user:list'])
    assert.equal(all.total, 2)
    const found = await jsonOfCommand(['user:list', 'LOVELACE'])
    assert.containsSubset(found, { total: 1, users: [{ id: ada.id, liveSessions: 1 }] })
    const { stdout } = await runCommand(['user:list', 'lovelace'])
    assert.include(stdout, 'ada@lovelace.example')
    assert.include(stdout, '\\u{1b}')
    const none = await runCommand(['user:list', 'nobody'])
    assert.equal(none.exitCode, 0)
    assert.include(none.stdout, 'There are no such users.')
  })

  test('user:show tells state, limit, sessions, keys and the latest of the log', async ({
    assert,
  }) => {
    const ada = await makeUser()
    await makeApiKey(ada, ['account:read'])
    await signIn(ada)
    const { session } = await signIn(ada)
    await runCommand(['user:limit', ada.email, '3'])
    const shown = await jsonOfCommand(['user:show', ada.email])
    assert.containsSubset(shown, {
      user: { id: ada.id, sessionLimit: 3, disabledAt: null },
      limit: 3,
      sessions: [{ id: session.id }],
      apiKeys: [{ abilities: ['account:read'] }],
    })
    assert.containsSubset(shown.events, [
      { type: 'user.limit_changed', actor: 'command:user:limit' },
      { type: 'session.ended', reason: 'superseded' },
    ])
    assert.notInclude(JSON.stringify(shown), 'argon2')
    await runCommand(['user:disable', ada.email])
    const { stdout } = await runCommand(['user:show', String(ada.id)])
    for (const said of ['Disabled since', 'Session limit: 3', 'Live sessions: 0', 'by command:']) {
      assert.include(stdout, said)
    }
  })

  test('user:delete wants --yes where nobody can be asked, and spares the last admin', async ({
    assert,
  }) => {
    const ada = await makeUser()
    const admin = await makeUser({ role: 'admin' })
    await signIn(ada)
    const before = await snapshot()
    const unasked = await runCommand(['user:delete', ada.email])
    assert.equal(unasked.exitCode, 2)
    const last = await runCommand(['user:delete', admin.email, '--yes'])
    assert.equal(last.exitCode, 1)
    assert.equal(await snapshot(), before)
    const args = ['user:delete', ada.email, '--yes', '--reason=asked us to']
    const deleted = await jsonOfCommand(args)
    assert.deepEqual(deleted, { user: { id: ada.id, email: ada.email }, deleted: true })
    assert.isNull(await User.find(ada.id))
    const actor = 'command:user:delete'
    assert.equal(await countRows('session_events', { type: 'user.deleted', actor }), 1)
    const again = await runCommand(args)
    assert.equal(again.exitCode, 2)
  })

  test('key:list and key:revoke know a key by its id, and never tell its value', async ({
    assert,
    client,
  }) => {
    const ada = await makeUser()
    const value = await makeApiKey(ada, ['account:read'])
    await makeApiKey(await makeUser(), [])
    const all = await jsonOfCommand(['key:list'])
    assert.equal(all.total, 2)
    const { apiKeys } = await jsonOfCommand(['key:list', ada.email])
    assert.lengthOf(apiKeys, 1)
    assert.deepEqual(apiKeys[0].user, { id: ada.id, email: ada.email, externalId: null })
    assert.notInclude(JSON.stringify(all), value)
    const { stdout } = await runCommand(['key:list'])
    assert.include(stdout, ada.email)

    const revoked = await jsonOfCommand(['key:revoke', String(apiKeys[0].id), '--reason=leaked'])
    assert.equal(revoked.id, apiKeys[0].id)
    const refused = await client.get('/api/v1/account').bearerToken(value)
    refused.assertStatus(401)
    assert.equal(refused.body().errors[0].reason, 'forced')
    for (const id of [String(apiKeys[0].id), '0', 'x', '99999999999999999999']) {
      const unknown = await runCommand(['key:revoke', id])
      assert.equal(unknown.exitCode, 2)
    }
  })

  test('events:list and events:tail take the same filters', async ({ assert }) => {
    const ada = await makeUser()
    await signIn(ada)
    await signIn(ada)
    await signIn(await makeUser())
    await runCommand(['user:limit', ada.email, '3'])
    const typesOf = (events: { type: string }[]) => events.map(({ type }) => type)
    for (const [filters, types] of [
      [
        [`--user=${ada.email}`, '--type=session.opened'],
        ['session.opened', 'session.opened'],
      ],
      [['--actor=command:user:limit'], ['user.limit_changed']],
      [['--actor=command:user:limit', '--type=session.opened'], []],
    ]) {
      const { events, total } = await jsonOfCommand(['events:list', '--since=1h', ...filters])
      assert.deepEqual(typesOf(events), types)
      assert.equal(total, types.length)
      const tail = await runCommand(['events:tail', '--json', '--no-follow', ...filters])
      const lines = tail.stdout.split('\n').filter(Boolean)
      assert.deepEqual(typesOf(lines.map((line) => JSON.parse(line))), types)
    }
    const one = await runCommand(['events:list', '--limit=1'])
    assert.match(one.stdout, /user\.limit_changed[^]*… and \d+ more/)
    for (const wrong of ['--since=x', '--limit=0', '--user=nobody@example.com']) {
      const refused = await runCommand(['events:list', wrong])
      assert.equal(refused.exitCode, 2)
      assert.notInclude(refused.stderr, 'Nothing was changed')
    }
  })

  test('a session is named by the beginning of its id, where it is the only one', async ({
    assert,
  }) => {
    const ada = await makeUser()
    const { session } = await signIn(ada)
    await signIn(await makeUser())
    const part = session.id.slice(0, 11)
    const listed = await jsonOfCommand(['sessions:list', `--session=${part}`])
    assert.deepEqual(
      listed.sessions.map(({ id }: any) => id),
      [session.id]
    )
    const ended = await jsonOfCommand(['force:logout', ada.email, `--session=${part}`])
    assert.equal(ended.ended, 1)
    for (const wrong of [session.id.slice(0, 7), 'ffffffff', `${part}x`]) {
      const refused = await runCommand(['sessions:list', `--session=${wrong}`])
      assert.equal(refused.exitCode, 2)
    }
  })

  test('of a user whom nobody knows, those that read exit 2 and speak of no change', async ({
    assert,
  }) => {
    for (const name of ['user:show', 'key:list', 'sessions:list']) {
      const refused = await runCommand([name, 'nobody@example.com'])
      assert.equal(refused.exitCode, 2)
      assert.include(refused.stderr, 'There is no user nobody@example.com.')
      assert.notInclude(refused.stderr, 'changed')
    }
  })

  test('each has a help', async ({ assert }) => {
    const { default: ace } = await import('@adonisjs/core/services/ace')
    for (const name of [...NAMES, 'user:limit', 'user:role', 'user:email']) {
      const Command = await ace.find(name)
      const parsed = { args: [], _: [], unknownFlags: [], flags: { help: true }, nodeArgs: [] }
      assert.doesNotThrow(() => Command.validate(parsed))
    }
  })
})
