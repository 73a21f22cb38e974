import { Duplex } from 'node:stream'
import db from '@adonisjs/lucid/services/db'
import type { ConnectionConfig, QueryClientContract } from '@adonisjs/lucid/types/database'
import type { Database } from 'sqlite3'
import { PostgresClient } from '#app/database/postgres'
import { prepareSqlite } from '#app/database/sqlite'

/**
 * Checks of what this folder relies on though no documentation promises it; #app/internals lists
 * them. None of them needs the database to be within reach.
 */

const PROBE = 'internals'

/**
 * Runs `work` on a connection of its own and closes that.
 */
async function probe<Found>(
  config: ConnectionConfig,
  work: (client: QueryClientContract) => Promise<Found>
): Promise<Found> {
  db.manager.add(PROBE, config)
  try {
    return await work(db.connection(PROBE))
  } finally {
    await db.manager.release(PROBE)
  }
}

type AfterCreate = NonNullable<ConnectionConfig['pool']>['afterCreate']

const inMemory = (afterCreate?: AfterCreate): ConnectionConfig => ({
  client: 'sqlite3',
  connection: { filename: ':memory:' },
  useNullAsDefault: true,
  pool: { min: 0, max: 1, afterCreate },
})

/**
 * Statements and transactions of knex get their connections by `acquireConnection` of its client,
 * also where it was replaced; the pool counts those who wait, and makes those of PostgreSQL by
 * `acquireRawConnection`.
 */
export function acquiredConnections(): Promise<boolean> {
  const postgres = db.connection().dialect.name === 'postgres'
  return probe(postgres ? { client: 'pg', connection: {} } : inMemory(), async (lucid) => {
    const { client } = lucid.getWriteClient()
    const { acquireConnection, releaseConnection, pool } = client
    const refusal = new Error()
    const made = !postgres || (await makesConnections(client))
    client.acquireConnection = () => Promise.reject(refusal)
    const attempts = await Promise.allSettled([
      lucid.rawQuery('SELECT 1'),
      lucid.transaction().then((trx) => trx.rollback()),
    ])
    return (
      made &&
      [acquireConnection, releaseConnection].every((method) => typeof method === 'function') &&
      attempts.every(
        (one) => one.status === 'rejected' && [one.reason, one.reason.cause].includes(refusal)
      ) &&
      pool?.numPendingAcquires?.() === 0
    )
  })
}

async function makesConnections(client: {
  acquireRawConnection(): Promise<unknown>
  pool: { acquire(): { promise: Promise<unknown> } }
}): Promise<boolean> {
  const refusal = new Error()
  const { acquireRawConnection } = client
  client.acquireRawConnection = () => Promise.reject(refusal)
  const [outcome] = await Promise.allSettled([client.pool.acquire().promise])
  client.acquireRawConnection = acquireRawConnection
  return outcome.status === 'rejected' && outcome.reason === refusal
}

/**
 * knex begins and commits a transaction with the texts, and by the methods of the connection, that
 * `prepareSqlite` replaces, says by `executionPromise` when a COMMIT has failed, and closes the
 * connection by its `close`.
 */
export async function sqliteTransactions(): Promise<boolean> {
  const sent: string[] = []
  let closed = false
  const watched = (connection: Database, done: Parameters<typeof prepareSqlite>[1]) => {
    const all = connection.all.bind(connection) as (...args: unknown[]) => Database
    connection.all = (sql: string, ...rest: unknown[]) => {
      sent.push(sql)
      return all(sql, ...rest)
    }
    connection.once('close', () => (closed = true))
    prepareSqlite(connection, done)
  }
  const refused = await probe(inMemory(watched), async (client) => {
    const trx = await client.transaction()
    await trx.rawQuery(
      'CREATE TABLE probe (id INTEGER PRIMARY KEY, other INTEGER REFERENCES probe DEFERRABLE INITIALLY DEFERRED)'
    )
    await trx.rawQuery('INSERT INTO probe (other) VALUES (999)')
    await trx.commit()
    return trx.knexClient.executionPromise.then(
      () => false,
      () => true
    )
  })
  return refused && closed && sent[0] === 'BEGIN IMMEDIATE' && sent.at(-1) === 'ROLLBACK'
}

const AUTHENTICATED_AND_READY = Buffer.from('R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I')

/**
 * A server of PostgreSQL that lets a client in and says nothing more.
 */
class SilentServer extends Duplex {
  heard = ''
  override _read() {}
  override _write(chunk: Buffer, _encoding: string, done: () => void) {
    this.heard += chunk.toString('latin1')
    if (this.readableLength === 0) this.push(AUTHENTICATED_AND_READY)
    done()
  }
  connect() {
    process.nextTick(() => this.emit('connect'))
  }
  setNoDelay() {}
}

/**
 * pg closes a pipelined connection on which the answer to a statement does not come in time.
 */
export async function postgresTimeout(): Promise<boolean> {
  const { default: pg } = await import('pg')
  const server = new SilentServer()
  const client = new pg.Client({
    stream: () => server,
    ssl: false,
    pipeline: true,
    query_timeout: 1,
  })
  client.on('error', () => {})
  await client.connect()
  const answered = await client.query('SELECT 1').then(
    () => true,
    () => false
  )
  const { destroyed } = server
  server.destroy()
  return !answered && destroyed
}

/**
 * What `getStartupConf` of a client of pg gives goes into its startup packet.
 */
export async function postgresStartup(): Promise<boolean> {
  const server = new SilentServer()
  const client = new PostgresClient({ stream: () => server, ssl: false }, 'none')
  client.on('error', () => {})
  await client.connect()
  server.destroy()
  return server.heard.includes('DateStyle\0ISO, MDY\0')
}
