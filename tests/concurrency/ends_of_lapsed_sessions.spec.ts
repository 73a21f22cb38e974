import { test } from '@japa/runner'
import { runAce } from '#tests/harness/ace'
import { everywhere, endsOnRecord, onRecordOnce, saidEverywhere } from '#tests/harness/channels'
import { jsonOfCommand } from '#tests/harness/command'
import { emptyDatabase } from '#tests/harness/database'
import { call } from '#tests/harness/http'
import { sharedServers, type TestServer } from '#tests/harness/server'
import { accompany, openVictim, signInAdmin } from '#tests/harness/victims'
import { WAYS_TO_TRY, type Victim } from '#tests/harness/ways_to_end'

const MINUTE = 60_000
const IDLE = 10 * MINUTE
const POLICY = { SESSION_IDLE_TIMEOUT: '10m' }

/**
 * Two servers of which the clocks are two minutes apart: for one of them a session opened now has
 * gone idle, for the other it has not.
 */
const BEHIND = 9 * MINUTE
const AHEAD = 11 * MINUTE
const SURROUNDINGS = { ahead: AHEAD, policy: { idleTimeout: IDLE } }

/**
 * What ends sessions without being told which.
 */
const PRUNING = {
  what: 'sessions:prune',
  end: async (_: Victim) => {
    const later = { ...POLICY, CLOCK_OFFSET_MS: String(60 * MINUTE) }
    const { exitCode, stderr } = await runAce(['sessions:prune'], { env: later })
    if (exitCode !== 0) throw new Error(stderr)
  },
}

test.group('A session that time has ended, and of which nobody was told', (group) => {
  let behind: TestServer
  let ahead: TestServer

  group.setup(async () => {
    ;[behind, ahead] = await sharedServers(
      { clockOffset: BEHIND, env: POLICY },
      { clockOffset: AHEAD, env: POLICY }
    )
  })
  group.each.setup(() => emptyDatabase())

  for (const { what, end } of [...WAYS_TO_TRY, PRUNING]) {
    test(`is ended as idle by ${what}, for every server and for ever`, async ({ assert }) => {
      const opened = await openVictim()
      const servers = { ofActing: behind.url, asked: ahead.url }
      const victim = await accompany(opened, servers, SURROUNDINGS)

      await end(victim)

      const idleAt = opened.openedAt + IDLE
      for (const server of [behind, ahead]) {
        const answers = await saidEverywhere(server.url, opened.credentials, victim.basic)
        assert.deepEqual(answers, everywhere('idle', idleAt))
      }
      const readers = { admin: await signInAdmin(behind.url), basic: victim.basic }
      const ends = await endsOnRecord(behind.url, opened.session.id, readers)
      assert.deepEqual(ends, onRecordOnce('idle', idleAt))
    })
  }

  test('is in no list', async ({ assert }) => {
    const opened = await openVictim()
    const servers = { ofActing: behind.url, asked: ahead.url }
    const { admin, acting, user } = await accompany(opened, servers, SURROUNDINGS)
    const own = await call(ahead.url, 'GET', '/api/v1/sessions', { token: acting })
    const path = `/api/v1/admin/users/${user.id}/sessions`
    const byAdmin = await call(ahead.url, 'GET', path, { token: admin })
    const { sessions } = await jsonOfCommand(['sessions:list', user.email], SURROUNDINGS)
    for (const list of [own.body.data, byAdmin.body.data, sessions]) {
      assert.lengthOf(list, 1)
      assert.notEqual(list[0].id, opened.session.id)
    }
  })
})
