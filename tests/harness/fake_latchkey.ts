import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Live = {
  userId: number
  sessionId: string
  authenticatedAt: number
  exp?: number
  externalId?: string
  emailVerified?: boolean
}

/**
 * What a guard asks of Latchkey, answered by hand: which tokens live is a list, and answers can be
 * held back so that a race happens in the order that a test wants.
 */
export class FakeLatchkey {
  readonly live = new Map<string, Live>()
  readonly asked: string[] = []
  readonly sockets = new Set<unknown>()
  /** What of the service to hold back: whoever asks waits for `release`. */
  held: { path: string; released: Promise<void>; release: () => void } | null = null
  entries: object[] = []
  isGone = false
  isAway = false
  #waiting = new Set<() => void>()
  #server = createServer((request, response) => void this.#answer(request, response))

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#server.on('connection', (socket) => this.sockets.add(socket))
    return this
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  /** Ends idle connections, as a server does after a while. */
  closeIdle(): void {
    this.#server.closeIdleConnections()
  }

  tell(...entries: object[]): void {
    this.entries.push(...entries)
    for (const wake of this.#waiting) wake()
  }

  /** As after a restore: no cursor is known any more. */
  lose(): void {
    this.isGone = true
    for (const wake of this.#waiting) wake()
  }

  hold(path: string): void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.held = { path, released: promise, release: resolve }
  }

  release(): void {
    this.held?.release()
    this.held = null
  }

  count(path: string): number {
    return this.asked.filter((asked) => asked.startsWith(path)).length
  }

  async #answer(request: IncomingMessage, response: ServerResponse) {
    const url = new URL(request.url!, this.url)
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    if (this.isAway) return response.socket?.destroy()
    const form = new URLSearchParams(body)
    this.asked.push(`${url.pathname}${url.search}${form.has('used') ? '?used=true' : ''}`)
    const answer = await this.#answerTo(request, url, form)
    if (this.held?.path === url.pathname) await this.held.released
    response.writeHead(answer.status, answer.headers).end(answer.body)
  }

  async #answerTo(request: IncomingMessage, url: URL, form: URLSearchParams) {
    if (url.pathname === '/api/v1/revocations') return this.#feed(url)
    if (url.pathname === '/oauth/introspect') {
      const live = this.live.get(form.get('token')!)
      return json(200, live ? described(live) : { active: false })
    }
    if (url.pathname !== '/forward-auth') return json(200, { hello: 'world' })
    const live = this.live.get(request.headers.authorization?.slice('Bearer '.length) ?? '')
    const maxAge = Number(url.searchParams.get('max_age') ?? Number.POSITIVE_INFINITY)
    if (!live) return json(401, { errors: [{ code: 'E_SESSION_ENDED' }] })
    if (Date.now() / 1000 - live.authenticatedAt >= maxAge) {
      return json(401, { errors: [{ code: 'E_REAUTHENTICATION_REQUIRED' }] })
    }
    return {
      status: 200,
      body: '',
      headers: {
        'x-auth-user-id': String(live.userId),
        'x-auth-session-id': live.sessionId,
        'x-auth-abilities': '*',
        'x-auth-user-role': 'user',
        'x-auth-time': String(live.authenticatedAt),
        'x-auth-external-id': live.externalId ?? '',
        'x-auth-user-email-verified': String(live.emailVerified ?? false),
      },
    }
  }

  async #feed(url: URL) {
    const after = url.searchParams.get('after')!
    const place = after === 'now' ? this.entries.length : Number(after)
    const wait = Number(url.searchParams.get('wait') ?? 0)
    if (this.entries.length === place && wait > 0 && !this.isGone) {
      let wake = () => {}
      await new Promise<void>((resolve) => {
        wake = resolve
        this.#waiting.add(wake)
        setTimeout(resolve, wait * 1000).unref()
      })
      this.#waiting.delete(wake)
    }
    if (this.isGone && after !== 'now') return json(410, { errors: [{ code: 'E_CURSOR_GONE' }] })
    this.isGone = false
    const revocations = this.entries.slice(place)
    return json(200, { data: { revocations, cursor: String(this.entries.length) } })
  }
}

function described({ userId, sessionId, authenticatedAt, exp, ...live }: Live) {
  return {
    active: true,
    sub: String(userId),
    sid: sessionId,
    scope: '*',
    token_type: 'Bearer',
    auth_time: authenticatedAt,
    email_verified: live.emailVerified ?? false,
    ...(live.externalId !== undefined && { external_id: live.externalId }),
    ...(exp !== undefined && { exp }),
  }
}

function json(status: number, value: unknown) {
  return {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(value),
  }
}
