import { spawn } from 'node:child_process'
import { setTimeout as wait } from 'node:timers/promises'
import db from '@adonisjs/lucid/services/db'
import { rows } from '#sessions/sql'
import type { TestServer } from '../harness/server.js'
import { startServer } from '../harness/server.js'
import type { Random } from './random.js'

/**
 * What can go wrong around the servers. Each fault mends itself before it returns.
 */
export type Fault = { name: string; strike(random: Random): Promise<void> }

/**
 * The servers of a run, which faults replace: each keeps its port, so clients find it again.
 */
export type Nodes = TestServer[]

/**
 * A server dies in the middle of what it does, and comes back, now and then with a clock that is a
 * little off.
 */
const killServer = (nodes: Nodes): Fault => ({
  name: 'kill -9 of a server',
  async strike(random) {
    const index = Math.floor(random.next() * nodes.length)
    const port = Number(new URL(nodes[index].url).port)
    await nodes[index].kill()
    await wait(random.next() * 300)
    const clockOffset = Math.round((random.next() - 0.5) * 2000)
    nodes[index] = await startServer({ port, clockOffset })
  },
})

/**
 * A server stands still, as under a long pause of the machine, and goes on.
 */
const stallServer = (nodes: Nodes): Fault => ({
  name: 'a server that stands still',
  async strike(random) {
    const { process: child } = random.pick(nodes)
    child.kill('SIGSTOP')
    await wait(200 + random.next() * 800)
    child.kill('SIGCONT')
  },
})

/**
 * Every connection of the servers is cut by the database.
 */
const cutConnections: Fault = {
  name: 'connections terminated',
  async strike() {
    await db.rawQuery(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`
    )
  },
}

/**
 * The backends of the database stand still.
 */
const stallPostgres: Fault = {
  name: 'a stalled PostgreSQL',
  async strike(random) {
    const found = await rows<{ pid: number }>(
      db.connection(),
      `SELECT pid FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`
    )
    const signal = (name: NodeJS.Signals) => {
      for (const { pid } of found) {
        try {
          process.kill(pid, name)
        } catch {
          /* It has ended by itself. */
        }
      }
    }
    signal('SIGSTOP')
    await wait(200 + random.next() * 1500)
    signal('SIGCONT')
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
        setTimeout(() => database.exec('COMMIT', () => process.exit(0)), ${Math.round(200 + random.next() * 1500)})
      })`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: 'ignore',
    })
    await new Promise((resolve) => child.once('exit', resolve))
  },
}

/**
 * The faults that the database of this run can suffer. `restart` stops and starts PostgreSQL.
 */
export function faultsFor(nodes: Nodes, restart?: () => Promise<void>): Fault[] {
  const common = [killServer(nodes), stallServer(nodes)]
  if (db.connection().dialect.name !== 'postgres') return [...common, lockSqlite]
  const restartPostgres: Fault = {
    name: 'PostgreSQL restarted',
    strike: () => restart!(),
  }
  return [...common, cutConnections, stallPostgres, ...(restart ? [restartPostgres] : [])]
}
