import { symbols } from '@adonisjs/auth'
import type { GuardContract, GuardConfigProvider } from '@adonisjs/auth/types'
import type { HttpContext } from '@adonisjs/core/http'
import type { Emitter } from '@adonisjs/core/events'
import type { EventsList } from '@adonisjs/core/types'
import { readCredentials } from '#app/auth/bearer'
import { enforceBinding, type BoundRequest } from '#app/auth/session_binding'
import { noteUse } from '#app/token_verification/token_use'
import type { TokenRecord } from '#app/token_verification/token_lookup'
import { refusalOf, verifyToken } from '#app/token_verification/verify_token'
import { ApiError } from '#exceptions/api_error'
import { E_FORBIDDEN, E_UNAUTHORIZED_ACCESS } from '#exceptions/errors'
import { deviceOf, type SaidDevice, userAgentOf } from '#app/devices/device'
import type User from '#models/user'
import { logOut, type LogOutScope } from '#app/sessions/log_out'
import { openSession, type OpenedSession, type SignIn } from '#app/sessions/open'
import type { ProvenKey, Session } from '#app/sessions/session'

/**
 * What a sign-in may say of itself; the guard adds what the request says.
 */
export type LoginOptions = Partial<Pick<SignIn, 'logoutOthers' | 'endSessions'>> & {
  device?: SaidDevice | null
}

/**
 * Events of the guard, named after those of the framework's guards.
 */
export type ApiGuardEvents = {
  'access_tokens_auth:authentication_attempted': { ctx: HttpContext; guardName: string }
  'access_tokens_auth:authentication_succeeded': {
    ctx: HttpContext
    guardName: string
    user: User
    token: TokenRecord
  }
  'access_tokens_auth:authentication_failed': {
    ctx: HttpContext
    guardName: string
    error: ApiError
  }
  'access_tokens_auth:login_succeeded': {
    ctx: HttpContext
    guardName: string
    user: User
    session: Session
  }
  'access_tokens_auth:logged_out': {
    ctx: HttpContext
    guardName: string
    user: User
    ended: Session[]
  }
}

/**
 * Who may speak, by the bearer token of a request: an access token with its session, or an API
 * key. Opens and ends sessions for the request's user.
 */
export class ApiGuard implements GuardContract<User> {
  declare [symbols.GUARD_KNOWN_EVENTS]: ApiGuardEvents

  /**
   * The framework renders its own errors by this name.
   */
  readonly driverName = 'access_tokens'

  authenticationAttempted = false
  isAuthenticated = false
  user?: User

  /**
   * The token that authenticated the request.
   */
  token?: TokenRecord

  /**
   * The key that a sign-in has proven to hold: its session is bound to it.
   */
  provenKey: ProvenKey = { keyThumbprint: null }

  /**
   * The request on whose behalf a proxy asks; unset when it is this one.
   */
  behalf?: Omit<BoundRequest, 'message'>

  /**
   * Why the request is not authenticated.
   */
  failure?: ApiError

  readonly #name: string
  readonly #ctx: HttpContext
  readonly #emitter: Emitter<EventsList>

  constructor(name: string, ctx: HttpContext, emitter: Emitter<EventsList>) {
    this.#name = name
    this.#ctx = ctx
    this.#emitter = emitter
  }

  /**
   * The session that the request speaks for; undefined for an API key, or when not authenticated.
   */
  get session(): Session | undefined {
    return this.token?.session ?? undefined
  }

  getUserOrFail(): User {
    if (!this.user) throw this.failure ?? new E_UNAUTHORIZED_ACCESS({ hadToken: false })
    return this.user
  }

  /**
   * The session of the request. Throws `E_FORBIDDEN` for an API key, which has none.
   */
  getSessionOrFail(): Session {
    this.getUserOrFail()
    if (!this.session) {
      throw new E_FORBIDDEN({ message: 'An API key can not do this. Sign in to do it.' })
    }
    return this.session
  }

  /**
   * Whether the token of the request holds an ability; `*` is all of them.
   */
  allows(ability: string): boolean {
    const abilities = this.token?.abilities ?? []
    return abilities.includes('*') || abilities.includes(ability)
  }

