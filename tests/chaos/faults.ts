import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import db from '@adonisjs/lucid/services/db'
import pg from 'pg'
import { backends, cutBackends, signalAll } from '../harness/backends.js'
import { ownPostgres } from '../harness/environment.js'
import type { TestServer } from '../harness/server.js'
import type { Random } from './random.js'

/**
 * What can go wrong around the servers. Each fault mends itself before it returns. `strike` gives
 * the number of the server that it struck, nothing where all suffer. `sparesWrites`: what a server
 * is to write behind is neither lost nor late.
 */
export type Fault = {
  name: string
  sparesWrites?: boolean
  strike(random: Random): Promise<number | void>
}

/**
 * The servers of a run. `replace` starts one anew on its port, with a clock that is so many
 * milliseconds ahead. `errors` are the lines that all of them logged.
 */
export type Nodes = {
  all: TestServer[]
  replace(index: number, clockOffset: number): Promise<void>
  errors(): string[]
}

/**
 * A server dies in the middle of what it does, and comes back with a clock that has stepped.
 */
const killServer = (nodes: Nodes, signal: 'kill' | 'stop', clockStep: number): Fault => ({
  name: signal === 'kill' ? 'kill -9 of a server, and its clock steps' : 'SIGTERM of a server',
  sparesWrites: signal === 'stop',
  async strike(random) {
    const index = Math.floor(random.next() * nodes.all.length)
    await nodes.all[index][signal]()
    await wait(random.next() * 300)
    await nodes.replace(index, Math.round((random.next() * 2 - 1) * clockStep))
    return index
  },
})

/**
 * A server stands still, as under a long pause of the machine, and goes on.
 */
const stallServer = (nodes: Nodes): Fault => ({
  name: 'a server that stands still',
  async strike(random) {
    const index = Math.floor(random.next() * nodes.all.length)
    const { process: child } = nodes.all[index]
    child.kill('SIGSTOP')
    await wait(200 + random.next() * 1_500)
    child.kill('SIGCONT')
    return index
  },
})

/**
 * Every connection of the servers is cut by the database, a few times in a row.
 */
const cutConnections: Fault = {
  name: 'connections terminated',
  async strike(random) {
    for (let round = 0; round < 5; round++) {
      await cutBackends()
      await wait(random.next() * 200)
    }
  },
}

/**
 * The backends of the database stand still.
 */
const stallPostgres: Fault = {
  name: 'a stalled PostgreSQL',
  async strike(random) {
    const stalled = await backends()
    signalAll(stalled, 'SIGSTOP')
    await wait(200 + random.next() * 2_000)
    signalAll(stalled, 'SIGCONT')
  },
}

const restartPostgres = (crash: boolean): Fault => ({
  name: crash ? 'PostgreSQL crashed' : 'PostgreSQL restarted',
  strike: (random) => ownPostgres()!.restart(random.next() * 500, { crash }),
})

/**
 * Somebody has a transaction open in another database of the server: who follows the log must not wait
 * for it.
 */
const foreignTransaction: Fault = {
  name: 'a long transaction in another database',
  sparesWrites: true,
  async strike(random) {
    const url = process.env.DATABASE_URL!.replace(/\/[^/]*$/, '/postgres')
    const stranger = new pg.Client({ connectionString: url })
    stranger.on('error', () => {})
    await stranger.connect()
    await stranger.query('BEGIN; SELECT pg_current_xact_id()')
    await wait(2_000 + random.next() * 5_000)
    await stranger.end()
  },
}

/**
 * Another process holds SQLite's write lock.
 */
const lockSqlite: Fault = {
  name: 'SQLite locked by another process',
  async strike(random) {
    const script = `
      import sqlite3 from 'sqlite3'
      const database = new sqlite3.Database(process.env.SQLITE_FILE)
      database.exec('PRAGMA busy_timeout = 5000; BEGIN IMMEDIATE', () => {
        setTimeout(
          () => database.exec('COMMIT', () => process.exit(0)),
          ${Math.round(200 + random.next() * 1_500)}
        )
      })`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: 'ignore',
    })
    await once(child, 'exit')
  },
}

/**
 * The files of a server can't grow, as on a full disk or by a quota.
 */
const fullDisk = (nodes: Nodes): Fault => ({
  name: 'a full disk',
  async strike(random) {
    const index = Math.floor(random.next() * nodes.all.length)
    const { pid } = nodes.all[index].process
    limitFileSize(pid!, '4096')
    await wait(200 + random.next() * 1_000)
    limitFileSize(pid!, 'unlimited')
    return index
  },
})

function limitFileSize(pid: number, bytes: string): boolean {
  const { status } = spawnSync('prlimit', ['--pid', String(pid), `--fsize=${bytes}:unlimited`])
  return status === 0
}

/**
 * The faults that this run can suffer, of the servers and of their database: one of each kind may
 * strike at the same time. A clock steps at most `clockStep` milliseconds to either side. `missing`
 * says what this machine does not allow, and why.
 */
export function faultsFor(
  nodes: Nodes,
  clockStep: number
): { groups: Fault[][]; missing: string[] } {
  const ofServers = [
    killServer(nodes, 'kill', clockStep),
    killServer(nodes, 'stop', clockStep),
    stallServer(nodes),
  ]
  if (db.connection().dialect.name === 'postgres') {
    const restarts = ownPostgres() ? [restartPostgres(false), restartPostgres(true)] : []
    const missing = ownPostgres() ? [] : ['restarts: PostgreSQL is not of this run']
    return {
      groups: [ofServers, [cutConnections, stallPostgres, ...restarts], [foreignTransaction]],
      missing,
    }
  }
  const limits = limitFileSize(process.pid, 'unlimited')
  return {
    groups: [ofServers, limits ? [lockSqlite, fullDisk(nodes)] : [lockSqlite]],
    missing: limits ? [] : ['a full disk: prlimit of util-linux is not here, or not permitted'],
  }
}
