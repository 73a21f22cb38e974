import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import db from '@adonisjs/lucid/services/db'
import { setSessionLimit } from '#app/accounts/roles_and_limits'
import { runAce } from '../harness/ace.js'
import { makeUser, PASSWORD, type UserWithEmail } from '../harness/accounts.js'
import { namedConnections } from '../harness/backends.js'
import { startServer, startServers, type TestServer } from '../harness/server.js'
import { makeClient } from '../harness/service_clients.js'
import { PLATFORMS } from './actions.js'
import { askFeed, audit } from './audit.js'
import { check, type Violation } from './checker.js'
import type { ClientOrder } from './client.js'
import { faultsFor, type Fault, type Nodes } from './faults.js'
import { now, tellings, type Call, type Lifetimes, type Strike } from './history.js'
import { Random } from './random.js'
import { Wire } from './wire.js'

export type ChaosOptions = {
  seed: number
  forMs: number
  /** Sessions per user. */
  limit: number
  /** How long sessions live, in milliseconds; undefined: so long that none reaches its end. */
  lifetimes?: { idle: number; max: number }
  /** Milliseconds between faults of each kind, on average; 0: none. */
  faultEvery: number
  /** Milliseconds between commands from a terminal; 0: none. */
  commandEvery: number
}

export type ChaosReport = {
  calls: number
  sessions: number
  /** How many sessions were said to have ended, for which reason. */
  ends: Record<string, number>
  answers: Record<string, number>
  faults: Record<string, number>
  missing: string[]
  /** What the servers logged as errors. */
  errors: string[]
  violations: Violation[]
}

const CLIENTS = 2

/**
 * People of one client. Where lifetimes are short they wait most of the time.
 */
const PEOPLE = { busy: 10, waiting: 12 }

/**
 * How far a clock steps at most, in milliseconds, to either side; where lifetimes are short, so
 * little that they still mean something.
 */
const CLOCK_STEP = { longLifetimes: 2_000, shortLifetimes: 100 }

/**
 * Besides clocks, how far apart events may seem that a busy machine looks at, in milliseconds.
 */
const SLACK = 250

/**
 * The machine stood still when a wait was so many milliseconds longer than asked for.
 */
const STANDSTILL = 300

/**
 * Milliseconds between two looks at the log.
 */
const FOLLOW_EVERY = 250

/**
 * Lets client processes loose on two servers, strikes with faults, and holds what they saw against
 * the promises.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-chaos-'))
  const { seed, forMs, limit } = options
  const people = options.lifetimes ? PEOPLE.waiting : PEOPLE.busy
  const users = await Promise.all(Array.from({ length: CLIENTS * people }, () => makeUser()))
  const clockStep = options.lifetimes ? CLOCK_STEP.shortLifetimes : CLOCK_STEP.longLifetimes
  const lifetimes = options.lifetimes && {
    ...options.lifetimes,
    tolerance: 2 * clockStep + SLACK,
  }
  const order = await orderFor(users, { people, forMs, lifetimes })
  const violations: Violation[] = []
  const env = environmentOf(options)
  const nodes = await startNodes(env, violations)
  const { groups, missing } = faultsFor(nodes, clockStep)
  const faults: Record<string, number> = {}
  const strikes: Strike[] = []
  const epoch = Date.now() - now()
  try {
    const files = Array.from({ length: CLIENTS }, (_, at) => join(directory, `client-${at}.jsonl`))
    const clients = files.map((file, index) =>
      startClient({
        ...order,
        servers: nodes.all.map(({ url }) => url),
        seed: seed * CLIENTS + index,
        file,
      })
    )
    const ends = now() + forMs
    const calls: Call[] = []
    await Promise.all([
      ...clients,
      observe(ends, limit, violations),
      watchMachine(ends, strikes),
      follow(nodes, order.basic, ends, calls),
      ...groups.map((group, index) => strike(group, index, ends, options, { faults, strikes })),
      command(users, ends, options, env, calls),
    ])

    const history = [...files.flatMap(readHistory), ...calls]
    history.push(...(await audit(nodes, users, history, order.basic, { violations, strikes })))
    violations.push(...check(history, { limit, lifetimes, strikes, epoch }))
    return {
      calls: history.length,
      sessions: history.filter(({ op, opened }) => op === 'login' && opened).length,
      ends: countEnds(history),
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

async function orderFor(
  users: UserWithEmail[],
  given: { people: number; forMs: number; lifetimes?: Lifetimes }
) {
  const admin = await makeUser({ role: 'admin' })
  await setSessionLimit(admin.id, 0, 'system')
  const { basic } = await makeClient(['introspect', 'feed'])
  return {
    ...given,
    users: users.map(({ id, email }) => ({ id, email })),
    admin: { email: admin.email },
    basic,
    password: PASSWORD,
  }
}

/**
 * The policy, which servers and commands share.
 */
