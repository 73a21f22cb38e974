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
  'events',
  'feed',
  'refresh',
  'logout',
  'logout-others',
  'logout-all',
  'end-session',
  'password',
  'force-logout',
  'force-session',
  'force-platform',
  'force-everyone',
  'disable',
  'enable',
] as const

export type Operation = (typeof OPERATIONS)[number]

/**
 * What an answer says of the end of a session.
 */
export type Telling = { session: string; reason: string; endedAt?: string }

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
  /** When the session whose token was sent ended, as the refusal says. */
  endedAt?: string
  /** The number of the server that was asked. */
  server?: number
  /** The session whose token was sent. */
  session?: string
  /** The token that was sent. */
  token?: string
  /** The session that it asks to end. */
  target?: string
  /** The id by which the device of a login calls itself. */
  device?: string
  /** The platform of a login, or that whose sessions are to end. */
  platform?: string
  /** What a login, a refresh or a password change brought. */
  opened?: { session: string; access: string; refresh: string }
  /** Sessions that the answer of a login says it ended. */
  ended?: string[]
  /** What it says of ended sessions besides the one whose token was sent. */
  told?: Telling[]
  /** Where a page of the feed of revocations goes on. */
  cursor?: string
  /** Sessions that a list shows. */
  listed?: string[]
  /** What an introspection says. */
  active?: boolean
  /** A 503 that does not say when to try again. */
  withoutRetryAfter?: true
}

/**
 * Why a session ends that nobody ends.
 */
export const BY_TIME = ['idle', 'expired']

/**
 * A fault, as long as it lasted. `server` is the one that it struck; undefined: all of them. While
 * it lasts a use of a session that is to be written behind may be lost, or be written late.
 */
export type Strike = { start: number; end: number; server?: number }

/**
 * How long sessions live, in milliseconds, and by how much the clocks that judge them may differ.
 */
export type Lifetimes = { idle: number; max: number; tolerance: number }

/**
 * What a history came about under. `epoch` is what the machine's clock shows when its monotonic
 * clock shows 0.
 */
export type Conditions = {
  /** Sessions per user. */
  limit: number
  /** Undefined: so long that no session reaches its end. */
  lifetimes?: Lifetimes
  strikes?: Strike[]
  epoch?: number
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

/**
 * All that an answer says of ended sessions.
 */
export function tellings({ session, reason, endedAt, told = [] }: Call): Telling[] {
  return session && reason ? [{ session, reason, endedAt }, ...told] : told
}
