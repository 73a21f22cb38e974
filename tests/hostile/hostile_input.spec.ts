import { test } from '@japa/runner'
import { createClient } from '#app/service_clients/service_client'
import { makeUser, signIn } from '#tests/harness/accounts'
import { emptyDatabase, snapshot } from '#tests/harness/database'
import { startServer, type TestServer } from '#tests/harness/server'
import { Chance } from './chance.js'
import { hostileRequest, servedRoutes, type Hostile, type Route } from './generator.js'
import { faultOf, LONGEST } from './judge.js'
import { exchange, sendDeaf, type Exchange } from './raw_client.js'
import { MARKER } from './values.js'

/**
 * `LONG=1` sends 60,000; `SEED` repeats a run.
 */
const TOTAL = process.env.LONG === '1' ? 60_000 : 4_000
const SEED = Number(process.env.SEED ?? Date.now() % 1_000_000)
const AT_ONCE = 8

type Run = { sent: number; faults: string[]; slowest: number; statuses: Map<number, number> }

/**
 * Attacks every route in turn, so many at once. `speakFor` gives headers to add to a request.
 */
async function attack(
  server: TestServer,
  routes: Route[],
  total: number,
  speakFor: (chance: Chance) => Promise<string[]> | string[] = () => []
): Promise<Run> {
  const port = Number(new URL(server.url).port)
  const run: Run = { sent: 0, faults: [], slowest: 0, statuses: new Map() }
  const attackers = Array.from({ length: AT_ONCE }, async () => {
    while (run.sent < total) {
      const index = run.sent++
      const route = routes[index % routes.length]
      const chance = new Chance(SEED * 1_000_003 + index)
      const request = hostileRequest(chance, route, await speakFor(chance))
      const result = await (request.deaf ? sendDeaf(port, request.bytes) : patiently(port, request))
      run.slowest = Math.max(run.slowest, result.took)
      for (const { status } of result.answers) {
        run.statuses.set(status, (run.statuses.get(status) ?? 0) + 1)
      }
      const fault = faultOf(request, result)
      if (fault) {
        const head = request.bytes.subarray(0, 300).toString('latin1')
        run.faults.push(
          `#${index} ${route.method} ${route.pattern} (${request.kind}): ${fault}\n${head}`
        )
      }
    }
  })
  await Promise.all(attackers)
  return run
}

/**
 * Sends again what was slow, and takes the quickest: a busy machine makes any request slow now and
 * then, but input that is slow to handle is slow each time.
 */
async function patiently(port: number, { bytes, unfinished }: Hostile): Promise<Exchange> {
  const options = { leave: unfinished, patience: 3 * LONGEST }
  let quickest = await exchange(port, bytes, options)
  for (let again = 0; again < 4 && quickest.took > LONGEST; again++) {
    const result = await exchange(port, bytes, options)
    if (result.took < quickest.took) quickest = result
  }
  return quickest
}

function describe({ sent, slowest, statuses }: Run): string {
  const counts = [...statuses].sort(([one], [other]) => one - other)
  const answers = counts.map(([status, count]) => `${status}: ${count}`).join(', ')
  return `seed ${SEED}, ${sent} requests, slowest ${Math.round(slowest)} ms; ${answers}`
}

/**
 * The message of a failure: a report may show nothing else of it.
 */
function told(run: Run): string {
  return [`${run.faults.length} faults; ${describe(run)}`, ...run.faults.slice(0, 5)].join('\n')
}

test.group('Hostile input', (group) => {
  let server: TestServer

  group.each.setup(() => emptyDatabase())
  group.each.setup(async () => {
    server = await startServer({ env: { LOG_LEVEL: 'trace', TRUST_PROXY: 'all' } })
    return () => server.stop()
  })

  test('of strangers: no 5xx, no crash, no write, no secret in the log', async ({ assert }) => {
    await signIn(await makeUser({ email: 'taken@example.com' }))
    const before = await contents()
    const routes = servedRoutes()
    assert.isAbove(routes.length, 20)

    const run = await attack(server, routes, TOTAL)
    console.log(`    ${describe(run)}`)
    assert.lengthOf(run.faults, 0, told(run))
    assert.isNull(server.process.exitCode)
    const alive = await fetch(`${server.url}/health/ready`)
    assert.equal(alive.status, 200)
    assert.deepEqual(await contents(), before)
    assert.notInclude(server.output(), MARKER)
  }).timeout(20 * 60_000)

  test('of those who are signed in: no 5xx, no crash, no secret in the log', async ({ assert }) => {
    const { client, secret } = await createClient(
      { name: 'hostile', abilities: ['introspect', 'revoke', 'feed'] },
      'system'
    )
    const basic = Buffer.from(`${client.id}:${secret}`).toString('base64')
    const bearer = await asSomebody(server, 'user')
    const admin = await asSomebody(server, 'admin')
    const routes = servedRoutes().filter(({ pattern }) => !/session\/events$/.test(pattern))

    const run = await attack(server, routes, TOTAL / 4, async (chance) => {
      if (chance.percent(20)) return [`Authorization: Basic ${basic}`]
      return [`Authorization: Bearer ${await (chance.percent(50) ? bearer() : admin())}`]
    })
    console.log(`    ${describe(run)}`)
    assert.lengthOf(run.faults, 0, told(run))
    assert.isNull(server.process.exitCode)
    const alive = await fetch(`${server.url}/health/ready`)
    assert.equal(alive.status, 200)
    assert.notInclude(server.output(), MARKER)
    assert.notInclude(server.output(), secret)
  }).timeout(20 * 60_000)
})

/**
 * What stands in the database, but for what the server's own regular work writes.
 */
async function contents() {
  const { maintenance, ...tables } = JSON.parse(await snapshot())
  return tables
}

/**
 * Gives a live token of somebody, and of somebody new once that one was ended or shut out.
 */
async function asSomebody(server: TestServer, role: 'user' | 'admin') {
  const fresh = async () => {
    const { tokens } = await signIn(await makeUser({ role }))
    return tokens.token
  }
  let current = fresh()
  return async () => {
    const token = await current
    const answer = await fetch(`${server.url}/api/v1/account`, {
      headers: { authorization: `Bearer ${token}` },
    })
    await answer.body?.cancel()
    if (answer.status === 200) return token
    current = fresh()
    return current
  }
}