function environmentOf({ limit, lifetimes }: ChaosOptions): Record<string, string> {
  return {
    SESSION_LIMIT: String(limit),
    ...(lifetimes && {
      SESSION_IDLE_TIMEOUT: `${lifetimes.idle}ms`,
      SESSION_MAX_LIFETIME: `${lifetimes.max}ms`,
    }),
  }
}

/**
 * Servers end when a fault ends them, and never by themselves (P4).
 */
async function startNodes(policy: Record<string, string>, violations: Violation[]): Promise<Nodes> {
  const env = {
    ...namedConnections(),
    ...policy,
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

/**
 * Notes when the whole machine stands still, as a strike on all servers.
 */
async function watchMachine(ends: number, strikes: Strike[]) {
  while (now() < ends) {
    const start = now()
    await wait(20)
    const end = now()
    if (end - start > STANDSTILL) strikes.push({ start, end })
  }
}

/**
 * A backend that follows the log of ended sessions from its beginning.
 */
async function follow(nodes: Nodes, basic: string, ends: number, calls: Call[]) {
  const servers = nodes.all.map(({ url }) => url)
  const wire = new Wire(servers, new Random(0), (call) => calls.push(call))
  let after: string | undefined
  while (now() < ends) {
    const { cursor } = await wire.send(askFeed(basic, after))
    after = cursor ?? after
    await wait(FOLLOW_EVERY)
  }
}

async function strike(
  kinds: Fault[],
  group: number,
  ends: number,
  { seed, faultEvery }: ChaosOptions,
  { faults, strikes }: { faults: Record<string, number>; strikes: Strike[] }
) {
  if (faultEvery === 0) return
  const random = new Random(seed * 100 + group)
  for (;;) {
    await wait(faultEvery * (0.5 + random.next()))
    if (now() > ends - 1_000) return
    const fault = random.pick(kinds)
    const struck: Strike = { start: now(), end: Infinity }
    if (!fault.sparesWrites) strikes.push(struck)
    let name = fault.name
    try {
      struck.server = (await fault.strike(random)) ?? undefined
    } catch (error) {
      name = `${name} (failed: ${(error as Error).message})`
    }
    struck.end = now()
    faults[name] = (faults[name] ?? 0) + 1
  }
}

/**
 * An operator at a terminal, who forces users out; with short lifetimes also a platform of
 * everyone, and prunes, which writes the ends that time has brought.
 */
async function command(
  users: UserWithEmail[],
  ends: number,
  { seed, commandEvery, lifetimes }: ChaosOptions,
  env: Record<string, string>,
  calls: Call[]
) {
  if (commandEvery === 0) return
  const random = new Random(seed * 100 + 99)
  const forceUser = () => {
    const { email } = random.pick(users)
    const call: Pick<Call, 'op' | 'user'> = { op: 'force-logout', user: email }
    return { call, args: ['force:logout', email, '--yes', '--json'] }
  }
  const forcePlatform = () => {
    const platform = random.pick(PLATFORMS)
    const call = { op: 'force-platform', user: '*', platform } as const
    return { call, args: ['force:logout', '--all', `--platform=${platform}`, '--yes', '--json'] }
  }
  const prune = () => ({ call: null, args: ['sessions:prune', '--json'] })
  const kinds = lifetimes ? [forceUser, forcePlatform, prune, prune] : [forceUser]
  for (;;) {
    await wait(commandEvery * (0.5 + random.next()))
    if (now() > ends - 5_000) return
    const { call: asked, args } = random.pick(kinds)()
    const start = now()
    const { exitCode } = await runAce(args, { env })
    if (!asked) continue
    const done = exitCode === 0
    calls.push({ ...asked, start, end: done ? now() : null, status: done ? 200 : null })
  }
}

function countEnds(history: Call[]): Record<string, number> {
  const reasons = new Map(
    history.flatMap(tellings).map(({ session, reason }) => [session, reason] as const)
  )
  const ends: Record<string, number> = {}
  for (const reason of reasons.values()) ends[reason] = (ends[reason] ?? 0) + 1
  return ends
}

function countAnswers(history: Call[]): Record<string, number> {
  const answers: Record<string, number> = {}
  for (const { op, status, code } of history) {
    const key = `${op} ${status ?? 'no answer'}${code ? ` ${code}` : ''}`
    answers[key] = (answers[key] ?? 0) + 1
  }
  return Object.fromEntries(Object.entries(answers).sort())
}
