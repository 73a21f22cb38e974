import db from '@adonisjs/lucid/services/db'
import type { Client, QueryResult } from 'pg'
import { E_UNAVAILABLE } from '#exceptions/errors'

/**
 * Which server of PostgreSQL this process works with. After a failover that can be another one than
 * its connections lead to: an old primary that can't be written, or one that nobody fenced off. What
 * it says of a token is worth nothing, so every connection to it is given up, and no new one is
 * taken before it leads to a server that can be written.
 */

/**
 * Every open connection of this process.
 */
const connections = new Set<Client>()

/**
 * When the server behind the newest connection was started: no two servers have that in common.
 */
let reached: string | undefined

/**
 * Whether a transaction could write; `on` for one that could not. That says all: it is `on` on a
 * standby, under `default_transaction_read_only`, and nowhere else.
 */
export const READ_ONLY = "current_setting('transaction_read_only')"

/**
 * SyncRepWaitForLSN tells by a warning that a COMMIT is not on the standby: it must reach us.
 */
const ASK = `SELECT ${READ_ONLY} AS read_only,
  extract(epoch FROM pg_postmaster_start_time())::text AS server,
  set_config('client_min_messages', 'notice', false)`

/**
 * Prepares a new connection (`pool.afterCreate`): refuses one to a server that can't be written.
 */
export function confirmServer(
  connection: Client,
  done: (error: Error | null, connection: Client) => void
): void {
  watch(connection)
  confirm(connection).then(
    () => done(null, connection),
    (error: Error) => {
      void connection.end().catch(() => {})
      done(error, connection)
    }
  )
}

/**
 * Connects a client that is of no pool, to a server that can be written. Throws `E_UNAVAILABLE` when
 * there is none.
 */
export async function connectToServer(client: Client): Promise<void> {
  try {
    await client.connect()
    watch(client)
    await confirm(client)
  } catch (cause) {
    void client.end().catch(() => {})
    throw new E_UNAVAILABLE({ cause })
  }
}

/**
 * Finds out by a new connection whether new ones lead elsewhere than the old ones, which are given up
 * then. While no connection can be made, the old ones are all there is.
 */
export async function lookForFailover(): Promise<void> {
  const { client } = db.connection().getWriteClient()
  try {
    const connection: Client = await client.acquireRawConnection()
    await confirm(connection).finally(() => connection.end())
  } catch {
    /* Whoever asks the database next is told. */
  }
}

/**
 * Gives up every connection, and throws what says why.
 */
export function leaveReadOnlyServer(): never {
  giveUpConnections()
  throw Object.assign(new Error('The server of PostgreSQL is read-only.'), { code: '25006' })
}

async function confirm(connection: Client): Promise<void> {
  const { rows } = await connection.query(ASK)
  const [{ read_only: readOnly, server }] = rows
  if (readOnly === 'on') leaveReadOnlyServer()
  if (reached !== undefined && reached !== server) giveUpConnections(connection)
  reached = server
}

/**
 * knex sees that they have ended, and makes others.
 */
function giveUpConnections(except?: Client): void {
  for (const connection of connections) {
    if (connection === except) continue
    connections.delete(connection)
    void connection.end().catch(() => {})
  }
}

type Answer = (error: Error | null, result?: QueryResult) => void

/**
 * Looks at what each statement of a connection brings:
 *
 * - pg gives what it says itself no code. All of that means that the connection is gone, or will be.
 * - A server that turns out to be read-only is left.
 * - A COMMIT that the server no longer wants to wait for, because a statement's time is up, is
 *   answered as if it were done; a warning says that no synchronous standby has it. A failover could
 *   undo it, so it has failed.
 */
function watch(connection: Client): void {
  connections.add(connection)
  connection.once('end', () => connections.delete(connection))

  let unconfirmed = false
  connection.on('notice', ({ routine }) => (unconfirmed ||= routine === 'SyncRepWaitForLSN'))
  const judge = (error: (Error & { code?: string }) | null): Error | null => {
    const lost = unconfirmed
    unconfirmed = false
    if (!error) return lost ? withCode(new Error('The COMMIT is on no standby.'), '08007') : null
    if (error.code === '25006') giveUpConnections()
    const ofDriver = error.code === undefined && !(error instanceof TypeError)
    return ofDriver ? withCode(error, '08006') : error
  }

  const query = connection.query.bind(connection) as (...args: unknown[]) => Promise<QueryResult>
  connection.query = ((...args: unknown[]) => {
    const answer = args.at(-1)
    if (typeof answer === 'function') {
      return query(...args.slice(0, -1), ((error, result) => {
        const fault = judge(error)
        if (fault) (answer as Answer)(fault)
        else (answer as Answer)(null, result)
      }) satisfies Answer)
    }
    return query(...args).then(
      (result) => {
        const fault = judge(null)
        if (fault) throw fault
        return result
      },
      (error) => {
        throw judge(error)
      }
    )
  }) as Client['query']
}

function withCode(error: Error, code: string): Error {
  return Object.assign(error, { code })
}
