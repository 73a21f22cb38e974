/**
 * A client of Latchkey for browsers and Node.js 18 or newer. It has no dependencies: copy this file
 * into your project. Licence: MIT, as Latchkey's own.
 *
 * It signs in, sends requests with the access token, renews it once for however many requests find
 * it expired, follows the session's event stream, and calls back with the reason when the session
 * has ended.
 */

/** The tokens of a session, to be kept where your platform keeps secrets. Instants are ISO 8601. */
export type Tokens = {
  token: string
  expiresAt: string
  refreshToken: string | null
  refreshExpiresAt: string | null
}

/** An error as the API writes it. `reason`, `endedAt` and `by` come with `E_SESSION_ENDED`. */
export type LatchkeyErrorBody = {
  code: string
  message: string
  reason?: string
  endedAt?: string
  by?: { name: string | null; platform: string | null }
  [detail: string]: unknown
}

export type Device = { id?: string; name?: string; platform?: string }

export type SignIn = {
  email: string
  password: string
  device?: Device
  logoutOthers?: boolean
  endSessions?: string[]
}

/** What a sign-in answers besides its tokens. */
export type SignedIn = {
  user: { id: number; email: string; [field: string]: unknown }
  session: { id: string; [field: string]: unknown }
  endedSessions: { id: string; reason: string; [field: string]: unknown }[]
  quota: { used: number; max: number | null }
}

/** A sign-in of the same user on another device, while this one lives on. */
export type OpenedElsewhere = {
  session: { id: string; device: Device | null; createdAt: string }
}

export type Options = {
  /** Where Latchkey is: `https://auth.example.com`. */
  url: string
  /** Tokens that were kept from an earlier run. */
  tokens?: Tokens | null
  /** Called whenever the tokens change; with null when they are worth nothing any more. */
  onTokens?: (tokens: Tokens | null) => void
  /** Called once when the session has ended. `error.message` is fit to show a person. */
  onSignedOut?: (error: LatchkeyErrorBody) => void
  /** Called when the same user signs in elsewhere and both live on. */
  onOpenedElsewhere?: (event: OpenedElsewhere) => void
  fetch?: typeof fetch
}

/** An answer that is an error. Nothing was lost: what is worth repeating can be repeated. */
export class LatchkeyError extends Error {
  readonly status: number
  readonly body: LatchkeyErrorBody

  constructor(status: number, body: LatchkeyErrorBody) {
    super(body.message)
    this.name = body.code
    this.status = status
    this.body = body
  }
}

/** Codes after which a session can not go on. */
const FINAL = new Set([
  'E_SESSION_ENDED',
  'E_UNAUTHORIZED_ACCESS',
  'E_INVALID_REFRESH_TOKEN',
  'E_REFRESH_TOKEN_REUSED',
])

/** Milliseconds before the stream is opened again: first, unless the server says, and longest. */
const RECONNECT = { first: 2_000, longest: 60_000 }

/** Milliseconds of silence after which a stream is dead: the server speaks every 15 seconds. */
const SILENCE = 45_000

export class LatchkeyClient {
  readonly #options: Options
  readonly #fetch: typeof fetch
  readonly #url: string
  #tokens: Tokens | null
  #refreshing?: Promise<void>
  #listening?: AbortController

  constructor(options: Options) {
    this.#options = options
    this.#fetch = options.fetch ?? ((input, init) => fetch(input, init))
    this.#url = options.url.replace(/\/+$/, '')
    this.#tokens = options.tokens ?? null
  }

  /** Whether there are tokens. Only an answer of the server tells whether they are alive. */
  get isSignedIn(): boolean {
    return this.#tokens !== null
  }

  /** Signs in. Throws `LatchkeyError`; at the limit its body names the sessions to choose from. */
  async signIn(signIn: SignIn): Promise<SignedIn> {
    const answer = await this.#post('/api/v1/auth/login', signIn)
    const { user, session, endedSessions, quota, ...tokens } = await read(answer)
    this.#setTokens(tokens)
    return { user, session, endedSessions, quota }
  }

  /** Ends this session. */
  async signOut(): Promise<void> {
    this.stopListening()
    const answer = await this.request('/api/v1/auth/logout', { method: 'POST' })
    if (answer.status === 204) this.#setTokens(null)
    else if (answer.status !== 401) await read(answer)
  }

  /**
   * Sends a request with the access token, to a path of Latchkey or to the URL of a backend that
   * trusts it. When the token has expired, it is renewed and the request sent once more, so a body
   * must be one that can be sent twice. Throws what `fetch` throws, and `LatchkeyError` where the
   * token can not be renewed.
   */
  async request(target: string, init: RequestInit = {}): Promise<Response> {
    const [answer, token] = await this.#send(target, init)
    if (answer.status !== 401) return answer
    const error = await peek(answer)
    if (error.code !== 'E_TOKEN_EXPIRED') {
      this.#endIfFinal(error, token)
      return answer
    }
    await this.#renew(token)
    const [second, renewed] = await this.#send(target, init)
    if (second.status === 401) this.#endIfFinal(await peek(second), renewed)
    return second
  }

