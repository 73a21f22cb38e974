import { connect } from 'node:net'
import { now, type Call, type Telling } from './history.js'
import type { Random } from './random.js'

/**
 * How long a client waits for an answer, in milliseconds.
 */
const PATIENCE = 20_000

export type Asked = {
  method: string
  path: string
  call: Omit<Call, 'start' | 'end' | 'status'>
  headers?: Record<string, string>
  body?: unknown
  form?: Record<string, string>
  /** Milliseconds for which a stream is read, unless it ends before; else only its beginning is. */
  holdFor?: number
  /** The client goes away after so many milliseconds. */
  leaveAfter?: number
  /** Kept out of the history. */
  unseen?: boolean
}

/**
 * Sends requests to one of the servers, and writes down each as a call. Without an answer in time,
 * or when the client goes away, it is not known what became of it.
 */
export class Wire {
  readonly #servers: string[]
  readonly #random: Random
  readonly #record: (call: Call) => void

  constructor(servers: string[], random: Random, record: (call: Call) => void) {
    this.#servers = servers
    this.#random = random
    this.#record = record
  }

  async send(asked: Asked): Promise<Call> {
    const server = Math.floor(this.#random.next() * this.#servers.length)
    const call: Call = { ...asked.call, server, start: now(), end: null, status: null }
    try {
      const response = await fetch(this.#servers[server] + asked.path, {
        method: asked.method,
        headers: {
          ...(asked.body !== undefined && { 'content-type': 'application/json' }),
          ...asked.headers,
        },
        body: asked.form ? new URLSearchParams(asked.form) : JSON.stringify(asked.body),
        signal: AbortSignal.timeout(Math.ceil(asked.leaveAfter ?? PATIENCE)),
      })
      const isStream = response.ok && asked.call.op === 'stream'
      const text = isStream ? await readStream(response, asked.holdFor) : await response.text()
      call.end = now()
      call.status = response.status
      if (response.status === 503 && !/^\d+$/.test(response.headers.get('retry-after') ?? '')) {
        call.withoutRetryAfter = true
      }
      if (isStream) hear(call, text)
      else if (text !== '') understand(call, JSON.parse(text))
    } catch (error) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      if (wasRefused(error)) return this.send(asked)
    }
    if (!asked.unseen) this.#record(call)
    return call
  }

  /**
   * Sends the beginning of a request and goes away.
   */
  sendHalf(): Promise<void> {
    const { hostname, port } = new URL(this.#random.pick(this.#servers))
    const head = 'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'
    return new Promise((resolve) => {
      const socket = connect(Number(port), hostname, () =>
        socket.write(`${head}Content-Length: 100\r\n\r\n{"email":`, () =>
          setTimeout(() => socket.destroy(), 5)
        )
      )
      socket.on('error', () => {}).on('close', () => resolve())
    })
  }
}

/**
 * Whether nobody listened, so that nothing was asked.
 */
function wasRefused(error: unknown): boolean {
  return ((error as Error).cause as { code?: string } | undefined)?.code === 'ECONNREFUSED'
}

/**
 * Reads a stream, only its beginning or for so long, and closes it. One that is cut off ends there.
 */
async function readStream(response: Response, holdFor?: number): Promise<string> {
  const reader = response.body!.getReader()
  const decoder = new TextDecoder()
  let text = ''
  const timer = setTimeout(() => void reader.cancel().catch(() => {}), holdFor ?? PATIENCE)
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return text
      text += decoder.decode(value, { stream: true })
      if (holdFor === undefined) return text
    }
  } catch {
    return text
  } finally {
    clearTimeout(timer)
    await reader.cancel().catch(() => {})
  }
}

/**
 * What a stream said before it was closed.
 */
function hear(call: Call, text: string) {
  const [, data] = /^event: session\.ended\ndata: (.*)$/m.exec(text) ?? []
  if (data === undefined) return
  const said = JSON.parse(data)
  const { reason, endedAt } = said.errors?.[0] ?? said
  call.told = [{ session: call.session!, reason, endedAt }]
}

function understand(call: Call, { data, errors, error, active }: any) {
  call.code = errors?.[0].code ?? error
  call.reason = errors?.[0].reason
  call.endedAt = errors?.[0].endedAt
  if (call.op === 'introspect' && call.status === 200) call.active = active
  if (!data) return
  if (data.token) {
    call.opened = { session: data.session.id, access: data.token, refresh: data.refreshToken }
  }
  if (data.endedSessions) {
    call.ended = data.endedSessions.map(({ id }: { id: string }) => id)
    call.told = data.endedSessions.map(({ id, reason }: any) => ({ session: id, reason }))
  }
  if (call.op === 'list') call.listed = data.map(({ id }: { id: string }) => id)
  if (call.op === 'events') call.told = ends(data, 'occurredAt')
  if (call.op === 'feed') {
    call.told = ends(data.revocations, 'endedAt')
    call.cursor = data.cursor
  }
}

/**
 * The ends of sessions among entries of the log.
 */
function ends(entries: any[], at: 'occurredAt' | 'endedAt'): Telling[] {
  return entries
    .filter(({ type = 'session.ended' }) => type === 'session.ended')
    .map((entry) => ({ session: entry.sessionId, reason: entry.reason, endedAt: entry[at] }))
}
