import { setTimeout as sleep } from 'node:timers/promises'
import { test } from '@japa/runner'
import db from '@adonisjs/lucid/services/db'
import { inTransaction } from '#app/database/transaction'
import { endSessions } from '#app/sessions/end'
import { lockUsers } from '#app/sessions/user_lock'
import { emptyDatabase } from '#tests/harness/database'
import { THOROUGH } from '#tests/harness/pace'
import { startServer, startServers, type TestServer } from '#tests/harness/server'
import { makeClient } from '#tests/harness/service_clients'
import { insertSessions } from '#tests/harness/sessions_with_tokens'

const LONG = process.env.LONG === '1'
const SESSIONS = LONG ? 10_000 : THOROUGH ? 400 : 200
const AT_ONCE = 12

/**
 * A consumer of the feed. It survives servers that go away, and is itself restarted now and then:
 * it forgets what it was doing and goes on from the last cursor that it kept.
 */
class Consumer {
  readonly seen = new Map<string, number>()
  #cursor = ''
  #stopped = false
  #request = new AbortController()
  restarts = 0

  constructor(
    readonly servers: () => TestServer[],
    readonly authorization: string
  ) {}

  async run() {
    for (let round = 0; !this.#stopped; round++) {
      this.#request = new AbortController()
      const server = this.servers()[round % 2]
      const query = `?limit=50&wait=1${this.#cursor && `&after=${this.#cursor}`}`
      const answer = await fetch(`${server.url}/api/v1/revocations${query}`, {
        headers: { authorization: this.authorization },
        signal: this.#request.signal,
      })
        .then(async (response) => (response.ok ? ((await response.json()) as any) : null))
        .catch(() => null)
      if (!answer) {
        await sleep(20)
        continue
      }
      for (const { type, sessionId } of answer.data.revocations) {
        if (type !== 'session.ended') continue
        this.seen.set(sessionId, (this.seen.get(sessionId) ?? 0) + 1)
      }
      this.#cursor = answer.data.cursor
    }
  }

  restart() {
    this.restarts++
    this.#request.abort()
  }

  stop() {
    this.#stopped = true
  }
}

test.group('Two consumers of the revocation feed', (group) => {
  let servers: TestServer[]

  group.setup(async () => {
    servers = await startServers(2)
    return async () => {
      await Promise.all(servers.map((server) => server.stop()))
    }
  })
  group.each.setup(() => emptyDatabase())

  test('each sees every end exactly once, through restarts of both sides', async ({ assert }) => {
    const sessions = await insertSessions(SESSIONS)
    const { basic } = await makeClient(['feed'])
    const consumers = [1, 2].map(() => new Consumer(() => servers, basic))
    const running = consumers.map((consumer) => consumer.run())

    /** Transactions that began early and commit late, with events from the middle of the run. */
    const late = sessions.splice(0, 5)
    const lingering = late.map(async ({ sessionId, userId }, index) => {
      await sleep(index * 100)
      if (db.connection().dialect.name !== 'postgres') return endOne(sessionId, userId, 0)
      return endOne(sessionId, userId, 400)
    })

    let next = 0
    const restartAt = Math.floor(sessions.length / 2)
    let restarted: Promise<void> | undefined
    const worker = async (number: number) => {
      for (let index = next++; index < sessions.length; index = next++) {
        if (index === restartAt) restarted = restartServer()
        if (index % 97 === 0) consumers[index % 2].restart()
        await signOut(sessions[index].token, number)
      }
    }
    async function restartServer() {
      const [, second] = servers
      await second.kill()
      servers[1] = await startServer({ port: Number(new URL(second.url).port) })
    }
    /** Signs out at either node, and at the other when one is away. */
    async function signOut(token: string, number: number) {
      for (let attempt = number; attempt < number + 1_000; attempt++) {
        const answer = await fetch(`${servers[attempt % 2].url}/api/v1/auth/logout`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}` },
        }).catch(() => null)
        if (answer?.status === 204 || answer?.status === 401) return
        await sleep(10)
      }
      throw new Error('A session could not be signed out')
    }

    await Promise.all([...lingering, ...Array.from({ length: AT_ONCE }, (_, at) => worker(at))])
    await restarted
    const deadline = Date.now() + 30_000
    while (consumers.some((consumer) => consumer.seen.size < SESSIONS) && Date.now() < deadline) {
      await sleep(20)
    }
    for (const consumer of consumers) consumer.stop()
    await Promise.all(running)

    const ended = await db.from('sessions').whereNotNull('ended_at').select('id')
    assert.lengthOf(ended, SESSIONS)
    for (const { seen, restarts } of consumers) {
      assert.isAbove(restarts, 0)
      assert.sameMembers(
        [...seen.keys()],
        ended.map(({ id }) => id)
      )
      assert.deepEqual([...new Set(seen.values())], [1])
    }
  }).timeout(LONG ? 600_000 : 120_000)
})

/**
 * Ends a session in a transaction that stays open for so many milliseconds after it wrote.
 */
async function endOne(sessionId: string, userId: number, linger: number) {
  await inTransaction(async (trx) => {
    await lockUsers(trx, [userId])
    const device = { id: null, name: null, platform: null }
    await endSessions(trx, [{ id: sessionId, userId, device }], {
      reason: 'forced',
      actor: 'system',
    })
    await sleep(linger)
  })
}
