import 'reflect-metadata'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { Ignitor } from '@adonisjs/core'
import { prepareEnvironment } from '../harness/environment.js'
import { startPostgres } from '../harness/postgres.js'

/*
 * Signs everyone out of very many sessions while a server is under load, and measures what its
 * clients notice of it:
 *
 *   node --import=@poppinss/ts-exec tests/bench/force_logout_scale.ts sqlite 1000000
 *   node --import=@poppinss/ts-exec tests/bench/force_logout_scale.ts postgres 1000000 180
 *
 * The last number ends the command with Ctrl-C after so many seconds of clean-up.
 */
const [database = 'sqlite', sessions = '1000000', patience = '86400'] = process.argv.slice(2)
const KNOWN = 50
const CLIENTS = 8
const PAUSE = 10
const QUIET_SECONDS = 15

process.env.DB_CONNECTION = database
const postgres = database === 'postgres' ? await startPostgres({ durable: true }) : undefined
if (postgres) process.env.TEST_DATABASE_URL = postgres.url
process.env.SESSION_LIMIT = '0'
const cleanUp = await prepareEnvironment()

const root = new URL('../../', import.meta.url)
const importer = (path: string) => import(path.startsWith('.') ? new URL(path, root).href : path)
const app = new Ignitor(root, { importer }).createApp('console')
await app.init()
await app.boot()
await app.start(() => {})

const { default: db } = await import('@adonisjs/lucid/services/db')
const { runAce, startAceOnTerminal } = await import('../harness/ace.js')
const { makeUser, signIn } = await import('../harness/accounts.js')
const { insertMany } = await import('../harness/many_sessions.js')
const { startServer } = await import('../harness/server.js')

const migrated = await runAce(['migration:run'])
if (migrated.exitCode !== 0) throw new Error(migrated.stderr)
const seededAt = performance.now()
await insertMany({ users: Number(sessions) / 2, sessionsEach: 2 })
await db.rawQuery('ANALYZE')
console.log(`${database}: ${sessions} sessions written in ${seconds(seededAt)} s`)

const users = await Promise.all(Array.from({ length: KNOWN }, () => makeUser()))
const signInAll = async () => {
  const tokens: string[] = []
  for (const user of users) {
    const opened = await signIn(user)
    tokens.push(opened.tokens.token)
  }
  return tokens
}
const old = await signInAll()
const server = await startServer()
const agent = new Agent({ keepAlive: true })

function check(token: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` }
    request(`${server.url}/api/v1/account`, { agent, headers }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode!))
    })
      .once('error', reject)
      .end()
  })
}

/**
 * Checks tokens over several connections until told to stop. Returns what each answer took.
 */
function load(tokens: () => string[]) {
  const taken: number[] = []
  const statuses: Record<string, number> = {}
  let running = true
  const client = async (offset: number) => {
    for (let turn = offset; running; turn++) {
      const list = tokens()
      const began = performance.now()
      const status = await check(list[turn % list.length])
      taken.push(performance.now() - began)
      statuses[status] = (statuses[status] ?? 0) + 1
      await sleep(PAUSE)
    }
  }
  const clients = Array.from({ length: CLIENTS }, (_, index) => client(index))
  const stop = async () => {
    running = false
    await Promise.all(clients)
    const sorted = taken.toSorted((a, b) => a - b)
    const at = (share: number) => Number(sorted[Math.floor(sorted.length * share)].toFixed(1))
    return { requests: sorted.length, p50: at(0.5), p99: at(0.99), max: at(0.99999), statuses }
  }
  return { stop }
}

await load(() => old).stop()
const quietLoad = load(() => old)
await sleep(QUIET_SECONDS * 1000)
const quiet = await quietLoad.stop()
console.log('quiet', quiet)

let current = old
const began = performance.now()
const command = startAceOnTerminal(['force:logout', '--all', '--yes', '--reason=incident'])
while (!command.output().includes('Cut at')) {
  if (command.process.exitCode !== null) throw new Error(command.output())
  await sleep(5)
}
console.log(`cut reported ${seconds(began)} s after the command began`)
const refused = await Promise.all(old.map(check))
console.log('old tokens right after the report', tally(refused))

current = await signInAll()
const busyLoad = load(() => current)
const late: { token: string; took: number }[] = []
let shown = 0
let stopAt = performance.now() + Number(patience) * 1000
while (command.process.exitCode === null) {
  const signInBegan = performance.now()
  const opened = await signIn(users[late.length % KNOWN])
  late.push({ token: opened.tokens.token, took: performance.now() - signInBegan })
  if (performance.now() - shown > 10_000) {
    shown = performance.now()
    console.log(command.output().split('\r').at(-1)?.replaceAll('\u001b[K', ''))
  }
  if (performance.now() > stopAt) {
    stopAt = Number.POSITIVE_INFINITY
    command.process.stdin!.write('\u0003')
  }
  await sleep(200)
}
const busy = await busyLoad.stop()
const { stdout, exitCode } = await command.finished
console.log(
  stdout
    .replaceAll('\u001b[K', '')
    .split(/\r?\n|\r/)
    .filter((line) => /^(Cut|Ended|Interrupted)/.test(line))
    .join('\n')
)
console.log(`exit ${exitCode} after ${seconds(began)} s`)
console.log('during the clean-up', busy, `p99 is ${(busy.p99 / quiet.p99).toFixed(2)} x quiet`)
const alive = await Promise.all([...current, ...late.map(({ token }) => token)].map(check))
const slowest = Math.max(...late.map(({ took }) => took))
console.log(`sign-ins meanwhile: ${late.length}, slowest ${Math.round(slowest)} ms`, tally(alive))
const [left] = await db.from('sessions').whereNull('ended_at').count('* as total')
const twice = await db
  .from('session_events')
  .where('type', 'session.ended')
  .count('* as total')
  .countDistinct('session_id as distinct')
console.log('unended sessions', left.total, 'ends in the log', twice[0])

await server.stop()
await app.terminate()
await cleanUp()
await postgres?.stop()
process.exit(0)

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1)
}

function tally(statuses: number[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1
  return counts
}
