/**
 * One call of a client as it saw it. Times are milliseconds of the machine's monotonic clock,
 * which all processes share. `end` null: no answer came, so what it asked for may or may not have
 * happened, at any moment since.
 */
export type Call = {
  op:
    | 'login'
    | 'check'
    | 'refresh'
    | 'logout'
    | 'logout-others'
    | 'logout-all'
    | 'password'
    | 'force-logout'
    | 'disable'
    | 'enable'
  user: string
  start: number
  end: number | null
  /** HTTP status; null without an answer. */
  status: number | null
  code?: string
  reason?: string
  /** The session whose token was sent. */
  session?: string
  /** The token that was sent. */
  token?: string
  /** What a login, a refresh or a password change brought. */
  opened?: { session: string; access: string; refresh: string }
  /** Sessions that the answer of a login says it ended. */
  ended?: string[]
}

/**
 * Milliseconds of the machine's monotonic clock.
 */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}
