import { test } from '@japa/runner'
import repl from '@adonisjs/core/services/repl'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { lastSeen } from '#app/sessions/last_seen'
import { replMethods } from '#app/terminal/repl_methods'
import { makeUser, signIn } from '#tests/harness/accounts'
import { countRows, emptyDatabase } from '#tests/harness/database'

test.group('REPL', (group) => {
  group.each.setup(() => emptyDatabase())

  function session() {
    const printed: string[] = []
    return { printed, ...replMethods((line) => printed.push(line)) }
  }

  test('every method is listed with a usage', ({ assert }) => {
    const methods = repl.getMethods()
    for (const name of ['sessions', 'forceLogout', 'endSession', 'whoIs', 'userBy']) {
      assert.isNotEmpty(methods[name].options.description, name)
      assert.include(methods[name].options.usage, name)
    }
  })

  test('sessions prints a table and returns the sessions', async ({ assert }) => {
    const user = await makeUser()
    const opened = await signIn(user, { name: 'Phone' })
    const { sessions, printed } = session()
    for (const handle of [user.email, user.id, user]) {
      const found = await sessions(handle)
      assert.deepEqual(
        found.map(({ id }) => id),
        [opened.session.id]
      )
    }
    assert.include(printed.join('\n'), 'Phone')
  })

  test('forceLogout ends what matches and returns what it did', async ({ assert }) => {
    const user = await makeUser()
    const { session: ended } = await signIn(user, { platform: 'ios' })
    const { forceLogout, whoIs } = session()

    const preview = await forceLogout(user.email, { platform: 'ios', dryRun: true })
    assert.containsSubset(preview, { matched: { sessions: 1 } })
    const other = await forceLogout(user.email, { platform: 'web' })
    assert.containsSubset(other, { ended: 0 })
    const result = await forceLogout(user.email, { reason: 'lost phone' })
    assert.containsSubset(result, { ended: 1, sessions: [{ id: ended.id }] })
    const row = await db.from('sessions').where('id', ended.id).firstOrFail()
    assert.equal(row.ended_by, 'repl')
    assert.equal(row.end_reason, 'forced')
    const verdict = await whoIs('oat_nonsense')
    assert.equal(verdict.type, 'unknown')
  })

  test('a misspelt option is refused, and an unknown user', async ({ assert }) => {
    const user = await makeUser()
    await signIn(user)
    const { forceLogout, sessions } = session()
    await assert.rejects(() => forceLogout(user.email, { plattform: 'ios' }))
    await assert.rejects(() => sessions('nobody@example.com'), /no user nobody@example.com/)
    assert.equal(await countRows('session_events', { type: 'session.ended' }), 0)
  })

  test('endSession ends one session, once', async ({ assert }) => {
    const opened = await signIn(await makeUser())
    const { endSession } = session()
    assert.isTrue(await endSession(opened.session.id, 'test'))
    assert.isFalse(await endSession(opened.session.id))
    await assert.rejects(() => endSession('not-an-id'))
  })

  test('whoIs tells what a token is and leaves no trace', async ({ assert, cleanup }) => {
    cleanup(() => clock.restore())
    const user = await makeUser()
    const { tokens, session: opened } = await signIn(user)
    const before = await db.from('sessions').where('id', opened.id).firstOrFail()
    const { whoIs, printed } = session()

    clock.freeze()
    clock.advance(5 * 60_000)
    const verdict = await whoIs(tokens.token)
    assert.equal(verdict.type, 'live')
    await lastSeen.flush({ everything: true })
    const after = await db.from('sessions').where('id', opened.id).firstOrFail()
    assert.deepEqual(after.last_seen_at, before.last_seen_at)
    assert.include(printed.join('\n'), user.email)
    assert.notInclude(printed.join('\n'), tokens.token)
    assert.notInclude(printed.join('\n'), user.password!)
  })

  test('userBy finds by e-mail and by id, and says when there is none', async ({ assert }) => {
    const user = await makeUser()
    const { userBy, printed } = session()
    const byEmail = await userBy(user.email)
    const byId = await userBy(user.id)
    assert.equal(byEmail?.id, user.id)
    assert.equal(byId?.id, user.id)
    assert.isNull(await userBy('no\u001b[31mbody@example.com'))
    assert.notInclude(printed.join('\n'), '\u001b')
  })
})
