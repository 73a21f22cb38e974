import { test } from '@japa/runner'
import sessionsConfig from '#config/sessions'
import {
  ALIVE,
  CHANNELS,
  endSaid,
  endsOnRecord,
  everywhere,
  onRecordOnce,
  openStream,
  saidEverywhere,
} from '#tests/harness/channels'
import { jsonOfCommand } from '#tests/harness/command'
import { emptyDatabase } from '#tests/harness/database'
import { call } from '#tests/harness/http'
import { keepPolicy } from '#tests/harness/policy'
import { makeClient } from '#tests/harness/service_clients'
import { sharedServers, startServer, type TestServer } from '#tests/harness/server'
import { sessionRow } from '#tests/harness/session_rows'
import { openVictim, signInAdmin } from '#tests/harness/victims'

const MINUTE = 60_000
const IDLE = 10 * MINUTE
const POLICY = { SESSION_IDLE_TIMEOUT: '10m' }

/**
 * The clocks of three servers. A session that is opened now and used at none of them has gone idle
 * for the one that is ahead, and for no other.
 */
const EARLY = 2 * MINUTE
const LATE = 9 * MINUTE
const AHEAD = 11 * MINUTE

const start = (clockOffset: number, env = POLICY) => startServer({ clockOffset, env })

test.group('Two servers', (group) => {
  let late: TestServer
  let ahead: TestServer

  group.setup(async () => {
    ;[late, ahead] = await sharedServers(
      { clockOffset: LATE, env: POLICY },
      { clockOffset: AHEAD, env: POLICY }
    )
  })
  group.each.setup(() => emptyDatabase())

  async function scene() {
    const { credentials, session, openedAt, user } = await openVictim()
    const { basic } = await makeClient()
    return { credentials, session, openedAt, user, basic }
  }

  type Scene = Awaited<ReturnType<typeof scene>>
  const ask = ({ url }: TestServer, { credentials, basic }: Scene, channel = 'the API') =>
    CHANNELS[channel](url, credentials, basic)

  /**
   * The end that every one of the servers gives, in every channel, and that is on record once.
   */
  async function assertOneEnd(
    assert: any,
    one: Scene,
    end: { reason: string; endedAt: number },
    servers: TestServer[]
  ) {
    for (const server of servers) {
      const answers = await saidEverywhere(server.url, one.credentials, one.basic)
      assert.deepEqual(answers, everywhere(end.reason, end.endedAt))
    }
    const readers = { admin: await signInAdmin(ahead.url), basic: one.basic }
    const ends = await endsOnRecord(ahead.url, one.session.id, readers)
    assert.deepEqual(ends, onRecordOnce(end.reason, end.endedAt))
  }

  /**
   * A session that was used early in its idle time, which is written behind, and that another
   * server called idle before it was: such writes come every few seconds, so it is tried again.
   */
  async function calledIdleBeforeWritten<Use>(useIt: (one: Scene) => Promise<Use>) {
    for (let attempt = 0; attempt < 10; attempt++) {
      const one = await scene()
      const use = await useIt(one)
      const told = await ask(ahead, one)
      if (told !== ALIVE) return { one, told, use }
    }
    throw new Error('Uses early in the idle time are written before anybody can ask.')
  }

  for (const channel of Object.keys(CHANNELS)) {
    test(`a use late in the idle time at one is known to the other at once: ${channel}`, async ({
      assert,
    }) => {
      const one = await scene()
      assert.equal(await ask(late, one), ALIVE)
      assert.equal(await ask(ahead, one, channel), ALIVE)
    })
  }

  for (const channel of ['forward auth', 'the event stream']) {
    test(`a use late in the idle time by ${channel} is known to the other at once`, async ({
      assert,
    }) => {
      const one = await scene()
      assert.equal(await ask(late, one, channel), ALIVE)
      assert.equal(await ask(ahead, one), ALIVE)
    })
  }

  test('lists show a session that was used late at the other', async ({ assert }) => {
    const one = await scene()
    assert.equal(await ask(late, one), ALIVE)
    const admin = await signInAdmin(ahead.url)
    const path = `/api/v1/admin/users/${one.user.id}/sessions`
    const { body } = await call(ahead.url, 'GET', path, { token: admin })
    assert.deepEqual(idsOf(body.data), [one.session.id])
    const surroundings = { ahead: AHEAD, policy: { idleTimeout: IDLE } }
    const { sessions } = await jsonOfCommand(['sessions:list', one.user.email], surroundings)
    assert.deepEqual(idsOf(sessions), [one.session.id])
  })

  for (const channel of Object.keys(CHANNELS)) {
    test(`what one calls idle is idle for the one behind: first told by ${channel}`, async ({
      assert,
    }) => {
      const one = await scene()
      assert.notEqual(await ask(ahead, one, channel), ALIVE)
      const end = { reason: 'idle', endedAt: one.openedAt + IDLE }
      await assertOneEnd(assert, one, end, [late, ahead])
    })
  }

  test('what one calls idle can no longer be used at the other by a racing request', async ({
    assert,
  }) => {
    for (let round = 0; round < 10; round++) {
      const one = await scene()
      const answers = await Promise.all([
        ...Array.from({ length: 4 }, () => ask(late, one)),
        ...Array.from({ length: 4 }, () => ask(ahead, one)),
      ])
      const told = answers.filter((answer) => answer !== ALIVE)
      const after = [await ask(late, one), await ask(ahead, one)]
      if (told.length === 0) assert.deepEqual(after, [ALIVE, ALIVE])
      else assert.deepEqual([...new Set([...told, ...after])], [told[0]])
    }
  })

  test('what one calls expired is expired for the one behind', async ({ assert, cleanup }) => {
    cleanup(keepPolicy())
    sessionsConfig.maxLifetime = IDLE
    const one = await scene()
    assert.equal(await ask(late, one), ALIVE)
    const { expiresAt } = await sessionRow(one.session.id)
    assert.equal(await ask(ahead, one), endSaid('expired', expiresAt))
    await assertOneEnd(assert, one, { reason: 'expired', endedAt: expiresAt }, [late, ahead])
  })

  test('an open stream hears of the end when another server has called it idle', async ({
    assert,
    cleanup,
  }) => {
    const early = await start(EARLY)
    cleanup(() => early.stop())
    const {
      one,
      told,
      use: stream,
    } = await calledIdleBeforeWritten(async ({ credentials }) => {
      const opened = await openStream(early.url, credentials.token)
      cleanup(() => opened.close())
      return opened
    })
    const { event, data } = await stream.next(10_000)
    assert.equal(event, 'session.ended')
    assert.equal(endSaid(data.reason, data.endedAt), told)
    await stream.closed()
    assert.equal(await ask(early, one), told)
  })

  test('a late write of an earlier use revives nothing', async ({ assert, cleanup }) => {
    const early = await start(EARLY)
    cleanup(() => early.stop())
    const { one, told, use } = await calledIdleBeforeWritten((opened) => ask(early, opened))
    assert.equal(use, ALIVE)
    const end = { reason: 'idle', endedAt: one.openedAt + IDLE }
    assert.equal(told, endSaid(end.reason, end.endedAt))
    assert.equal(await ask(early, one), told)
    await early.stop()
    await assertOneEnd(assert, one, end, [late, ahead])
  })

  test('a restart with a longer idle timeout revives nothing', async ({ assert, cleanup }) => {
    const one = await scene()
    const end = { reason: 'idle', endedAt: one.openedAt + IDLE }
    assert.equal(await ask(ahead, one), endSaid(end.reason, end.endedAt))
    const patient = await start(AHEAD, { SESSION_IDLE_TIMEOUT: '30d' })
    cleanup(() => patient.stop())
    await assertOneEnd(assert, one, end, [patient, late, ahead])
  })
})

function idsOf(sessions: { id: string }[]): string[] {
  return sessions.map(({ id }) => id)
}
