/**
 * Everything that clients and admins do.
 */
export const OPERATIONS = [
  'login',
  'check',
  'list',
  'forward-auth',
  'introspect',
  'stream',
  'refresh',
  'logout',
  'logout-others',
  'logout-all',
  'end-session',
  'password',
  'force-logout',
  'force-everyone',
  'disable',
  'enable',
] as const

export type Operation = (typeof OPERATIONS)[number]

/**
 * One call of a client as it saw it. Times are milliseconds of the machine's monotonic clock,
 * which all processes share. `end` null: no answer came, so what it asked for may or may not have
 * happened, at any moment since.
 */
export type Call = {
  op: Operation
  /** Whom it is about; `*` for everyone. */
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
  /** The session that it asks to end. */
  target?: string
  /** The id by which the device of a login calls itself. */
  device?: string
  /** What a login, a refresh or a password change brought. */
  opened?: { session: string; access: string; refresh: string }
  /** Sessions that the answer of a login says it ended. */
  ended?: string[]
  /** Sessions that a list shows. */
  listed?: string[]
  /** What an introspection says. */
  active?: boolean
  /** A 503 that does not say when to try again. */
  withoutRetryAfter?: true
}

/**
 * Milliseconds of the machine's monotonic clock.
 */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/**
 * Whether what it asked for was done; for a question about a token: whether the token was good.
 */
export function succeeded({ status, active }: Call): boolean {
  return status !== null && status >= 200 && status < 300 && active !== false
}

/**
 * Whether what it asked for may have been done: not when it was refused. After a 5xx, as after no
 * answer, it may also be done later.
 */
export function mayHaveHappened(call: Call): boolean {
  return isOpen(call) || succeeded(call) || call.code === 'E_REFRESH_TOKEN_REUSED'
}

/**
 * Whether nobody knows when it happened, if it did.
 */
export function isOpen({ status }: Call): boolean {
  return status === null || status >= 500
}
