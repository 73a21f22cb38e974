import { test } from '@japa/runner'
import User from '#models/user'
import { mintLink } from '#app/accounts/mailed_links'
import { withUserLock } from '#app/sessions/user_lock'
import { readAccount, verifyCredentials } from '#app/accounts/credentials'
import { runAce, startAceOnTerminal } from '#tests/harness/ace'
import { makeUser, signIn } from '#tests/harness/accounts'
import { jsonOfCommand, runCommand } from '#tests/harness/command'
import { countRows, emptyDatabase } from '#tests/harness/database'

async function check(email: string, password: string) {
  return verifyCredentials(await readAccount(email), password)
}

test.group('user:create, user:disable and user:enable', (group) => {
  group.each.setup(() => emptyDatabase())
  group.each.timeout(120_000)

  test('the password comes from standard input, spaces and all', async ({ assert }) => {
    const password = ' two  spaces '
    const { exitCode, stdout, stderr } = await runAce(
      ['user:create', 'Root@example.com', '--admin', '--name=Root', '--json'],
      { input: `${password}\n` }
    )
    assert.equal(exitCode, 0, stderr)
    assert.containsSubset(JSON.parse(stdout).user, { email: 'root@example.com', role: 'admin' })
    assert.notInclude(stdout + stderr, password)
    const user = await check('root@example.com', password)
    assert.isTrue(user.isAdmin)
    assert.equal(user.fullName, 'Root')
  })

  test('on a terminal the password is asked for twice and not shown', async ({ assert }) => {
    const { exitCode, stdout } = await startAceOnTerminal(['user:create', 'ada@example.com'], {
      answers: [
        ['Password', 'correct horse\r'],
        ['The same again', 'correct horse\r'],
      ],
    }).finished
    assert.equal(exitCode, 0, stdout)
    assert.notInclude(stdout, 'correct horse')
    await check('ada@example.com', 'correct horse')
  })

  test('a short password and a wrong e-mail are 2, a taken e-mail is 1', async ({ assert }) => {
    await makeUser({ email: 'ada@example.com' })
    const short = await runCommand(['user:create', 'bob@example.com'], { input: 'short' })
    assert.equal(short.exitCode, 2)
    const wrong = await runCommand(['user:create', 'not-an-address'], { input: 'correct horse' })
    assert.equal(wrong.exitCode, 2)
    const taken = await runCommand(['user:create', 'ADA@example.com'], { input: 'correct horse' })
    assert.equal(taken.exitCode, 1)
    assert.include(taken.stderr, 'already')
    const users = await User.all()
    assert.lengthOf(users, 1)
  })

  test('disabling ends the sessions, enabling lets in again', async ({ assert }) => {
    const ada = await makeUser()
    await signIn(ada)
    const disabled = await runAce(['user:disable', ada.email, '--reason=left', '--json'])
    assert.equal(disabled.exitCode, 0, disabled.stderr)
    assert.containsSubset(JSON.parse(disabled.stdout), { ended: 1, apiKeysEnded: 0 })
    assert.equal(await countRows('sessions', { end_reason: 'account_disabled' }), 1)
    await ada.refresh()
    assert.isTrue(ada.isDisabled)

    const enabled = await runCommand(['user:enable', String(ada.id)])
    assert.equal(enabled.exitCode, 0, enabled.stderr)
    await ada.refresh()
    assert.isFalse(ada.isDisabled)
    assert.equal(await countRows('session_events', { type: 'user.enabled' }), 1)
    const unknown = await runCommand(['user:disable', 'nobody@example.com'])
    assert.equal(unknown.exitCode, 2)
  })

  test('the last admin can not be disabled; one of two can', async ({ assert }) => {
    const root = await makeUser({ role: 'admin' })
    await signIn(root)
    const refused = await runAce(['user:disable', root.email, '--json'])
    assert.equal(refused.exitCode, 1)
    assert.include(refused.stderr, 'last administrator')
    assert.include(refused.stderr, 'user:role', 'it says what to do')
    assert.equal(JSON.parse(refused.stdout).error.code, 'E_FAILED')
    await root.refresh()
    assert.isFalse(root.isDisabled)
    assert.equal(await countRows('sessions', { ended_at: null }), 1)

    await makeUser({ role: 'admin' })
    const disabled = await runAce(['user:disable', root.email])
    assert.equal(disabled.exitCode, 0, disabled.stderr)
  })

  test('another address takes effect at once, unverified, and ends links', async ({ assert }) => {
    const ada = await makeUser()
    const other = await makeUser()
    await withUserLock(ada.id, (trx) => mintLink(trx, ada, 'reset'))
    const done = await runAce(['user:email', ada.email, ' Ada@New.example ', '--json'])
    assert.equal(done.exitCode, 0, done.stderr)
    assert.deepEqual(JSON.parse(done.stdout).user, { id: ada.id, email: 'ada@new.example' })
    await ada.refresh()
    assert.equal(ada.email, 'ada@new.example')
    assert.isFalse(ada.isEmailVerified)
    assert.equal(await countRows('password_resets'), 0)
    assert.equal(await countRows('session_events', { type: 'email.changed' }), 1)

    const taken = await runAce(['user:email', String(ada.id), other.email])
    assert.equal(taken.exitCode, 1)
    assert.include(taken.stderr, 'Another account')
    const wrong = await runAce(['user:email', String(ada.id), 'not-an-address'])
    assert.equal(wrong.exitCode, 2)
  })

  test('a role is given and taken, but not from the last admin', async ({ assert }) => {
    const ada = await makeUser()
    const root = await makeUser({ role: 'admin' })
    const last = await runAce(['user:role', root.email, 'user'])
    assert.equal(last.exitCode, 1)
    assert.include(last.stderr, 'last administrator')
    await jsonOfCommand(['user:role', ada.email, 'admin'])
    const taken = await runCommand(['user:role', root.email, 'user'])
    assert.equal(taken.exitCode, 0, taken.stderr)
    await root.refresh()
    assert.isFalse(root.isAdmin)
    assert.equal(await countRows('session_events', { type: 'user.role_changed' }), 2)
    const wrong = await runCommand(['user:role', ada.email, 'king'])
    assert.equal(wrong.exitCode, 2)
  })
})
