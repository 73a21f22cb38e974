/**
 * How a guard finds Latchkey and what it may remember. Durations are seconds, or such as `'10m'`.
 */
export type GuardOptions = {
  /** Where Latchkey is: `https://auth.example.com`. */
  url: string
  /**
   * `ask` (the default) asks Latchkey about every request. `follow` remembers answers and follows the
   * feed of revocations, which tells it what to forget: it needs `clientId` and `clientSecret`.
   */
  mode?: 'ask' | 'follow'
  /** A service client with the abilities `introspect` and `feed`. */
  clientId?: string
  clientSecret?: string
  /**
   * The address by which clients know this service, such as `https://api.example.com`. Tokens that are
   * bound to a key (DPoP) need it, and Latchkey's `TRUST_PROXY` must name this service.
   */
  origin?: string
  /** How long an answer of Latchkey may take before a request is refused with 503. Default: 5 s. */
  timeout?: Duration
  /** How long a token that has ended may still pass in `follow`, at most. Default: 5 s. */
  maxStaleness?: Duration
  /** How long an answer is used in `follow` before Latchkey is asked again. Default: 2 min. */
  maxAge?: Duration
  /** How many answers are remembered in `follow`. Default: 100,000. */
  maxAnswers?: number
  /** Told what an operator should know, in words. Default: `console.warn`. */
  onProblem?: (message: string) => void
}

/**
 * What a route wants beside a live token.
 */
export type Requirements = {
  /** How long ago the user may have shown who they are. An API key never did. */
  fresh?: Duration
  /** Abilities that the token must have, all of them. Those of a session have them all. */
  abilities?: readonly string[]
}

/**
 * The same, read once; `maxAge` is in seconds.
 */
export type Wanted = { maxAge: number | null; abilities: readonly string[] }

export type Duration = number | `${number}${'s' | 'm' | 'h' | 'd'}`

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 }

/**
 * A duration in seconds. Throws where it is none.
 */
export function seconds(duration: Duration, name: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)([smhd])$/.exec(String(duration)) ?? []
  const value =
    typeof duration === 'number' ? duration : Number(count) * SECONDS[unit as keyof typeof SECONDS]
  if (Number.isFinite(value) && value > 0) return value
  throw new TypeError(`${name} is ${duration}: write seconds, or such as '10m'.`)
}
