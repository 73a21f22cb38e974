import { request, type IncomingMessage } from 'node:http'

export type StreamedEvent = { event: string; data: any; at: number }

/**
 * A device that listens to its session's event stream.
 */
export type Listener = {
  status: number
  headers: IncomingMessage['headers']
  /** Everything that came, as it came. */
  text(): string
  events(): StreamedEvent[]
  /** The next event that was not taken yet; fails after `patience` milliseconds. */
  next(patience?: number): Promise<StreamedEvent>
  /** Resolves when the server has closed the stream; fails after `patience` milliseconds. */
  closed(patience?: number): Promise<void>
  close(): void
}

/**
 * Opens an event stream and resolves with its headers. `readsNothing` leaves all that comes in the
 * socket; `from` is the address that it comes from.
 */
export function listen(
  server: string,
  token: string,
  options: { readsNothing?: boolean; from?: string } = {}
): Promise<Listener> {
  return new Promise((resolve, reject) => {
    const asked = request(
      `${server}/api/v1/session/events`,
      { headers: { authorization: `Bearer ${token}` }, agent: false, localAddress: options.from },
      (answer) => resolve(follow(answer, () => asked.destroy(), options.readsNothing ?? false))
    )
    asked.on('error', reject).end()
  })
}

function follow(answer: IncomingMessage, close: () => void, readsNothing: boolean): Listener {
  let text = ''
  let parsed = 0
  let over = false
  const events: StreamedEvent[] = []
  let taken = 0
  const waiting = new Set<() => void>()
  const changed = () => {
    for (const wake of waiting) wake()
  }

  answer.setEncoding('utf8')
  if (!readsNothing) {
    answer.on('data', (chunk) => {
      text += chunk
      for (let end = text.indexOf('\n\n', parsed); end !== -1; end = text.indexOf('\n\n', parsed)) {
        const [, event, data] = /^event: (.+)\ndata: (.+)$/.exec(text.slice(parsed, end)) ?? []
        if (event) events.push({ event, data: JSON.parse(data), at: performance.now() })
        parsed = end + 2
      }
      changed()
    })
  }
  answer.on('error', () => {})
  answer.on('close', () => {
    over = true
    changed()
  })

  const until = <Value>(read: () => Value | undefined, patience: number, what: string) =>
    new Promise<Value>((resolve, reject) => {
      const done = () => {
        clearTimeout(timer)
        waiting.delete(look)
      }
      const look = () => {
        const value = read()
        if (value === undefined) return
        done()
        resolve(value)
      }
      const timer = setTimeout(() => {
        done()
        reject(new Error(`${what} within ${patience} ms. The stream has said:\n${text}`))
      }, patience)
      waiting.add(look)
      look()
    })

  return {
    status: answer.statusCode!,
    headers: answer.headers,
    text: () => text,
    events: () => events,
    next: (patience = 5_000) =>
      until(() => (taken < events.length ? events[taken++] : undefined), patience, 'No event'),
    closed: async (patience = 5_000) => {
      await until(() => over || undefined, patience, 'The stream was not closed')
    },
    close,
  }
}