  /**
   * Authenticates the request, once. Throws the `ApiError` that says why not, and
   * whatever the database throws when it can't be asked.
   *
   * With `expired` a session's access token passes after its time too, as long as no newer one has
   * taken its place: enough to sign out, and for nothing else.
   */
  async authenticate(options: { expired?: boolean } = {}): Promise<User> {
    if (this.authenticationAttempted) return this.getUserOrFail()
    this.authenticationAttempted = true
    this.#emit('access_tokens_auth:authentication_attempted', () => ({}))
    try {
      this.token = await this.#verify(options)
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      this.failure = error
      this.#emit('access_tokens_auth:authentication_failed', () => ({ error }))
      throw error
    }
    const { user } = this.token
    this.user = user
    this.isAuthenticated = true
    const { token } = this
    this.#emit('access_tokens_auth:authentication_succeeded', () => ({ user, token }))
    return user
  }

  /**
   * The same without an error for a request that may go on without a user. A malformed header and
   * an unreachable database still throw.
   */
  async check(): Promise<boolean> {
    try {
      await this.authenticate()
      return true
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) return false
      throw error
    }
  }

  /**
   * Opens a session for a user whose credentials were just verified. See `openSession` for what
   * it throws.
   */
  async login(user: User, options: LoginOptions = {}): Promise<OpenedSession> {
    const signIn = { ...signInOf(this.#ctx), ...options, device: deviceOf(options.device) }
    const opened = await openSession(user, signIn)
    const { session } = opened
    this.#emit('access_tokens_auth:login_succeeded', () => ({ user, session }))
    return opened
  }

  /**
   * Ends the session of the request.
   */
  async logout(): Promise<void> {
    await this.#logOut('current')
  }

  /**
   * Ends the user's other sessions. Returns how many.
   */
  async logoutOthers(): Promise<number> {
    const ended = await this.#logOut('others')
    return ended.length
  }

  /**
   * Ends all sessions of the user, this one too. Returns how many.
   */
  async logoutEverywhere(): Promise<number> {
    const ended = await this.#logOut('all')
    return ended.length
  }

  /**
   * Headers for a test client that speaks for the user, in a session of its own.
   */
  async authenticateAsClient(user: User) {
    const { tokens } = await this.login(user)
    return { headers: { authorization: `Bearer ${tokens.token}` } }
  }

  async #logOut(scope: LogOutScope): Promise<Session[]> {
    const user = this.getUserOrFail()
    const ended = await logOut(this.getSessionOrFail(), scope)
    this.#emit('access_tokens_auth:logged_out', () => ({ user, ended }))
    return ended
  }

  async #verify({ expired = false }): Promise<TokenRecord> {
    const message = this.#ctx.request.request
    const credentials = readCredentials(message)
    if (credentials === null) throw new E_UNAUTHORIZED_ACCESS({ hadToken: false })
    const verify = async () => {
      const verdict = await verifyToken(credentials.token, ACCEPTED)
      if (verdict.type === 'live') return verdict.token
      if (expired && verdict.type === 'expired' && verdict.token) return verdict.token
      throw refusalOf(verdict)
    }
    let token = await verify()
    const bound = enforceBinding(token.session, credentials, { message, ...this.behalf })
    if (bound) await bound
    for (;;) {
      const noted = noteUse(token)
      if (noted === true || (await noted)) return token
      /** Again: a refresh or an end took the token away meanwhile. */
      token = await verify()
    }
  }

  /**
   * Events cost every request something, so only those that somebody listens to are made.
   */
  #emit<Name extends keyof ApiGuardEvents>(
    name: Name,
    payload: () => Omit<ApiGuardEvents[Name], 'ctx' | 'guardName'>
  ) {
    if (!this.#emitter.hasListeners(name)) return
    const event = { ctx: this.#ctx, guardName: this.#name, ...payload() }
    void this.#emitter.emit(name, event as never)
  }
}

const ACCEPTED = ['access', 'api_key'] as const

/**
 * What a request says of where a sign-in comes from.
 */
export function signInOf({ request, auth }: HttpContext): SignIn {
  return {
    device: { id: null, name: null, platform: null },
    ip: request.ip(),
    userAgent: userAgentOf(request.request),
    ...auth.use('api').provenKey,
  }
}

/**
 * The guard as `config/auth.ts` names it.
 */
export function apiGuard(): GuardConfigProvider<(ctx: HttpContext) => ApiGuard> {
  return {
    async resolver(name, app) {
      const emitter = await app.container.make('emitter')
      return (ctx) => new ApiGuard(name, ctx, emitter)
    },
  }
}
