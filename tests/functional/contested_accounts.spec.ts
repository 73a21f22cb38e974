import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import clock from '#app/clock'
import { changePassword } from '#app/accounts/change_password'
import { prune } from '#app/jobs/prune'
import { contestedAccounts } from '#app/metrics/metrics'
import sessionsConfig from '#config/sessions'
import { E_ACCOUNT_CONTESTED } from '#exceptions/errors'
import User from '#models/user'
import { makeUser, PASSWORD, signIn } from '#tests/harness/accounts'
import { runCommand } from '#tests/harness/command'
import { countRows, emptyDatabase } from '#tests/harness/database'
import { keepPolicy } from '#tests/harness/policy'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

/**
 * Lets devices sign in in turn, a minute apart. Returns the errors of those that were refused.
 */
async function takeTurns(user: User, devices: string[], times: number): Promise<Error[]> {
  const refused: Error[] = []
  for (let turn = 0; turn < times; turn++) {
    clock.advance(MINUTE)
    const id = devices[turn % devices.length]
    await signIn(user, { id, name: `the ${id}` }).catch((error) => refused.push(error))
  }
  return refused
}

const contests = () => countRows('session_events', { type: 'account.contested' })

test.group('Contested accounts', (group) => {
  group.each.setup(async () => {
    await emptyDatabase()
    clock.freeze()
    const restore = keepPolicy()
    sessionsConfig.limit = 1
    sessionsConfig.contest = { count: 6, windowMs: 10 * MINUTE }
    sessionsConfig.contestCooldown = 0
    return () => {
      restore()
      clock.restore()
    }
  })

  test('the sixth takeover in ten minutes is told once, not the fifth', async ({ assert }) => {
    const ada = await makeUser()
    const counted = async () => {
      const { values } = await contestedAccounts.get()
      return values[0]?.value ?? 0
    }
    const before = await counted()
    await takeTurns(ada, ['phone', 'tablet'], 6)
    assert.equal(await contests(), 0)
    await takeTurns(ada, ['phone', 'tablet'], 5)
    assert.equal(await contests(), 1)

    const event = await db.from('session_events').where('type', 'account.contested').firstOrFail()
    assert.equal(event.user_id, ada.id)
    assert.equal(event.actor, 'system')
    const { devices, count } = JSON.parse(event.data)
    assert.equal(count, 6)
    assert.sameDeepMembers(devices, [
      { name: 'the phone', platform: null },
      { name: 'the tablet', platform: null },
    ])
    assert.equal(await counted(), before + 1)
  })

  test('a contest that begins again after a pause is told again', async ({ assert }) => {
    const ada = await makeUser()
    await takeTurns(ada, ['phone', 'tablet'], 8)
    clock.advance(DAY)
    await takeTurns(ada, ['phone', 'tablet'], 8)
    assert.equal(await contests(), 2)
  })

  test('not: the same device again and again, few times a day, or off', async ({ assert }) => {
    const ada = await makeUser()
    await takeTurns(ada, ['phone'], 20)
    for (let turn = 0; turn < 20; turn++) await signIn(ada)
    for (let day = 0; day < 6; day++) {
      clock.advance(4 * 60 * MINUTE)
      await takeTurns(ada, ['phone', 'laptop'], 2)
    }
    sessionsConfig.limit = 3
    await takeTurns(ada, ['a', 'b', 'c'], 20)
    sessionsConfig.limit = 1
    sessionsConfig.contest = null
    await takeTurns(ada, ['phone', 'tablet'], 20)
    assert.equal(await contests(), 0)
  })

  test('one sign-in that supersedes six sessions counts once', async ({ assert }) => {
    const ada = await makeUser()
    sessionsConfig.limit = 0
    await takeTurns(ada, ['a', 'b', 'c', 'd', 'e', 'f', 'g'], 7)
    sessionsConfig.limit = 1
    const { endedSessions } = await signIn(ada, { id: 'h' })
    assert.lengthOf(endedSessions, 7)
    assert.equal(await contests(), 0)
  })

  test('without ids devices are told apart by user agent', async ({ assert }) => {
    const ada = await makeUser()
    for (let turn = 0; turn < 7; turn++) {
      clock.advance(MINUTE)
      await signIn(ada, { userAgent: turn % 2 ? 'Firefox' : 'Chrome' })
    }
    assert.equal(await contests(), 1)
  })

  test('during the cooldown a newcomer gets 429, and the device that is in stays', async ({
    assert,
    client,
  }) => {
    sessionsConfig.contestCooldown = 15 * MINUTE
    const ada = await makeUser()
    assert.lengthOf(await takeTurns(ada, ['phone', 'tablet'], 7), 0)
    clock.advance(MINUTE)

    const logIn = (device: object, more: object = {}) =>
      client
        .post('/api/v1/auth/login')
        .json({ email: ada.email, password: PASSWORD, device, ...more } as object)
    const refused = await logIn({ id: 'tablet' })
    refused.assertStatus(429)
    assert.equal(refused.body().errors[0].code, 'E_ACCOUNT_CONTESTED')
    assert.equal(refused.header('retry-after'), String(14 * 60))
    const others = await logIn({ id: 'tablet' }, { logoutOthers: true })
    others.assertStatus(429)
    assert.equal(await countRows('sessions', { user_id: ada.id, ended_at: null }), 1)

    const own = await logIn({ id: 'phone' })
    own.assertStatus(200)
    clock.advance(14 * MINUTE)
    const later = await logIn({ id: 'tablet' })
    later.assertStatus(200)
  })

  test('a wrong password still says so, and the refusal is no failed password', async ({
    client,
  }) => {
    sessionsConfig.contestCooldown = 15 * MINUTE
    const ada = await makeUser()
    await takeTurns(ada, ['phone', 'tablet'], 7)
    const logIn = (password: string) =>
      client
        .post('/api/v1/auth/login')
        .json({ email: ada.email, password, device: { id: 'tablet' } } as object)
    for (let time = 0; time < 12; time++) {
      const refused = await logIn(PASSWORD)
      refused.assertStatus(429)
      refused.assertBodyContains({ errors: [{ code: 'E_ACCOUNT_CONTESTED' }] })
    }
    const wrong = await logIn('wrong password')
    wrong.assertStatus(400)
  })

  test('a device known for 30 days passes with logoutOthers, also when its first session is pruned', async ({
    assert,
  }) => {
    sessionsConfig.contestCooldown = 15 * MINUTE
    const ada = await makeUser()
    await signIn(ada, { id: 'laptop' })
    clock.advance(25 * DAY)
    await signIn(ada, { id: 'laptop' })
    clock.advance(25 * DAY)
    await prune({ olderThan: 20 * DAY })
    await takeTurns(ada, ['phone', 'tablet'], 8)

    const another = await signIn(ada, { id: 'tv', logoutOthers: true }).catch((error) => error)
    assert.instanceOf(another, E_ACCOUNT_CONTESTED)
    const plain = await signIn(ada, { id: 'laptop' }).catch((error) => error)
    assert.instanceOf(plain, E_ACCOUNT_CONTESTED)
    const { endedSessions } = await signIn(ada, { id: 'laptop', logoutOthers: true })
    assert.lengthOf(endedSessions, 1)
    assert.lengthOf(await takeTurns(ada, ['phone', 'tablet'], 2), 0)
  })

  test('a password change clears it', async ({ assert }) => {
    sessionsConfig.contestCooldown = 15 * MINUTE
    const ada = await makeUser()
    await takeTurns(ada, ['phone', 'tablet'], 6)
    const { session } = await signIn(ada, { id: 'phone' })
    const password = 'another battery of horses'
    await changePassword(session, { currentPassword: PASSWORD, password })
    assert.equal(await countRows('session_events', { type: 'account.contest_cleared' }), 1)
    const again = await User.findOrFail(ada.id)
    await assert.doesNotReject(() => signIn(again, { id: 'tablet' }))
  })

  test('admins see it, and clear it once', async ({ assert, client }) => {
    sessionsConfig.contestCooldown = 15 * MINUTE
    const ada = await makeUser()
    const admin = await makeUser({ role: 'admin' })
    await takeTurns(ada, ['phone', 'tablet'], 7)
    const { tokens } = await signIn(admin)

    const list = await client.get('/api/v1/admin/contested').bearerToken(tokens.token)
    list.assertStatus(200)
    const { data, meta } = list.body()
    assert.equal(meta.total, 1)
    assert.equal(data[0].user.id, ada.id)
    assert.equal(data[0].count, 6)
    const clear = (id: number) =>
      client.delete(`/api/v1/admin/contested/${id}`).bearerToken(tokens.token)
    const cleared = await clear(ada.id)
    cleared.assertStatus(204)
    const again = await clear(ada.id)
    again.assertStatus(404)
    const empty = await client.get('/api/v1/admin/contested').bearerToken(tokens.token)
    assert.equal(empty.body().meta.total, 0)
    assert.lengthOf(await takeTurns(ada, ['tablet', 'phone'], 2), 0)
    const [event] = await db.from('session_events').where('type', 'account.contest_cleared')
    assert.equal(event.actor, `user:${admin.id}`)
  })

  test('users:contested lists and clears', async ({ assert }) => {
    const ada = await makeUser()
    await takeTurns(ada, ['phone', 'tablet'], 7)
    const list = await runCommand(['users:contested', '--json'])
    assert.equal(list.exitCode, 0)
    const { accounts, total } = JSON.parse(list.stdout)
    assert.equal(total, 1)
    assert.equal(accounts[0].user.email, ada.email)
    const table = await runCommand(['users:contested'])
    assert.include(table.stdout, 'the phone')
    const cleared = await runCommand(['users:contested', `--clear=${ada.email}`])
    assert.equal(cleared.exitCode, 0)
    const again = await runCommand(['users:contested'])
    assert.include(again.stdout, 'No account is contested.')
    const unknown = await runCommand(['users:contested', '--clear=nobody@example.com'])
    assert.equal(unknown.exitCode, 2)
  })

  test('a contest that has ended is pruned with the log', async ({ assert }) => {
    const ada = await makeUser()
    await takeTurns(ada, ['phone', 'tablet'], 7)
    clock.advance(31 * DAY)
    const { contests: gone } = await prune({ olderThan: 30 * DAY })
    assert.equal(gone, 1)
  })
})
