import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import sessionsConfig from '#config/sessions'
import User from '#models/user'
import { makeUser, signIn } from '#tests/harness/accounts'
import { jsonOfCommand, runCommand } from '#tests/harness/command'
import { countRows, emptyDatabase, snapshot } from '#tests/harness/database'
import { keepPolicy } from '#tests/harness/policy'
import { leaveUnfinished } from '#tests/harness/unfinished_watermark'

test.group('Commands of the session policy', (group) => {
  group.each.setup(async () => {
    await emptyDatabase()
    const restore = keepPolicy()
    return () => {
      restore()
      clock.restore()
    }
  })

  test('user:limit sets a limit by e-mail or id, and default takes it away', async ({ assert }) => {
    const user = await makeUser()
    const limit = async () => {
      const { sessionLimit } = await User.findOrFail(user.id)
      return sessionLimit
    }
    const set = await jsonOfCommand(['user:limit', user.email, '3'])
    assert.deepEqual(set, { user: { id: user.id, email: user.email, sessionLimit: 3 } })
    assert.equal(await limit(), 3)
    const said = await runCommand(['user:limit', String(user.id), '0'])
    assert.include(said.stdout, 'no session limit')
    assert.equal(await limit(), 0)
    await runCommand(['user:limit', user.email, 'default'])
    assert.isNull(await limit())
    const event = await db.from('session_events').where('type', 'user.limit_changed').firstOrFail()
    assert.equal(event.actor, 'command:user:limit')
  })

  test('user:limit exits 2 for an unknown user or a wrong limit, and changes nothing', async ({
    assert,
  }) => {
    const user = await makeUser()
    const before = await snapshot()
    for (const given of [
      ['nobody@example.com', '3'],
      ['999999', '3'],
      ...['-1', '1.5', 'x', '100001', '1e3'].map((limit) => [user.email, limit]),
    ]) {
      const refused = await runCommand(['user:limit', '--', ...given])
      assert.equal(refused.exitCode, 2)
    }
    assert.equal(await snapshot(), before)
  })

  test('sessions:list --ended tells when and why, by the same filters, also what nobody wrote yet', async ({
    assert,
  }) => {
    sessionsConfig.limit = 1
    const user = await makeUser()
    const { session: first } = await signIn(user, { platform: 'ios' })
    const { session: covered } = await signIn(user, { platform: 'web' })
    await leaveUnfinished()
    const { session: idle } = await signIn(await makeUser(), { platform: 'ios' })
    const later = { ahead: sessionsConfig.idleTimeout }
    const list = (...args: string[]) => jsonOfCommand(['sessions:list', '--ended', ...args], later)

    const all = await list()
    assert.deepEqual(
      all.sessions.map(({ id, reason }: any) => [id, reason]),
      [
        [idle.id, 'idle'],
        [covered.id, 'forced'],
        [first.id, 'superseded'],
      ]
    )
    assert.equal(all.total, 3)
    assert.equal(all.sessions[0].endedAt, new Date(+idle.lastSeenAt + later.ahead).toISOString())
    assert.equal(await countRows('session_events', { session_id: idle.id, reason: 'idle' }), 1)
    const narrowed = await list(user.email, '--platform=ios')
    assert.deepEqual(
      narrowed.sessions.map(({ id }: any) => id),
      [first.id]
    )
    const table = await runCommand(['sessions:list', '--ended', '--limit=2'], later)
    assert.include(table.stdout, 'REASON')
    assert.match(table.stdout, new RegExp(`${covered.id}.*forced`))
    assert.include(table.stdout, '… and 1 more')
    const live = await jsonOfCommand(['sessions:list'], later)
    assert.deepEqual(live.sessions, [])
  })

  test('sessions:trim says how many of how many, and --dry-run ends none', async ({ assert }) => {
    sessionsConfig.limit = 0
    const user = await makeUser()
    for (let index = 0; index < 3; index++) await signIn(user)
    sessionsConfig.limit = 1
    const dry = await jsonOfCommand(['sessions:trim', '--dry-run'])
    assert.deepEqual(dry, { sessions: 2, users: 1, dryRun: true })
    assert.equal(await countRows('sessions', { ended_at: null }), 3)
    const trimmed = await runCommand(['sessions:trim'])
    assert.include(trimmed.stdout, 'Ended 2 sessions of 1 user.')
    assert.equal(await countRows('sessions', { ended_at: null }), 1)
    const nothing = await jsonOfCommand(['sessions:trim'])
    assert.equal(nothing.sessions, 0)
  })

  test('sessions:prune removes what is older than it is told', async ({ assert }) => {
    clock.freeze()
    const user = await makeUser()
    await signIn(user)
    await signIn(user)
    clock.advance(60 * 60 * 1000)
    const kept = await jsonOfCommand(['sessions:prune'])
    assert.equal(kept.sessions, 0)
    const pruned = await jsonOfCommand(['sessions:prune', '--older-than=1h'])
    assert.equal(pruned.sessions, 1)
    for (const wrong of ['x', '0', '-1d', '30']) {
      const refused = await runCommand(['sessions:prune', `--older-than=${wrong}`])
      assert.equal(refused.exitCode, 2)
    }
  })
})
