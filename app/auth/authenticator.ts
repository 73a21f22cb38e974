import { Authenticator } from '@adonisjs/auth'
import type { Authenticators } from '@adonisjs/auth/types'
import type { LoginOptions } from '#app/auth/guard'
import type User from '#models/user'
import type { OpenedSession } from '#app/sessions/open'
import type { Session } from '#app/sessions/session'

/**
 * `ctx.auth`: the framework's authenticator, which also opens and ends sessions through the guard
 * `api`, and lets that guard's own error reach the client, so that a device learns why it was
 * signed out.
 */
export class ApiAuthenticator extends Authenticator<Authenticators> {
  /**
   * The session of the request; undefined for an API key.
   */
  get session(): Session | undefined {
    return this.use('api').session
  }

  /**
   * The session of the request. Throws `E_FORBIDDEN` for an API key.
   */
  getSessionOrFail(): Session {
    return this.use('api').getSessionOrFail()
  }

  override async authenticateUsing(guards: (keyof Authenticators)[] = [this.defaultGuard]) {
    if (await this.checkUsing(guards)) return this.getUserOrFail()
    throw this.use(guards.at(-1)).failure!
  }

  /** Opens a session for a user whose credentials were just verified. */
  login(user: User, options?: LoginOptions): Promise<OpenedSession> {
    return this.use('api').login(user, options)
  }

  /** Ends the session of the request. */
  logout(): Promise<void> {
    return this.use('api').logout()
  }

  /** Ends the user's other sessions. Returns how many. */
  logoutOthers(): Promise<number> {
    return this.use('api').logoutOthers()
  }

  /** Ends all sessions of the user, this one too. Returns how many. */
  logoutEverywhere(): Promise<number> {
    return this.use('api').logoutEverywhere()
  }
}
