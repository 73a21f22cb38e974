import type { Socket } from 'node:net'
import type { Client } from 'pg'

/**
 * Cuts a PostgreSQL connection on which an answer is due and nothing has come for so many
 * milliseconds. The limits that the server keeps are of no use when it hangs, or when the network
 * swallows what it says. The statement fails as one whose connection was cut, and the pool makes
 * another connection.
 */
export function cutWhenSilent(client: Client, patience: number): void {
  const { connection } = client as unknown as { connection: { stream: Socket } }
  const { stream } = connection
  stream.setTimeout(patience, () => {
    const { readyForQuery } = client as unknown as { readyForQuery: boolean }
    if (!readyForQuery) stream.destroy(new Error('Connection terminated: the database is silent.'))
  })
}
