import db from '@adonisjs/lucid/services/db'
import type { Client, QueryResult } from 'pg'

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
 * Finds out by a new connection whether new ones lead elsewhere than the old ones, which are given up
 * then. While no connection can be made, the old ones are all there is.
 */
export async function lookForFailover(): Promise<void> {
  const { client } = db.connection().getWriteClient()
  try {
    const connection: Client = await client.acquireRawConnection()
    await connection.end()
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

/**
 * What a new connection finds: when its server was started, as text. Where that is another server than
 * the others lead to, they are given up.
 */
export function noteServer(connection: Client, server: string): void {
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
 * Looks, from when it is connected, at what each statement of a connection brings:
 *
 * - pg gives what it says itself no code. All of that means that the connection is gone, or will be.
 * - A server that turns out to be read-only is left.
 * - A COMMIT that the server no longer wants to wait for, because a statement's time is up, is
 *   answered as if it were done; a warning says that no synchronous standby has it. A failover could
 *   undo it, so it has failed.
 */
export function watchServer(connection: Client): void {
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
