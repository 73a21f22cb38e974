import { test } from '@japa/runner'
import { ALIVE, CHANNELS, endSaid } from '#tests/harness/channels'
import { jsonOfCommand } from '#tests/harness/command'
import { emptyDatabase } from '#tests/harness/database'
import { makeClient } from '#tests/harness/service_clients'
import { sharedServers, type TestServer } from '#tests/harness/server'
import { sessionRow } from '#tests/harness/session_rows'
import { accompany, openVictim } from '#tests/harness/victims'
import { WAYS_TO_TRY } from '#tests/harness/ways_to_end'

const MINUTE = 60_000
const IDLE = 10 * MINUTE
const POLICY = { SESSION_IDLE_TIMEOUT: '10m' }

/**
 * Two servers, of which the clocks say which moment it is: a session opened now is used at one of
 * them a minute before it would go idle, and is ended at the other a minute after that, when the
 * use alone keeps it alive.
 */
const USED_AT = 9 * MINUTE
const ENDED_AT = 11 * MINUTE

test.group('A session used late in its idle time', (group) => {
  let used: TestServer
  let other: TestServer

  group.setup(async () => {
    ;[used, other] = await sharedServers(
      { clockOffset: USED_AT, env: POLICY },
      { clockOffset: ENDED_AT, env: POLICY }
    )
  })
  group.each.setup(() => emptyDatabase())

  const at = (ahead: number) => ({ ahead, policy: { idleTimeout: IDLE } })

  async function scene() {
    const opened = await openVictim()
    const { basic } = await makeClient()
    const use = () => CHANNELS['the API'](used.url, opened.credentials, basic)
    return { opened, basic, use }
  }

  for (const { what, reason, counts, end } of WAYS_TO_TRY) {
    test(`is ended by ${what}`, async ({ assert }) => {
      const { opened, basic, use } = await scene()
      const { id } = opened.session
      const servers = { ofActing: used.url, asked: other.url }
      assert.equal(await use(), ALIVE)
      const victim = await accompany(opened, servers, at(ENDED_AT))

      const count = await end(victim)

      const ask = CHANNELS['the API']
      const answers = [
        await ask(used.url, opened.credentials, basic),
        await ask(other.url, opened.credentials, basic),
      ]
      const row = await sessionRow(id)
      assert.equal(row.endReason, reason)
      const told = endSaid(reason, row.endedAt!)
      assert.deepEqual(answers, [told, told])
      assert.equal(count, counts, 'as many as the answer says')
    })
  }

  test('outlives sessions:prune, which later ends it as idle since that use', async ({
    assert,
  }) => {
    const { opened, basic, use } = await scene()
    assert.equal(await use(), ALIVE)
    await jsonOfCommand(['sessions:prune'], at(13 * MINUTE))
    const ask = CHANNELS['the API']
    assert.equal(await ask(other.url, opened.credentials, basic), ALIVE)

    const { lastSeenAt } = await sessionRow(opened.session.id)
    await jsonOfCommand(['sessions:prune'], at(60 * MINUTE))
    const row = await sessionRow(opened.session.id)
    assert.equal(row.endReason, 'idle')
    assert.isAtLeast(row.endedAt!, lastSeenAt + IDLE)
    const told = endSaid('idle', row.endedAt!)
    for (const server of [used, other]) {
      assert.equal(await ask(server.url, opened.credentials, basic), told)
    }
  })
})
