import type { Client } from 'pg'

type Wording = { text?: string }
type Callback = (error: Error | null, result?: unknown) => void
type Wired = { connection: { stream: { destroy(error: Error): void } } }

/**
 * Has transactions of a pipelined PostgreSQL connection begin without waiting until BEGIN is
 * answered: what follows is behind it on the wire. Should it ever fail while the connection lives,
 * the connection is cut, so that nothing that follows stands outside of a transaction.
 */
export function beginAtOnce(client: Client): void {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown
  client.query = ((wording: Wording | string, ...rest: unknown[]) => {
    const callback = rest.at(-1)
    const begins = typeof wording === 'object' && wording.text === 'BEGIN;'
    if (!begins || typeof callback !== 'function') return query(wording, ...rest)

    query(wording, (error: Error | null) => {
      if (error) (client as unknown as Wired).connection.stream.destroy(error)
    })
    queueMicrotask(() => (callback as Callback)(null, { command: 'BEGIN', rows: [] }))
  }) as Client['query']
}