  /** Follows the session's event stream until the session ends or `stopListening` is called. */
  listen(): void {
    if (this.#listening) return
    this.#listening = new AbortController()
    void this.#follow(this.#listening.signal)
  }

  stopListening(): void {
    this.#listening?.abort()
    this.#listening = undefined
  }

  async #send(target: string, init: RequestInit): Promise<[Response, string | undefined]> {
    const token = this.#tokens?.token
    const headers = new Headers(init.headers)
    if (token) headers.set('Authorization', `Bearer ${token}`)
    const url = target.startsWith('/') ? this.#url + target : target
    return [await this.#fetch(url, { ...init, headers }), token]
  }

  #post(path: string, body: unknown): Promise<Response> {
    return this.#fetch(this.#url + path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    })
  }

  /** Renews the tokens, once for all that ask meanwhile, unless `expired` was renewed already. */
  async #renew(expired: string | undefined): Promise<void> {
    if (this.#tokens && this.#tokens.token !== expired) return
    this.#refreshing ??= this.#refresh().finally(() => (this.#refreshing = undefined))
    await this.#refreshing
  }

  /** A lost answer may be asked for again: the server gives the same tokens for a while. */
  async #refresh(): Promise<void> {
    const spent = this.#tokens
    const answer = await this.#post('/api/v1/auth/refresh', { refreshToken: spent?.refreshToken })
    if (answer.status === 400 || answer.status === 401) {
      this.#endIfFinal(await peek(answer), spent?.token)
    }
    const { token, expiresAt, refreshToken, refreshExpiresAt } = await read(answer)
    if (this.#tokens === spent) {
      this.#setTokens({ token, expiresAt, refreshToken, refreshExpiresAt })
    }
  }

  #setTokens(tokens: Tokens | null): void {
    this.#tokens = tokens && {
      token: tokens.token,
      expiresAt: tokens.expiresAt,
      refreshToken: tokens.refreshToken,
      refreshExpiresAt: tokens.refreshExpiresAt,
    }
    this.#options.onTokens?.(this.#tokens)
  }

  /** Gives the tokens up, once, if the error is about those in use. */
  #endIfFinal(error: LatchkeyErrorBody, token: string | undefined): void {
    if (!FINAL.has(error.code) || !this.#tokens || this.#tokens.token !== token) return
    this.stopListening()
    this.#setTokens(null)
    this.#options.onSignedOut?.(error)
  }

  async #follow(signal: AbortSignal): Promise<void> {
    let pause = RECONNECT.first
    while (!signal.aborted && this.#tokens) {
      const heard = await this.#followOnce(signal).catch(() => null)
      if (signal.aborted) return
      pause = heard ?? Math.min(pause * 2, RECONNECT.longest)
      await sleep(pause * (0.5 + Math.random()), signal)
    }
  }

  /**
   * Follows one stream to its end, which is also that of its access token: the next one is opened with
   * the token that is held then, renewed where it must be. Returns the milliseconds after which to open
   * the next.
   */
  async #followOnce(signal: AbortSignal): Promise<number | null> {
    const silent = new AbortController()
    const stop = () => silent.abort()
    signal.addEventListener('abort', stop)
    let timer = setTimeout(stop, SILENCE)
    try {
      const headers = { Accept: 'text/event-stream' }
      const answer = await this.request('/api/v1/session/events', {
        headers,
        signal: silent.signal,
      })
      if (!answer.ok || !answer.body) return null
      const token = this.#tokens?.token
      let pause = RECONNECT.first
      for await (const { event, data, retry } of readStream(answer.body)) {
        clearTimeout(timer)
        timer = setTimeout(stop, SILENCE)
        if (retry !== undefined) pause = retry
        if (event === 'session.ended')
          this.#endIfFinal(JSON.parse(data), this.#tokens?.token ?? token)
        if (event === 'session.opened') this.#options.onOpenedElsewhere?.(JSON.parse(data))
      }
      return pause
    } finally {
      clearTimeout(timer)
      signal.removeEventListener('abort', stop)
    }
  }
}

type StreamPart = { event?: string; data: string; retry?: number }

/** The blocks of a stream of server-sent events, comments too. */
async function* readStream(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamPart> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    text += decoder.decode(value, { stream: true })
    for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
      yield parseBlock(text.slice(0, end))
      text = text.slice(end + 2)
    }
  }
}

function parseBlock(block: string): StreamPart {
  const part: StreamPart = { data: '' }
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':')
    const value = line.slice(colon + 1).replace(/^ /, '')
    if (line.startsWith('event:')) part.event = value
    else if (line.startsWith('data:')) part.data += value
    else if (line.startsWith('retry:')) part.retry = Number(value)
  }
  return part
}

/** The error of an answer whose body stays unread. */
async function peek(answer: Response): Promise<LatchkeyErrorBody> {
  return firstError(await answer.clone().text(), answer.status)
}

/** What an answer gives; throws `LatchkeyError` for an error. */
async function read(answer: Response) {
  const text = await answer.text()
  if (!answer.ok) throw new LatchkeyError(answer.status, firstError(text, answer.status))
  return text === '' ? undefined : JSON.parse(text).data
}

function firstError(text: string, status: number): LatchkeyErrorBody {
  try {
    const [error] = JSON.parse(text).errors
    return error
  } catch {
    return { code: 'E_UNKNOWN', message: `The server answered with ${status}.` }
  }
}

function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true })
  })
}
