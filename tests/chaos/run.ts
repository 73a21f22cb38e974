import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import db from '@adonisjs/lucid/services/db'
import User from '#models/user'
import { makeUser, PASSWORD } from '../harness/accounts.js'
import { ownPostgres } from '../harness/environment.js'
import { call, logIn } from '../harness/http.js'
import { startServers } from '../harness/server.js'
import { check, type Violation } from './checker.js'
import type { ClientOrder } from './client.js'
import { faultsFor, type Nodes } from './faults.js'
import { now, type Call } from './history.js'
import { Random } from './random.js'

export type ChaosOptions = {
  seed: number
  forMs: number
  /** Sessions per user. */
  limit: number
  /** Milliseconds between faults; 0: none. */
  faultEvery: number
}

export type ChaosReport = {
  calls: number
  answers: Record<string, number>
  faults: Record<string, number>
  violations: Violation[]
}

const CLIENTS = 2
const PEOPLE = 6
const USERS = 8

/**
 * Lets client processes loose on two servers, strikes with faults, and holds what they saw against
 * the promises.
 */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const directory = mkdtempSync(join(tmpdir(), 'latchkey-chaos-'))
  const users = await Promise.all(Array.from({ length: USERS }, () => makeUser()))
  const admin = await makeUser({ role: 'admin' })
  const nodes: Nodes = await startServers(2, {
    env: { SESSION_LIMIT: String(options.limit), HASH_QUEUE_LIMIT: '50' },
  })
  const violations: Violation[] = []
  const faults: Record<string, number> = {}
  try {
    const ends = now() + options.forMs
    const order: Omit<ClientOrder, 'seed' | 'file'> = {
      servers: nodes.map((node) => node.url),
      users: users.map(({ id, email }) => ({ id, email })),
      admin: { email: admin.email },
      password: PASSWORD,
      people: PEOPLE,
      forMs: options.forMs,
    }
    const clients = Array.from({ length: CLIENTS }, (_, index) =>
      startClient({
        ...order,
        seed: options.seed * CLIENTS + index,
        file: join(directory, `client-${index}.jsonl`),
      })
    )
    await Promise.all([
      ...clients,
      observe(ends, options.limit, violations),
      strike(nodes, ends, options, faults),
    ])

    const history = Array.from({ length: CLIENTS }, (_, index) =>
      readHistory(join(directory, `client-${index}.jsonl`))
    ).flat()
    violations.push(...check(history, options.limit))
    violations.push(...(await checkNewest(users, nodes, options.limit)))
    const answers: Record<string, number> = {}
    for (const { op, status, code } of history) {
      const key = `${op} ${status ?? 'no answer'}${code ? ` ${code}` : ''}`
      answers[key] = (answers[key] ?? 0) + 1
    }
    return { calls: history.length, answers, faults, violations }
  } finally {
    await Promise.all(nodes.map((node) => node.kill()))
    rmSync(directory, { recursive: true, force: true })
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
        .whereNull('ended_at')
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
  nodes: Nodes,
  ends: number,
  { seed, faultEvery }: ChaosOptions,
  counts: Record<string, number>
) {
  if (faultEvery === 0) return
  const random = new Random(seed)
  const postgres = ownPostgres()
  const faults = faultsFor(nodes, postgres && (() => postgres.restart(random.next() * 500)))
  for (;;) {
    await wait(faultEvery * (0.5 + random.next()))
    if (now() > ends - 1500) return
    const fault = random.pick(faults)
    await fault.strike(random).catch((error) => {
      counts[`${fault.name} (failed: ${error.message})`] = 1
    })
    counts[fault.name] = (counts[fault.name] ?? 0) + 1
  }
}

/**
 * P2 after a race: exactly as many sessions as the limit, and the newest sign-in is one of them.
 */
async function checkNewest(users: User[], nodes: Nodes, limit: number): Promise<Violation[]> {
  const violations: Violation[] = []
  await User.query().update({ disabledAt: null })
  for (const user of users) {
    const racing = await Promise.all(
      Array.from({ length: 6 }, (_, index) => logIn(nodes[index % 2].url, user.email))
    )
    const newest = await logIn(nodes[0].url, user.email)
    const answers = [...racing, newest]
    const checks = await Promise.all(
      answers.map(({ body }, index) =>
        call(nodes[(index + 1) % 2].url, 'GET', '/api/v1/account', { token: body.data?.token })
      )
    )
    const alive = checks.filter(({ status }) => status === 200).length
    if (alive !== limit || checks.at(-1)!.status !== 200) {
      const says = `after a race ${alive} sessions of ${user.email} live, and the newest ${checks.at(-1)!.status === 200 ? 'does' : 'does not'}`
      violations.push({ promise: 'P2', says, calls: [] })
    }
  }
  return violations
}
