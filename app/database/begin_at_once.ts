import type { Client } from 'pg'

type Wording = { text?: string }
type Callback = (error: Error | null, result?: unknown) => void
type Stream = { cork(): void; uncork(): void; destroy(error: Error): void }
type Wired = { connection: { stream: Stream } }

/**
 * Has transactions of a pipelined PostgreSQL connection begin without waiting until BEGIN is
 * answered: what follows goes right behind it, in one packet if it comes in the same tick. Should it ever fail while the connection lives,
 * the connection is cut, so that nothing that follows stands outside of a transaction.
 */
export function beginAtOnce(client: Client): void {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown
  client.query = ((wording: Wording | string, ...rest: unknown[]) => {
    const callback = rest.at(-1)
    const begins = typeof wording === 'object' && wording.text === 'BEGIN;'
    if (!begins || typeof callback !== 'function') return query(wording, ...rest)

    const { stream } = (client as unknown as Wired).connection
    stream.cork()
    query(wording, (error: Error | null) => {
      if (error) stream.destroy(error)
    })
    process.nextTick(() => stream.uncork())
    queueMicrotask(() => (callback as Callback)(null, { command: 'BEGIN', rows: [] }))
  }) as Client['query']
}
