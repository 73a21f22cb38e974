import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import db from '@adonisjs/lucid/services/db'
import { setSessionLimit } from '#app/accounts/set_session_limit'
import type User from '#models/user'
import { runAce } from '../harness/ace.js'
import { makeUser, PASSWORD } from '../harness/accounts.js'
import { namedConnections } from '../harness/backends.js'
import { startServer, startServers, type TestServer } from '../harness/server.js'
import { makeClient } from '../harness/service_clients.js'
import { audit } from './audit.js'
import { check, type Violation } from './checker.js'
import type { ClientOrder } from './client.js'
import { faultsFor, type Fault, type Nodes } from './faults.js'
import { now, type Call } from './history.js'
import { Random } from './random.js'

export type ChaosOptions = {
  seed: number
  forMs: number
  /** Sessions per user. */
  limit: number
  /** Milliseconds between faults of each kind, on average; 0: none. */
  faultEvery: number
  /** Milliseconds between force logouts from a terminal; 0: none. */
  commandEvery: number
}

export type ChaosReport = {
  calls: number
  sessions: number
  answers: Record<string, number>
  faults: Record<string, number>
  missing: string[]
  /** What the servers logged as errors. */
  errors: string[]
  violations: Violation[]
}

const CLIENTS = 2
const PEOPLE = 10
const USERS = CLIENTS * PEOPLE

/**
 * Lets client processes loose on two servers, strikes with faults, and holds what they saw against
 * the promises.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-chaos-'))
  const users = await Promise.all(Array.from({ length: USERS }, () => makeUser()))
  const order = await orderFor(users, options)
  const violations: Violation[] = []
  const nodes = await startNodes(options.limit, violations)
  const { groups, missing } = faultsFor(nodes)
  const faults: Record<string, number> = {}
  try {
    const files = Array.from({ length: CLIENTS }, (_, at) => join(directory, `client-${at}.jsonl`))
    const clients = files.map((file, index) =>
      startClient({
        ...order,
        servers: nodes.all.map(({ url }) => url),
        seed: options.seed * CLIENTS + index,
        file,
      })
    )
    const ends = now() + options.forMs
    const commands: Call[] = []
    await Promise.all([
      ...clients,
      observe(ends, options.limit, violations),
      ...groups.map((group, index) => strike(group, index, ends, options, faults)),
      command(users, ends, options, commands),
    ])

    const history = [...files.flatMap(readHistory), ...commands]
    history.push(...(await audit(nodes, users, history, violations)))
    violations.push(...check(history, options.limit))
    return {
      calls: history.length,
      sessions: history.filter(({ op, opened }) => op === 'login' && opened).length,
      answers: countAnswers(history),
      faults,
      missing,
      errors: nodes.errors(),
      violations: violations.sort((one, other) => one.calls.length - other.calls.length),
    }
  } finally {
    await Promise.all(nodes.all.map((node) => node.kill()))
    rmSync(directory, { recursive: true, force: true })
  }
}

async function orderFor(users: User[], { forMs }: ChaosOptions) {
  const admin = await makeUser({ role: 'admin' })
  await setSessionLimit(admin.id, 0, 'system')
  const { basic } = await makeClient(['introspect'])
  return {
    users: users.map(({ id, email }) => ({ id, email })),
    admin: { email: admin.email },
    basic,
    password: PASSWORD,
    people: PEOPLE,
    forMs,
  }
}

/**
 * Servers end when a fault ends them, and never by themselves (P4).
 */
async function startNodes(limit: number, violations: Violation[]): Promise<Nodes> {
  const env = {
    ...namedConnections(),
    SESSION_LIMIT: String(limit),
    HASH_QUEUE_LIMIT: '50',
    LOG_LEVEL: 'error',
  }
  const started: TestServer[] = []
  const watch = (server: TestServer) => {
    started.push(server)
    server.process.once('exit', (code) => {
      if (!code) return
      const says = `a server ended by itself: ${server.output().slice(-2_000)}`
      violations.push({ promise: 'P4', says, calls: [] })
    })
    return server
  }
  const servers = await startServers(2, { env })
  const all = servers.map(watch)
  return {
    all,
    async replace(index, clockOffset) {
      const port = Number(new URL(all[index].url).port)
      all[index] = watch(await startServer({ port, clockOffset, env }))
    },
    errors: () => started.flatMap((server) => server.output().split('\n')).filter(Boolean),
  }
}

async function startClient(order: ClientOrder) {
  const script = fileURLToPath(new URL('./client.ts', import.meta.url))
  const child = spawn(
    process.execPath,
    ['--import=@poppinss/ts-exec', script, JSON.stringify(order)],
    { stdio: ['ignore', 'inherit', 'inherit'] }
  )
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`A client ended with exit code ${code}.`)
}

function readHistory(file: string): Call[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))
}

/**
 * P2, seen from the database: looks all the while whether somebody holds more than the limit.
 */
async function observe(ends: number, limit: number, violations: Violation[]) {
  while (now() < ends) {
    try {
      const over = await db
        .from('sessions')
        .join('users', 'users.id', 'sessions.user_id')
        .whereNull('users.session_limit')
        .whereNull('ended_at')
        .whereRaw('seq > (SELECT coalesce(max(session_seq), 0) FROM cutoffs)')
        .select('user_id')
        .count('* as held')
        .groupBy('user_id')
        .havingRaw('count(*) > ?', [limit])
      for (const row of over) {
        const says = `the database shows ${row.held} sessions of the user ${row.user_id}`
        violations.push({ promise: 'P2', says, calls: [] })
      }
    } catch {
      /* The database is being struck. */
    }
    await wait(20)
  }
}

async function strike(
  faults: Fault[],
  group: number,
  ends: number,
  { seed, faultEvery }: ChaosOptions,
  counts: Record<string, number>
) {
  if (faultEvery === 0) return
  const random = new Random(seed * 100 + group)
  for (;;) {
    await wait(faultEvery * (0.5 + random.next()))
    if (now() > ends - 1_000) return
    const fault = random.pick(faults)
    const name = await fault.strike(random).then(
      () => fault.name,
      (error) => `${fault.name} (failed: ${error.message})`
    )
    counts[name] = (counts[name] ?? 0) + 1
  }
}

/**
 * An operator who forces users out from a terminal.
 */
async function command(
  users: User[],
  ends: number,
  { seed, commandEvery }: ChaosOptions,
  calls: Call[]
) {
  if (commandEvery === 0) return
  const random = new Random(seed * 100 + 99)
  for (;;) {
    await wait(commandEvery * (0.5 + random.next()))
    if (now() > ends - 5_000) return
    const { email } = random.pick(users)
    const call: Call = { op: 'force-logout', user: email, start: now(), end: null, status: null }
    const { exitCode } = await runAce(['force:logout', email, '--yes', '--json'])
    if (exitCode === 0) Object.assign(call, { end: now(), status: 200 })
    calls.push(call)
  }
}

function countAnswers(history: Call[]): Record<string, number> {
  const answers: Record<string, number> = {}
  for (const { op, status, code } of history) {
    const key = `${op} ${status ?? 'no answer'}${code ? ` ${code}` : ''}`
    answers[key] = (answers[key] ?? 0) + 1
  }
  return Object.fromEntries(Object.entries(answers).sort())
}
