import { setTimeout as sleep } from 'node:timers/promises'
import { test } from '@japa/runner'
import { makeUser } from '#tests/harness/accounts'
import { ALIVE, CHANNELS, endSaid } from '#tests/harness/channels'
import { emptyDatabase } from '#tests/harness/database'
import { call, logIn } from '#tests/harness/http'
import { makeClient } from '#tests/harness/service_clients'
import { THOROUGH } from '#tests/harness/pace'
import { startServers, type TestServer } from '#tests/harness/server'
import { sessionRow } from '#tests/harness/session_rows'
import { signInAdmin } from '#tests/harness/victims'

const IDLE = 12_000

/**
 * Milliseconds from the sign-in to the late use, and to the moment when only that use keeps the
 * session alive: more than eight seconds are left then.
 */
const USE = 9_000
const JUDGE = 12_500

/**
 * What an administrator does to the user at the other server; the reason that the device is told,
 * and what the answer says. None: it is only asked.
 */
const DEEDS: Record<
  string,
  { reason?: string; ended?: number; request: (user: { id: number }, id: string) => Request }
> = {
  'asks another server': { request: () => ['GET', '/api/v1/admin/users'] },
  'signs the user out': {
    reason: 'forced',
    ended: 1,
    request: (user) => ['DELETE', `/api/v1/admin/users/${user.id}/sessions`],
  },
  'signs the session out': {
    reason: 'forced',
    ended: 1,
    request: (_, id) => ['DELETE', `/api/v1/admin/sessions/${id}`],
  },
  'disables the account': {
    reason: 'account_disabled',
    ended: 1,
    request: (user) => ['POST', `/api/v1/admin/users/${user.id}/disable`],
  },
}

type Request = [method: string, path: string]

test.group('Two servers with one clock', (group) => {
  group.each.setup(() => emptyDatabase())

  test('agree on a session used late, on its end by an admin, and on its end by time', async ({
    assert,
    cleanup,
  }) => {
    const servers = await startServers(2, { env: { SESSION_IDLE_TIMEOUT: `${IDLE}ms` } })
    cleanup(async () => {
      await Promise.all(servers.map((server) => server.stop()))
    })
    const [used, other] = servers
    const { basic } = await makeClient()
    const ask = ({ url }: TestServer, token: string) =>
      CHANNELS['the API'](url, { token, refreshToken: '' }, basic)

    const signIn = async () => {
      const user = await makeUser()
      const { body } = await logIn(used.url, user.email)
      const { token, session } = body.data
      const { lastSeenAt: opened } = await sessionRow(session.id)
      const at = (moment: number) => sleep(Math.max(0, opened + moment - Date.now()))
      return { user, token, id: session.id as string, opened, at }
    }

    const act = async (what: string) => {
      const { reason, ended, request } = DEEDS[what]
      const { user, token, id, opened, at } = await signIn()
      await at(USE)
      assert.equal(await ask(used, token), ALIVE)
      const { lastSeenAt } = await sessionRow(id)
      assert.isAtLeast(lastSeenAt, opened + USE, 'a late use is written before its answer')

      await at(JUDGE - 500)
      const admin = await signInAdmin(other.url)
      await at(JUDGE)
      const [method, path] = request(user, id)
      const answer = await call(other.url, method, path, { token: admin })
      assert.equal(answer.status, 200)
      assert.equal(answer.body.data.ended, ended, what)
      const { endedAt, endReason } = await sessionRow(id)
      assert.equal(endReason, reason ?? null)
      const told = reason ? endSaid(reason, endedAt!) : ALIVE
      for (const server of [other, used]) assert.equal(await ask(server, token), told, what)
    }

    const useNoMore = async () => {
      const { token, id, opened, at } = await signIn()
      await at(IDLE + 50)
      const idle = endSaid('idle', opened + IDLE)
      for (const server of [other, used]) assert.equal(await ask(server, token), idle)
      const { endedAt, endReason } = await sessionRow(id)
      assert.deepEqual([endReason, endedAt], ['idle', opened + IDLE], 'it is written')
    }

    const scenes = await Promise.allSettled([...Object.keys(DEEDS).map(act), useNoMore()])
    for (const scene of scenes) if (scene.status === 'rejected') throw scene.reason
  })
    .timeout(60_000)
    .skip(!THOROUGH, 'waits for real time: runs with CI=true')
})
