import { connect } from 'node:net'
import { now, type Call } from './history.js'
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
    const server = this.#random.pick(this.#servers)
    const call: Call = { ...asked.call, start: now(), end: null, status: null }
    try {
      const response = await fetch(server + asked.path, {
        method: asked.method,
        headers: {
          ...(asked.body !== undefined && { 'content-type': 'application/json' }),
          ...asked.headers,
        },
        body: asked.form ? new URLSearchParams(asked.form) : JSON.stringify(asked.body),
        signal: AbortSignal.timeout(Math.ceil(asked.leaveAfter ?? PATIENCE)),
      })
      const isStream = response.ok && asked.call.op === 'stream'
      const text = isStream ? await firstOf(response) : await response.text()
      call.end = now()
      call.status = response.status
      if (response.status === 503 && !/^\d+$/.test(response.headers.get('retry-after') ?? '')) {
        call.withoutRetryAfter = true
      }
      if (!isStream && text !== '') understand(call, JSON.parse(text))
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
 * Reads the beginning of a stream, and closes it.
 */
async function firstOf(response: Response): Promise<string> {
  const reader = response.body!.getReader()
  const { value } = await reader.read()
  await reader.cancel()
  return new TextDecoder().decode(value)
}

function understand(call: Call, { data, errors, error, active }: any) {
  call.code = errors?.[0].code ?? error
  call.reason = errors?.[0].reason
  if (call.op === 'introspect' && call.status === 200) call.active = active
  if (data?.token) {
    call.opened = { session: data.session.id, access: data.token, refresh: data.refreshToken }
  }
  if (data?.endedSessions) call.ended = data.endedSessions.map(({ id }: { id: string }) => id)
  if (Array.isArray(data)) call.listed = data.map(({ id }: { id: string }) => id)
}
